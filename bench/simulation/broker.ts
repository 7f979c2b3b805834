/**
 * A whole broker under a virtual clock: API Gateway's throttle, Lambda's instances, the real handlers and use cases, a table, a KMS
 * and a Looker that take time. Clients reach it by a `fetch` of their own.
 */
import { randomIds } from "../../functions/adapters/system.ts";
import { resources } from "../../functions/contract.ts";
import { parseScopes } from "../../functions/domain/scope.ts";
import type { ProxyResult } from "../../functions/http/answer.ts";
import { apiHandler } from "../../functions/http/api-handler.ts";
import type { LogLine } from "../../functions/http/audit-record.ts";
import { postToken } from "../../functions/http/caller-routes.ts";
import type { LoginOutcome } from "../../functions/use-cases/ports.ts";
import { createThrottle } from "../../local/gateway/throttle.ts";
import { apiEvent, apiId, roleIdentity, stage } from "../../test/support/fakes/api-function.ts";
import { fakeSecrets } from "../../test/support/fakes/fake-secrets.ts";
import { virtualClock } from "../../test/support/fakes/virtual-clock.ts";
import { outside, sealerOf } from "../fleet.ts";
import { type Handler, simulatedLambda } from "./lambda.ts";

export interface BrokerLimits {
  readonly rateLimit: number;
  readonly burstLimit: number;
  readonly concurrency: number;
  readonly leaseSeconds?: number;
}

/** After this time the broker gives up a login. */
const hangsForMs = 8_000;

export function simulatedBroker({ rateLimit, burstLimit, concurrency, leaseSeconds = 900 }: BrokerLimits) {
  const clock = virtualClock();
  const { counts, table, looker } = outside(undefined, clock);
  const secret = { clientId: "client", clientSecret: "secret", versionId: "v1" };
  const secrets = () => fakeSecrets(clock, new Map([["looker/sales", secret]]));
  const weather = { hangs: false };
  const unwell = {
    ...looker,
    async login(...asked: Parameters<typeof looker.login>): Promise<LoginOutcome> {
      if (!weather.hangs) return looker.login(...asked);
      counts.login++;
      await clock.sleep(hangsForMs);
      return { kind: "unknown", reason: "timeout" };
    },
  };
  const scopes = parseScopes({
    sales: {
      ...{ operators: ["arn:aws:iam::111122223333:role/operator"] },
      ...{ lookerUrl: "https://looker.example", secret: { secretName: "looker/sales" }, leaseSeconds },
      ...{ callers: ["arn:aws:iam::111122223333:role/service*"], sessionMintsPerTenMinutes: 600 },
    },
  });
  const written: LogLine[] = [];
  const secretReaders: ReturnType<typeof secrets>[] = [];
  const instance = (): Handler<ProxyResult> => {
    const ownSecrets = secrets();
    secretReaders.push(ownSecrets);
    const shared = { clock, ids: randomIds, table, looker: unwell };
    const ports = { ...shared, secrets: ownSecrets, sealer: sealerOf(counts, clock) };
    const handler = apiHandler({
      ...{ apiId, stage, scopes },
      routes: { [`POST ${resources.token}`]: { verb: "token", lock: "callers", handle: postToken(ports) } },
      audit: { broker: "bench/Broker", now: clock.now, write: (line) => void written.push(line) },
    });
    return (event) => handler(event, {});
  };
  const lambda = simulatedLambda(clock, concurrency, instance);
  const throttle = createThrottle({ ratePerSecond: rateLimit, burst: burstLimit }, new Date(clock.now()));
  /** By status and code: `200`, `429`, `503 busy`, and `503` of API Gateway's own. */
  const answers = new Map<string, number>();

  /** The `fetch` of a caller's processes. */
  const fetchAs =
    (caller: string): typeof fetch =>
    async (_, init) => {
      const answer = throttle.admit(new Date(clock.now()))
        ? ((await lambda.invoke(tokenEvent(caller, init?.body))) ?? gatewaysOwn(503))
        : gatewaysOwn(429);
      const { statusCode, headers, body } = answer;
      const code = statusCode === 200 ? undefined : (JSON.parse(body) as { code?: string }).code;
      const kind = code === undefined ? String(statusCode) : `${statusCode} ${code}`;
      answers.set(kind, (answers.get(kind) ?? 0) + 1);
      return new Response(body, { status: statusCode, headers: headers as Record<string, string> });
    };

  return { clock, counts, table, looker, weather, answers, written, secretReaders, lambda, fetchAs };
}

export type SimulatedBroker = ReturnType<typeof simulatedBroker>;

const tokenEvent = (caller: string, body: unknown) =>
  apiEvent({
    identity: roleIdentity(caller, { uniqueId: `AROA${caller.toUpperCase().padStart(17, "0")}` }),
    ...(typeof body === "string" && { body }),
  });

/** As infra/broker-api.ts has it. */
const gatewaysOwn = (statusCode: 429 | 503) => ({
  statusCode,
  headers: {
    "Retry-After": "1",
    "x-amzn-requestid": "11111111-2222-3333-4444-555555555555",
    "x-amzn-ErrorType": statusCode === 429 ? "TooManyRequestsException" : "InternalServerErrorException",
  },
  body: JSON.stringify({ message: "Too Many Requests" }),
});
