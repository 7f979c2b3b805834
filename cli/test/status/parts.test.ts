import { setTimeout as sleep } from "node:timers/promises";
import { TokenBrokerError } from "@looker-token-broker/client/broker";
import { expect, test } from "vitest";
import { exitCodes } from "../../src/exit-codes.ts";
import { part } from "../../src/status/parts.ts";

const stopped = new AbortController();
/** A question without an answer. */
const silence = async (until: AbortSignal) => {
  await sleep(60_000, undefined, { signal: until });
  return { findings: [], unseen: [] };
};

test("a part without an answer is given up and named, so that it hides no other part", async () => {
  expect(await part("alarms", stopped.signal, silence, 1_000)).toEqual({
    findings: [],
    unseen: [
      {
        what: "alarms",
        code: "timed_out",
        message: "There was no answer within 1s.",
        exitCode: exitCodes.unavailable,
      },
    ],
  });
});

test("Ctrl-C ends the command, and not this part alone", async () => {
  const controller = new AbortController();
  const asked = part("alarms", controller.signal, async (until) => {
    controller.abort();
    expect(until.aborted).toBe(true);
    throw new TokenBrokerError("aborted", "Stopped.");
  });
  await expect(asked).rejects.toMatchObject({ code: "aborted" });
});
