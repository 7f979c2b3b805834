/** A hostile broker names a Looker address. `whose` puts it into a line for a shell. */
import { expect, test } from "vitest";
import { FakeBroker } from "../../support/cli/fake-broker.ts";

function answering(broker: FakeBroker, address: string): void {
  const scopes = [{ scope: "sales", base_url: address, lease_seconds: 900, may: ["operate"] }];
  broker.instead = ({ path }) =>
    path.endsWith("/scopes") ? { status: 200, body: { caller: { arn: "arn" }, scopes } } : undefined;
}

async function whose(broker: FakeBroker) {
  const running = broker.cli.talkTo([], "whose");
  running.child.stdin?.end("nobody-has-this-token-at-all");
  return await running.ended;
}

test.each([
  "https://l.example$(touch taken)",
  "https://l.example;touch",
  "https://l.example/`touch taken`",
  "https://l.example --next",
  "https://l.example\nnext",
  "javascript:alert(1)",
])("%j gets into no line for a shell", async (address) => {
  const broker = await FakeBroker.start();
  answering(broker, address);
  const { exitCode, out } = await whose(broker);
  expect(exitCode).toBe(0);
  expect(out).toContain("who-got-this-token");
  expect(out).not.toMatch(/touch|next|javascript/);
});

test("the address of a Looker with a port stays", async () => {
  const broker = await FakeBroker.start();
  answering(broker, "https://l.example:19999");
  expect((await whose(broker)).out).toContain("-H @- https://l.example:19999/api/4.0/logout");
});
