/** What is tried: an event of API Gateway or of the schedule, valid but for some changes, in a broker in some state. */
import fc from "fast-check";
import { resources } from "../../../functions/contract.ts";
import { canary } from "../../support/canary.ts";
import { apiEvent, roleIdentity } from "../../support/fakes/api-function.ts";
import { oncall } from "../../support/fakes/in-memory-operator.ts";
import type { EntryName } from "./entries.ts";
import { type Change, changed, changesWith, number, rowText, text, value } from "./hostile.ts";
import { type Fault, faults, type State, states } from "./world.ts";

export interface Case {
  readonly entry: EntryName;
  readonly event: unknown;
  readonly state: State;
  readonly fault: Fault | undefined;
  /** To the rows, before the event. Their keys stay: DynamoDB keeps these. */
  readonly rowChanges: readonly Change[];
}

const changes = changesWith(value);
/** As DynamoDB can hold them: its lists and maps are not that deep. */
const rowChanges = changesWith(
  fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(0, -1, -9e15, 9e15, 2 ** 53 - 1) },
    { weight: 2, arbitrary: rowText },
    number,
    fc.constantFrom(null, true, [], {}),
  ),
);
const none = fc.constant<Change[]>([]);

interface Route {
  readonly entry: EntryName;
  readonly method: string;
  readonly resource: string;
  readonly identity: object;
  readonly fields?: readonly string[];
  readonly query?: readonly string[];
}

const [asCaller, asOperator] = [roleIdentity(), oncall];
const routes: readonly Route[] = [
  {
    entry: "issue-token",
    method: "POST",
    resource: resources.token,
    identity: asCaller,
    fields: ["min_ttl_seconds", "stale_lease_id", "session"],
  },
  { entry: "issue-token", method: "GET", resource: resources.scopes, identity: asCaller },
  {
    entry: "logout",
    method: "POST",
    resource: resources.logout,
    identity: asCaller,
    fields: ["lease_id", "session"],
  },
  {
    entry: "operate",
    method: "GET",
    resource: resources.leases,
    identity: asOperator,
    query: ["next_token"],
  },
  {
    entry: "operate",
    method: "DELETE",
    resource: resources.leases,
    identity: asOperator,
    query: ["lease_id", "caller", "issued_before", "client_id", "all", "dry_run"],
  },
  {
    entry: "operate",
    method: "PUT",
    resource: resources.freeze,
    identity: asOperator,
    fields: ["reason"],
  },
  { entry: "operate", method: "DELETE", resource: resources.freeze, identity: asOperator },
];

/** What must never come back: a client's own credentials. */
const headers = {
  host: "a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com",
  authorization: `AWS4-HMAC-SHA256 Credential=x, Signature=${canary.awsSecretAccessKey}`,
  "x-amz-security-token": canary.awsSessionToken,
  "x-forwarded-for": canary.token,
};

const bodies = (fields: readonly string[]) =>
  fc.oneof(
    fc.constant(null),
    fields.length === 0
      ? fc.constant("{}")
      : fc
          .dictionary(
            fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...fields) }, text),
            fc.oneof(text, value),
          )
          .map(asJson),
    text,
    fc.constantFrom(
      '{"min_ttl_seconds":1e999}',
      "[".repeat(4_000),
      `${'{"a":'.repeat(800)}1${"}".repeat(800)}`,
    ),
  );

const queries = (names: readonly string[]) =>
  names.length === 0
    ? fc.constant(null)
    : fc.option(fc.dictionary(fc.constantFrom(...names), fc.array(text, { minLength: 1, maxLength: 2 })));

/** Of a value without end the beginning is bad enough. */
function asJson(given: unknown): string {
  try {
    return JSON.stringify(given);
  } catch {
    return '{"deep":'.repeat(500);
  }
}

const requests = fc
  .constantFrom(...routes)
  .chain(({ entry, method, resource, identity, fields = [], query = [] }) =>
    fc
      .record({
        body: bodies(fields),
        base64: fc.boolean(),
        query: queries(query),
        scope: fc.oneof({ weight: 9, arbitrary: fc.constant("sales") }, text),
        changes: fc.oneof(none, { weight: 3, arbitrary: changes }),
      })
      .map(({ body, base64, query: parameters, scope, changes: list }) => ({
        entry,
        event: changed(
          apiEvent({
            method,
            resource,
            identity,
            event: {
              ...(resource.includes("{scope}") ? { pathParameters: { scope } } : {}),
              headers,
              multiValueHeaders: Object.fromEntries(
                Object.entries(headers).map(([name, one]) => [name, [one]]),
              ),
              multiValueQueryStringParameters: parameters,
              body: body !== null && base64 ? Buffer.from(body).toString("base64") : body,
              isBase64Encoded: base64,
            },
          }),
          list,
        ),
      })),
  );

const schedule = {
  version: "0",
  source: "aws.scheduler",
  "detail-type": "Scheduled Event",
  time: "2026-11-24T13:00:00Z",
  detail: "{}",
};

const events: fc.Arbitrary<Pick<Case, "entry" | "event">> = fc.oneof(
  { weight: 12, arbitrary: requests },
  {
    weight: 2,
    arbitrary: changes.map((list) => ({ entry: "sweep" as const, event: changed(schedule, list) })),
  },
  // To the wrong function, or no event at all.
  {
    weight: 1,
    arbitrary: fc.record({
      entry: fc.constantFrom<EntryName>("issue-token", "logout", "operate", "sweep"),
      event: fc.oneof(
        value,
        requests.map(({ event }) => event),
      ),
    }),
  },
);

/** As they should be, for rows that are not. */
const validEvents = fc.constantFrom<Pick<Case, "entry" | "event">>(
  ...routes.map(({ entry, method, resource, identity, fields = [], query = [] }) => ({
    entry,
    event: apiEvent({
      method,
      resource,
      identity,
      body: fields.includes("reason") ? { reason: "incident 7" } : undefined,
      event: query.includes("all") ? { multiValueQueryStringParameters: { all: ["true"] } } : {},
    }),
  })),
  { entry: "sweep", event: schedule },
);

export const cases: fc.Arbitrary<Case> = fc
  .oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        request: events,
        state: fc.constantFrom(...states),
        rowChanges: none,
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        request: validEvents,
        state: fc.constantFrom(...states.filter((state) => state !== "empty")),
        rowChanges,
      }),
    },
  )
  .chain(({ request, state, rowChanges: edits }) =>
    fc
      .option(fc.constantFrom(...faults), { freq: 4, nil: undefined })
      .map((fault) => ({ ...request, state, fault, rowChanges: edits })),
  );
