/** Each question of the page, done by the same functions as the commands. */
import { parsePermissions } from "@looker-token-broker/client/broker";
import { accountOf } from "../account.ts";
import type { Broker } from "../broker.ts";
import { type Ending, endLeases, leasesBefore } from "../end-leases.ts";
import { errorOf, failureOf } from "../failure.ts";
import { freezing, unfreezeIn } from "../freezing.ts";
import { pagesOf } from "../listing.ts";
import { permissionsOf } from "../permissions.ts";
import { foresee, revocation } from "../revocation.ts";
import { inEachScope, operatedScopes, operatesNothing } from "../targets.ts";
import { leasesOfToken } from "../whose.ts";
import type { Message, MessageError, QuestionName, Questions } from "./messages.ts";

export interface Answering {
  readonly broker: Broker;
  /** The page has gone. */
  readonly gone: AbortSignal;
  /** The console ends. A page that has gone stops no revocation. */
  readonly stopped: AbortSignal;
  send(message: Message): Promise<void>;
}

type Answers = {
  readonly [Name in QuestionName]: (question: Questions[Name], answering: Answering) => Promise<void>;
};

/** As `--wait` of the commands. */
const waitMs = 60_000;

export const answers: Answers = {
  async look(_, { broker, gone, send }) {
    const { caller, grants } = parsePermissions(await permissionsOf(broker));
    const scopes = grants.filter(({ may }) => may.includes("operate"));
    // The page keeps its last answer. An empty list would look like a broker without scopes.
    if (scopes.length === 0) throw operatesNothing();
    const { endpoint, region } = broker;
    await send({ kind: "scopes", operator: caller.arn, endpoint, region, scopes });
    await eachScope(
      scopes.map(({ scope }) => scope),
      send,
      async (scope) => {
        for await (const { leases, frozen, account } of pagesOf(broker, scope, { signal: gone }))
          await send({
            ...{ kind: "page", scope, leases, now: broker.now() },
            ...(frozen ? { frozen } : {}),
            ...(account ? { account } : {}),
          });
        await send({ kind: "scope_done", scope });
      },
    );
  },
  async account({ scope }, { broker, send }) {
    await send({ kind: "account", check: await accountOf(broker, scope) });
  },
  async whose({ token_sha256 }, { broker, send }) {
    await eachScope(await operatedScopes(broker), send, async (scope) => {
      for (const lease of await leasesOfToken(broker, scope, token_sha256))
        await send({ kind: "found", scope, lease });
    });
  },
  async count({ scope, filter }, { broker, send }) {
    await send({ kind: "count", ...(await foresee(broker, scope, filter)) });
  },
  revoke: ({ scope, filter }, answering) => end(scope, revocation(answering.broker, filter), answering),
  freeze: ({ scope, reason }, answering) => end(scope, freezing(answering.broker, reason), answering),
  async unfreeze({ scope }, { broker, send }) {
    const was = await unfreezeIn(broker, scope);
    await send({ kind: "unfrozen", scope, ...(was === undefined ? {} : { was }) });
  },
};

async function end(
  scope: string,
  way: Pick<Ending, "filter" | "begin" | "settle">,
  { broker, stopped, send }: Answering,
): Promise<void> {
  const before = await leasesBefore(broker, [scope]);
  const all = await endLeases(
    { broker, scopes: [scope], before, ...way },
    {
      ...{ waitMs, signal: stopped },
      onEvent: (event) => void send(event.kind === "answer_lost" ? { kind: event.kind, scope } : event),
    },
  );
  for (const each of all)
    await send(
      "value" in each
        ? { kind: "ended", scope, result: each.value }
        : { kind: "scope_failed", scope, error: errorOf(each.failure) as MessageError },
    );
}

async function eachScope(
  scopes: readonly string[],
  send: Answering["send"],
  work: (scope: string) => Promise<void>,
): Promise<void> {
  const all = await inEachScope(scopes, work);
  for (const each of all)
    if ("failure" in each)
      await send({ kind: "scope_failed", scope: each.scope, error: errorOf(each.failure) as MessageError });
}

export const failedBy = (error: unknown): Message => ({
  kind: "failed",
  error: errorOf(failureOf(error)) as MessageError,
});
