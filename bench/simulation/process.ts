/** Processes with the published client, under the broker's virtual clock. */
import { TokenBrokerClient } from "../../client/src/token/token-broker-client.ts";
import { type Clock, clockKey } from "../../client/src/waiting/clock.ts";
import type { SimulatedBroker } from "./broker.ts";

const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "signing-key-of-the-bench" };

/** Park and Miller's: the same run each time. */
export function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

export function processOf(
  broker: SimulatedBroker,
  caller: string,
  random: () => number,
  session?: string,
): TokenBrokerClient {
  const { clock } = broker;
  const clientClock: Clock = {
    now: clock.now,
    monotonic: clock.now,
    async sleep(milliseconds, signal) {
      signal.throwIfAborted();
      await clock.sleep(Math.ceil(milliseconds));
      signal.throwIfAborted();
    },
    random,
  };
  return new TokenBrokerClient({
    ...{ endpoint: "https://broker.example/v1", region: "eu-west-1", scope: "sales" },
    ...{ credentials, fetch: broker.fetchAs(caller) },
    ...(session !== undefined && { session }),
    ...{ [clockKey]: clientClock },
  });
}
