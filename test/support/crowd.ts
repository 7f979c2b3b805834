/** What the races need beside a stand: clients that retry as they are told, callers by the dozen, and the rows themselves. */
import { createHash } from "node:crypto";
import http from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { DynamoDBClient, ScanCommand } from "@aws-sdk/client-dynamodb";
import { KMSClient } from "@aws-sdk/client-kms";
import { unmarshall } from "@aws-sdk/util-dynamodb";
import { expect } from "vitest";
import { kmsSealer } from "../../functions/adapters/kms-sealer.ts";
import { type Item, readCallerKey, readSlot } from "../../functions/adapters/rows.ts";
import { environment } from "../../functions/contract.ts";
import type { Slot } from "../../functions/domain/slot.ts";
import { sealIdentity } from "../../functions/use-cases/ports.ts";
import { ENGINE_CREDENTIAL } from "../../local/aws/engine.ts";
import type { SandboxKind } from "../../local/lambda/sandbox.ts";
import type { LedgerEntry } from "../../local/looker/ledger.ts";
import type { RunningLooker } from "../../local/looker/server.ts";
import { type Answer, auditLines, type Caller, callerOf, type Stand, startStand } from "./broker-stand.ts";

// Client and gateway share a loop that a crowd keeps busy for seconds: a kept connection may be closed under a request.
http.globalAgent = new http.Agent({ keepAlive: false });

export interface RaceStand extends Stand {
  readonly looker: RunningLooker;
}

/** Twenty instances of each function. */
export async function raceStand(instances: SandboxKind): Promise<RaceStand> {
  const stand = await startStand({ maxInstances: 20, instances });
  const { looker } = stand.broker;
  if (!looker) throw new Error("The stand-in Looker is not there.");
  return { ...stand, looker };
}

export const events = ({ looker }: RaceStand, event: LedgerEntry["event"]): LedgerEntry[] =>
  looker.ledger().filter((entry) => entry.event === event);

export interface Retried {
  /** The last one: not to be repeated, unless there was no time left. */
  readonly answer: Answer;
  /** What came before it. */
  readonly refused: readonly Answer[];
}

/**
 * All of them in the gateway within half a second, long before a cold instance has begun; not in one burst, as what a
 * listening socket's backlog (511) does not hold is reset.
 */
export async function crowd<T>(count: number, ask: (index: number) => Promise<T>): Promise<T[]> {
  return await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      await sleep(Math.floor(index / 200) * 100);
      return await ask(index);
    }),
  );
}

/** A client as it should be: waits as long as Retry-After says, and asks again. */
export async function untilAnswered(
  ask: () => Promise<Answer>,
  { seconds = 40 }: { seconds?: number } = {},
): Promise<Retried> {
  const refused: Answer[] = [];
  const until = Date.now() + seconds * 1_000;
  for (;;) {
    const answer = await ask();
    // 504 is API Gateway's own: on a slow machine a request may wait in vain for an instance.
    if (![429, 503, 504].includes(answer.status) || Date.now() > until) return { answer, refused };
    refused.push(answer);
    await sleep(Number(answer.headers["retry-after"] ?? 1) * 1_000);
  }
}

/**
 * A caller whose every request comes from the next of `count` unique ids: a role's successors all have its name, so the
 * scope's list allows each of them, and each is a caller of its own.
 */
export function manyCallers(stand: Stand, name: string, count: number): Caller {
  const caller = callerOf(stand, name);
  const [, session = ""] = caller.principal.caller.split(":");
  let next = 0;
  // The gateway reads the principal once for each request.
  Object.defineProperty(caller.principal, "caller", {
    enumerable: true,
    get: () =>
      `AROA${name.replaceAll("-", "").toUpperCase()}X${String(next++ % count).padStart(4, "0")}:${session}`,
  });
  return caller;
}

export interface HeldToken {
  readonly scope: string;
  readonly uniqueId: string;
  readonly leaseId: string;
  readonly where: "lease" | "superseded" | "outbox";
}

export interface HeldRows {
  readonly slots: readonly { readonly scope: string; readonly uniqueId: string; readonly slot: Slot }[];
  /** Every token in any slot, by its SHA-256 as in Looker's ledger. */
  readonly tokens: ReadonlyMap<string, HeldToken>;
}

/** The table as it is, past the AWS proxy, with every sealed token opened. */
export async function heldRows({ broker }: Stand): Promise<HeldRows> {
  const { engines, region, tableName, stack } = broker;
  const client = { region, credentials: ENGINE_CREDENTIAL };
  const dynamodb = new DynamoDBClient({ ...client, endpoint: engines.urls.dynamodb });
  const kms = new KMSClient({ ...client, endpoint: engines.urls.kms });
  try {
    const { Items = [] } = await dynamodb.send(
      new ScanCommand({ TableName: tableName, ConsistentRead: true }),
    );
    const rows = Items.map((item) => unmarshall(item) as Item);
    const keyArn = stack.functions[0]?.environment[environment.sealingKeyArn] ?? "";
    const sealer = kmsSealer(kms, { keyArn, tableName });
    const slots = rows.flatMap((item) => {
      const key = readCallerKey(item);
      const scope = String(item.pk).split("#")[1] ?? "";
      return key ? [{ scope, ...key, slot: readSlot(item) }] : [];
    });
    const tokens = new Map<string, HeldToken>();
    for (const { scope, account, uniqueId, slot } of slots) {
      const held = [
        ...(slot.lease ? [["lease", slot.lease] as const] : []),
        ...slot.superseded.map((token) => ["superseded", token] as const),
        ...slot.outbox.map((token) => ["outbox", token] as const),
      ];
      for (const [where, token] of held) {
        const { leaseId, sealed } = token;
        const context = sealIdentity({ scope, account, uniqueId }, token);
        tokens.set(sha256(await sealer.unseal(sealed, context)), { scope, uniqueId, leaseId, where });
      }
    }
    return { slots, tokens };
  } finally {
    dynamodb.destroy();
    kms.destroy();
  }
}

export const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

/** SHA-256s of tokens that work at Looker and that no slot holds. */
export async function lostTokens(stand: RaceStand): Promise<string[]> {
  const { tokens } = await heldRows(stand);
  return stand.looker.liveTokens().flatMap(({ sha256: each }) => (tokens.has(each) ? [] : [each]));
}

/** Sum of a counter in the audit lines so far. */
export const counted = ({ broker }: Stand, field: string): number =>
  auditLines(broker).reduce((sum, line) => sum + Number(line[field] ?? 0), 0);

export async function until(
  look: () => boolean | Promise<boolean>,
  what: string,
  seconds = 10,
): Promise<void> {
  for (const end = Date.now() + seconds * 1_000; Date.now() < end; await sleep(25)) if (await look()) return;
  throw new Error(`Not seen within ${seconds} seconds: ${what}.`);
}

/** Until that many requests to `path` wait in Looker's hold. */
export const untilHeld = ({ looker }: RaceStand, path: string, count = 1): Promise<void> =>
  until(
    () =>
      looker.control.inFlight().filter((each) => each.path === path && each.fault === "hold").length >= count,
    `${count} held ${path}`,
  );

/** Kills all instances of a function that are at work. */
export async function killBusy({ broker }: Stand, functionId: string): Promise<number> {
  const busy = broker.instances(functionId).filter((each) => each.busy);
  await Promise.all(busy.map(({ number }) => broker.kill(functionId, number)));
  return busy.length;
}

/** The id, in the template, of the function behind a route. */
export function functionBehind({ broker }: Stand, method: string, resource: string): string {
  const route = broker.stack.routes.find((each) => each.method === method && each.resource === resource);
  if (!route) throw new Error(`No route ${method} ${resource}.`);
  return route.functionId;
}

/** How long an answer took. */
export async function timed<T>(work: () => Promise<T>): Promise<{ result: T; ms: number }> {
  const began = Date.now();
  return { result: await work(), ms: Date.now() - began };
}

export interface Listed {
  lease_id: string | null;
  state: string;
  unique_id: string;
}

export async function listing(operator: Caller, scope: string): Promise<Listed[]> {
  const answer = await operator.send("GET", `/scopes/${scope}/leases`);
  expect(answer.status).toBe(200);
  return answer.json.leases;
}
