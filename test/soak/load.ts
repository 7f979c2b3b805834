/**
 * A steady, mixed load. Services fetch tokens and use them. Sessions begin and end. An operator lists, revokes and freezes.
 * Looker comes and goes, and instances are killed.
 */
import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Fault } from "../../local/looker/faults.ts";
import type { LocalPrincipal } from "../../local/principals.ts";
import { signedFetch } from "../support/signed-fetch.ts";
import type { Answered, Answers, Circumstances } from "./answers.ts";
import type { RemoteBroker } from "./remote-broker.ts";

export interface Load {
  /** Ends all of it, and waits for the requests under way. */
  stop(): Promise<void>;
  /** The number of sessions. Each leaves one row. */
  sessions(): number;
  kills(): number;
  /** Tokens with a confirmed revocation and a good answer of Looker after it. */
  usedAfterRevocation(): readonly string[];
}

const scopeNames = ["sales", "finance"] as const;
/** A killed instance may hold a login's lock for 15 s. Those who wait for it are told to come again 3 s later. */
const aftermathMs = 25_000;

const weathers: readonly (readonly Fault[])[] = [
  [{ route: "all", kind: "status", status: 503 }],
  [{ route: "login", kind: "hang" }],
  [{ route: "logout", kind: "hang" }],
  [{ route: "all", kind: "delay", delayMs: 1_500 }],
  [{ route: "login", kind: "status", status: 429, retryAfter: "5" }],
  [{ route: "all", kind: "reset" }],
];

export function startLoad(broker: RemoteBroker, answers: Answers): Load {
  const ending = new AbortController();
  const until = { weather: 0, killed: 0, frozen: 0, revoked: 0 };
  /** By service. */
  const lastTokens = new Map<string, unknown>();
  const count = { sessions: 0, kills: 0 };
  const usedAfterRevocation: string[] = [];
  const running: Promise<void>[] = [];

  const circumstances = (sentAt: number): Circumstances => ({
    weather: until.weather > sentAt,
    killed: until.killed > sentAt,
    frozen: until.frozen > sentAt,
    revoked: until.revoked > sentAt,
  });
  const note = (answered: Answered, sentAt: number, requestId?: unknown) =>
    answers.add(answered, circumstances(sentAt), String(requestId ?? ""));

  const call = async (principal: LocalPrincipal, method: string, path: string, body?: object) => {
    const sentAt = Date.now();
    const response = await signedFetch(`${broker.endpoint}${path}`, {
      method,
      credentials: principal,
      region: broker.region,
      ...(body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
    });
    const json = (await response.json().catch(() => ({}))) as Record<string, unknown>;
    const { status } = response;
    const code = typeof json.code === "string" ? json.code : undefined;
    note({ by: "broker", status, ...(code === undefined ? {} : { code }) }, sentAt, json.request_id);
    return { status, json };
  };

  const useAtLooker = async (token: unknown): Promise<number> => {
    const sentAt = Date.now();
    const headers = { authorization: `Bearer ${String(token)}` };
    try {
      const response = await fetch(`${broker.lookerUrl}/api/4.0/user`, { headers });
      await response.arrayBuffer();
      return response.status;
    } catch {
      // Looker reset the connection, as it does in one of its weathers.
      note({ by: "looker", status: 0 }, sentAt);
      return 0;
    }
  };

  /** Repeats the step until the load is stopped. A pause between two steps is `pauseMs` long. */
  const repeat = (pauseMs: number, step: (round: number) => Promise<void>) =>
    running.push(
      (async () => {
        await pause(Math.random() * pauseMs);
        for (let round = 0; !ending.signal.aborted; round += 1) {
          await step(round);
          await pause(pauseMs);
        }
      })(),
    );
  const pause = (ms: number) => sleep(ms, undefined, { signal: ending.signal }).catch(() => {});

  const named = (name: string) => {
    const principal = broker.principals.find((each) => each.name === name);
    if (!principal) throw new Error(`No local principal ${name}.`);
    return principal;
  };
  const operator = named("platform-engineer");

  for (const scope of scopeNames)
    for (let index = 0; index < 10; index += 1) {
      const service = named(`${scope}-service-${index}`);
      let stale: unknown;
      repeat(400, async () => {
        const body = stale === undefined ? {} : { stale_lease_id: stale };
        const sentAt = Date.now();
        const { status, json } = await call(service, "POST", `/scopes/${scope}/token`, body);
        if (status !== 200) return;
        lastTokens.set(service.name, json.access_token);
        const isDead = (await useAtLooker(json.access_token)) === 401;
        if (isDead) note({ by: "looker", status: 401 }, sentAt, json.lease_id);
        // The service asks for another token, as the client does.
        stale = isDead ? json.lease_id : undefined;
      });
    }

  for (const [index, scope] of scopeNames.entries())
    repeat(3_000, async (round) => {
      const service = named(`${scope}-service-${(round + index) % 10}`);
      const session = `job-${createHash("sha256").update(`${scope}${round}`).digest("hex").slice(0, 12)}`;
      count.sessions += 1;
      const { status, json } = await call(service, "POST", `/scopes/${scope}/token`, { session });
      if (status !== 200) return;
      await useAtLooker(json.access_token);
      const ended = await call(service, "POST", `/scopes/${scope}/logout`, { session });
      if (ended.status !== 200) return;
      if ((await useAtLooker(json.access_token)) === 200) usedAfterRevocation.push(`${scope} ${session}`);
    });

  /** Ends leases of services, and uses their last tokens once Looker has confirmed all ends. */
  const endLeases = async (services: readonly string[], end: () => ReturnType<typeof call>) => {
    const before = services.flatMap((name) => lastTokens.get(name) ?? []);
    const { status } = await end();
    if (status !== 200) return;
    for (const token of before)
      if ((await useAtLooker(token)) === 200) usedAfterRevocation.push(`one of ${services.join(", ")}`);
  };

  repeat(20_000, async (round) => {
    const scope = scopeNames[round % 2] ?? "sales";
    const name = `${scope}-service-${round % 10}`;
    const path = `/scopes/${scope}/leases`;
    await call(operator, "GET", path);
    until.revoked = Number.POSITIVE_INFINITY;
    const caller = encodeURIComponent(named(name).callerArn);
    await endLeases([name], () => call(operator, "DELETE", `${path}?caller=${caller}`));
    until.revoked = Date.now();
  });

  repeat(110_000, async (round) => {
    const scope = scopeNames[round % 2] ?? "sales";
    until.frozen = Number.POSITIVE_INFINITY;
    const services = Array.from({ length: 10 }, (_, index) => `${scope}-service-${index}`);
    const body = { reason: "soak" };
    await endLeases(services, () => call(operator, "PUT", `/scopes/${scope}/freeze`, body));
    await pause(3_000);
    while ((await call(operator, "DELETE", `/scopes/${scope}/freeze`)).status !== 200) await sleep(500);
    until.frozen = Date.now() + aftermathMs;
  });

  repeat(90_000, async (round) => {
    until.weather = Number.POSITIVE_INFINITY;
    await broker.ask("weather", weathers[round % weathers.length] ?? []);
    await pause(8_000);
    await broker.ask("weather", []);
    // The broker waits with new logins for a while after Looker has been away.
    until.weather = Date.now() + 30_000;
  });

  repeat(45_000, async () => {
    until.killed = Number.POSITIVE_INFINITY;
    if (await broker.ask("kill", Math.random())) count.kills += 1;
    until.killed = Date.now() + aftermathMs;
  });

  return {
    async stop() {
      ending.abort();
      await Promise.all(running);
    },
    sessions: () => count.sessions,
    kills: () => count.kills,
    usedAfterRevocation: () => usedAfterRevocation,
  };
}
