/** The list of situations and outcomes that the clients for Node and Python share. The list explains its fields. */
import { readFileSync } from "node:fs";
import { afterEach, describe, expect, it } from "vitest";
import { tokenReply } from "../../test/support/broker-replies.ts";
import type { Answering, Reply } from "../../test/support/fake-server.ts";
import type { TokenBrokerClient } from "../src/token/token-broker-client.ts";
import { answerTaken, type ClientStand, clientStand, stopStands, until } from "./stand.ts";

type Json = Readonly<Record<string, unknown>>;

type ScriptedAnswer =
  | "drop"
  | (Partial<Reply> & {
      lease?: string;
      expires_in?: number;
      clock_moves_seconds?: number;
      wall_clock_moves_seconds?: number;
    });

interface Situation {
  readonly name: string;
  readonly answers: readonly ScriptedAnswer[];
  readonly steps: readonly Json[];
  readonly session?: string;
  readonly chance?: number;
  readonly requests?: number;
  readonly asked?: readonly unknown[];
  readonly slept_seconds?: readonly number[];
}

const list = new URL("../../test/support/client-situations.json", import.meta.url);
const { situations } = JSON.parse(readFileSync(list, "utf8")) as { situations: Situation[] };

afterEach(stopStands);

describe("a situation that both clients share", () => {
  it.each(situations)("$name", async (situation) => {
    const { name, answers, steps, session, chance, requests, asked, slept_seconds, ...unknown } = situation;
    expect([name === "", unknown]).toEqual([false, {}]);
    const stand = await clientStand();
    stand.broker.answering = scripted(answers, stand);
    if (chance !== undefined) stand.clock.chance = chance;
    const client = stand.another({ session });
    for (const step of steps) await play(step, stand, client);
    if (requests !== undefined) expect(stand.broker.asked.length).toBe(requests);
    if (asked)
      expect(stand.broker.asked.map(({ text }) => (text === "" ? null : JSON.parse(text)))).toEqual(asked);
    if (slept_seconds)
      expect(stand.clock.slept).toEqual(slept_seconds.map((each) => expect.closeTo(each * 1_000, 3)));
  });
});

function scripted(answers: readonly ScriptedAnswer[], { clock, broker }: ClientStand): Answering {
  return () => {
    const answer = answers[Math.min(broker.asked.length, answers.length) - 1];
    if (answer === undefined) throw new Error("A situation has at least one answer.");
    if (answer === "drop") return answer;
    const { lease, expires_in, clock_moves_seconds = 0, wall_clock_moves_seconds = 0, ...reply } = answer;
    clock.advance(clock_moves_seconds * 1_000);
    clock.wallMs += wall_clock_moves_seconds * 1_000;
    return lease === undefined ? (reply as Reply) : tokenReply(lease, expires_in);
  };
}

async function play(step: Json, { clock, broker }: ClientStand, client: TokenBrokerClient): Promise<void> {
  const { call, advance_seconds, advance_wall_clock_seconds, background_requests, ...rest } = step;
  if (typeof advance_seconds === "number") clock.advance(advance_seconds * 1_000);
  else if (typeof advance_wall_clock_seconds === "number") clock.wallMs += advance_wall_clock_seconds * 1_000;
  else if (typeof background_requests === "number") {
    await until(() => broker.asked.length === background_requests);
    await answerTaken();
  } else {
    const { together = 1, min_ttl_seconds, refused = [], lease_id, ...outcome } = rest;
    const calls: Record<string, () => Promise<unknown>> = {
      token: async () => ({
        lease: (await client.token({ minTtlSeconds: min_ttl_seconds as number })).leaseId,
      }),
      with_token: () => askLooker(client, refused as string[]),
      logout: async () => ({ gives: await client.logout({ leaseId: lease_id as string }) }),
    };
    const make = calls[String(call)] ?? expect.fail(`There is no call ${call}.`);
    const outcomes = await Promise.all(Array.from({ length: together as number }, () => make().catch(told)));
    for (const each of outcomes) expect(each).toEqual(expected(outcome));
    return;
  }
  expect(rest).toEqual({});
}

async function askLooker(client: TokenBrokerClient, refused: readonly string[]): Promise<object> {
  const used = await client.withToken(({ leaseId }) =>
    refused.includes(leaseId) ? { status: 401, headers: {} } : { status: 200, headers: {}, leaseId },
  );
  return used.status === 401 ? { refused_in_the_end: true } : { lease: used.leaseId };
}

const told = ({
  code,
  message,
  retryable,
  status,
  requestId,
  retryAfterSeconds,
}: Record<string, unknown>) => ({
  fails: { code, message, retryable, status, request_id: requestId, retry_after_seconds: retryAfterSeconds },
});

const expected = ({ fails, ...outcome }: Json) => {
  if (typeof fails !== "object" || fails === null) return outcome;
  const { message, ...fields } = fails as { message: string };
  return { fails: expect.objectContaining({ ...fields, message: expect.stringMatching(`^${message}`) }) };
};
