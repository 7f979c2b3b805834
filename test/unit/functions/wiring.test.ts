import { expect, it } from "vitest";
import { withOwnConnections } from "../../../functions/wiring.ts";

/** What happens, in order. */
function watched() {
  const events: string[] = [];
  return { events, looker: { disconnect: () => void events.push("disconnect") } };
}

it("an invocation begins and ends without connections to Looker, and is handed on as it came", async () => {
  const { events, looker } = watched();
  const handler = withOwnConnections({ looker }, async (event: string, context: number) => {
    events.push("handle");
    return [event, context];
  });
  expect(await handler("event", 7)).toEqual(["event", 7]);
  expect(events).toEqual(["disconnect", "handle", "disconnect"]);
});

it("one that fails leaves none behind either", async () => {
  const { events, looker } = watched();
  const handler = withOwnConnections({ looker }, async () => {
    throw new Error("failed");
  });
  await expect(handler()).rejects.toThrow("failed");
  expect(events).toEqual(["disconnect", "disconnect"]);
});

it("what it left at work when it was answered for does not lend its connections to the next", async () => {
  const { events, looker } = watched();
  const handler = withOwnConnections({ looker }, async () => void events.push("handle"));
  await handler();
  events.push("left at work");
  await handler();
  expect(events).toEqual([
    "disconnect",
    "handle",
    "disconnect",
    "left at work",
    "disconnect",
    "handle",
    "disconnect",
  ]);
});
