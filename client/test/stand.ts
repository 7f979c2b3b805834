/** A client on a fake broker, with a clock of the test's own. */

import { tokenReply } from "../../test/support/broker-replies.ts";
import { type Answering, type Asked, FakeServer } from "../../test/support/fake-server.ts";
import { TokenBrokerClient, type TokenBrokerClientOptions } from "../src/token/token-broker-client.ts";
import { type Clock, clockKey } from "../src/waiting/clock.ts";
import { TestClock } from "./test-clock.ts";

export const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "signing-key-of-the-test" };

type StandOptions = Partial<TokenBrokerClientOptions> & { clock?: Clock };

export interface ClientStand {
  readonly broker: FakeServer;
  readonly clock: TestClock;
  readonly client: TokenBrokerClient;
  /** Another process. */
  another(options?: StandOptions): TokenBrokerClient;
  /** Bodies of the token requests so far. */
  asked(): object[];
}

const running: FakeServer[] = [];

export async function clientStand(answering: Answering = newLeases()): Promise<ClientStand> {
  const broker = await FakeServer.start(answering);
  running.push(broker);
  const clock = new TestClock();
  const another = ({ clock: own = clock, ...options }: StandOptions = {}) =>
    new TokenBrokerClient({
      endpoint: `${broker.url}/v1`,
      scope: "sales",
      region: "eu-west-1",
      credentials,
      ...options,
      ...{ [clockKey]: own },
    });
  const asked = () => broker.asked.filter(isTokenRequest).map(({ text }) => JSON.parse(text));
  return { broker, clock, client: another(), another, asked };
}

/** For afterEach. */
export async function stopStands(): Promise<void> {
  await Promise.all(running.splice(0).map((each) => each.stop()));
}

const isTokenRequest = ({ path }: Asked) => path.endsWith("/token");

/** A new lease at each request: lease-1, lease-2, … */
export function newLeases(expiresIn = 900): Answering {
  let leases = 0;
  return ({ path }) =>
    path.endsWith("/logout")
      ? { status: 200, body: { revoked: 1, pending: 0 } }
      : tokenReply(`lease-${++leases}`, expiresIn);
}

/** Something that a test lets happen. */
export function gate<T = void>() {
  let open: (value: T) => void = () => {};
  const opened = new Promise<T>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

/** Until it holds: for what happens in the background. */
export async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; !holds(); tries++) {
    if (tries > 500) throw new Error("It has not come about within five seconds.");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Until the client has got the answer that its broker has sent already. */
export const answerTaken = () => new Promise((resolve) => setTimeout(resolve, 100));

/** Until the background has brought it. */
export async function untilServed(client: TokenBrokerClient, leaseId: string): Promise<void> {
  let served: string | undefined;
  await until(() => {
    void client.token().then((token) => {
      served = token.leaseId;
    });
    return served === leaseId;
  });
}
