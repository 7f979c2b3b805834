/** Credentials of another caller: the former caller's token must not be served. */
import { afterEach, expect, it } from "vitest";
import { gatewayReply, tokenReply } from "../../test/support/broker-replies.ts";
import { failure } from "../../test/support/failure.ts";
import type { Answering } from "../../test/support/fake-server.ts";
import type { AwsCredentials } from "../src/broker/aws-credentials.ts";
import { answerTaken, clientStand, gate, stopStands, until, untilServed } from "./stand.ts";

afterEach(stopStands);

/** Each access key's own lease. */
const leaseOfEachKey: Answering = ({ headers }) =>
  tokenReply(`lease-of-${/Credential=(\w+)/.exec(headers.authorization ?? "")?.[1]}`);

const keysOf = (name: string, expiration?: Date) => ({ accessKeyId: name, secretAccessKey: "s", expiration });

it("an object with another key in it gets that caller's token at once", async () => {
  const { another, broker } = await clientStand(leaseOfEachKey);
  const credentials: { accessKeyId: string; secretAccessKey: string } = keysOf("ALICE");
  const client = another({ credentials });
  expect((await client.token()).leaseId).toBe("lease-of-ALICE");
  credentials.accessKeyId = "BOB";
  expect(client.hasToken).toBe(false);
  expect((await client.token()).leaseId).toBe("lease-of-BOB");
  expect((await client.token()).leaseId).toBe("lease-of-BOB");
  expect(broker.asked.length).toBe(2);
});

it("an object with another key in it gets no token of before while the broker is away", async () => {
  const { another, broker } = await clientStand(leaseOfEachKey);
  const credentials: { accessKeyId: string; secretAccessKey: string } = keysOf("ALICE");
  const client = another({ credentials });
  await client.token();
  broker.answering = () => "drop";
  credentials.accessKeyId = "BOB";
  expect((await failure(client.token())).code).toBe("unreachable");
});

it("a provider with another key is noticed within a second, and makes no call wait", async () => {
  const { another, clock } = await clientStand(leaseOfEachKey);
  let current: AwsCredentials = keysOf("ALICE");
  let asked = 0;
  const client = another({
    credentials: async () => {
      asked++;
      return current;
    },
  });
  await client.token();
  current = keysOf("BOB");
  for (let calls = 0; calls < 50; calls++) expect((await client.token()).leaseId).toBe("lease-of-ALICE");
  expect(asked).toBe(1);
  clock.advance(1_000);
  await untilServed(client, "lease-of-BOB");
  expect(asked).toBe(3);
});

it("a hung or failed provider leaves the token in use", async () => {
  const { another, clock } = await clientStand(leaseOfEachKey);
  let answer: () => Promise<AwsCredentials> = async () => keysOf("ALICE");
  const client = another({ credentials: () => answer() });
  await client.token();
  for (const trouble of [() => Promise.reject(new Error("away")), () => new Promise<never>(() => {})]) {
    answer = trouble;
    clock.advance(1_000);
    await client.token();
    await answerTaken();
    expect((await client.token()).leaseId).toBe("lease-of-ALICE");
  }
});

it("a hung look is given up after five seconds, and another one notices the other key", async () => {
  const { another, clock } = await clientStand(leaseOfEachKey);
  const hung = gate<AwsCredentials>();
  const signals: (AbortSignal | undefined)[] = [];
  let answer: () => Promise<AwsCredentials> = async () => keysOf("ALICE");
  const client = another({
    credentials: (options) => {
      signals.push(options?.signal);
      return answer();
    },
  });
  await client.token();
  answer = () => hung.opened;
  clock.advance(1_000);
  await client.token();
  answer = async () => keysOf("BOB");
  clock.advance(4_999);
  await client.token();
  expect([signals.length, signals[1]?.aborted]).toEqual([2, false]);
  clock.advance(1);
  await untilServed(client, "lease-of-BOB");
  expect(signals[1]?.aborted).toBe(true);
  hung.open(keysOf("ALICE"));
  await answerTaken();
  expect((await client.token()).leaseId).toBe("lease-of-BOB");
});

it("a renewed key with an expiration, as of each hour, costs no request and no token", async () => {
  const { another, clock, broker } = await clientStand(leaseOfEachKey);
  let asked = 0;
  const client = another({
    credentials: async () => keysOf(`HOUR${++asked}`, new Date(clock.now() + 3_600_000)),
  });
  await client.token();
  clock.advance(300_000);
  expect((await client.token()).leaseId).toBe("lease-of-HOUR1");
  expect([broker.asked.length, asked]).toEqual([1, 1]);
});

it("a renewed key without IAM's permission ends the use of the former key's token", async () => {
  const { another, clock, broker } = await clientStand(leaseOfEachKey);
  let current = keysOf("ALICE", new Date(clock.now() + 3_600_000));
  const client = another({ credentials: async () => current });
  await client.token();
  current = keysOf("MALLORY", new Date(clock.now() + 3_600_000));
  broker.answering = () => gatewayReply(403, "AccessDeniedException", "not authorized to perform");
  clock.advance(750_000);
  await client.token();
  await until(() => !client.hasToken);
  expect((await failure(client.token())).code).toBe("access_denied");
});
