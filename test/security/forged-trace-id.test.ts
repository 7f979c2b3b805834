/** API Gateway and Lambda keep the caller's trace id. A caller can send the trace id of somebody else's request. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { inMemoryApi } from "../support/fakes/in-memory-api.ts";

const variable = "_X_AMZN_TRACE_ID";
let before: string | undefined;
beforeEach(() => {
  before = process.env[variable];
});
afterEach(() => {
  if (before === undefined) delete process.env[variable];
  else process.env[variable] = before;
});

const somebodyElses = "1-5759e988-bd862e3fe1be46a994272793";

describe("a trace id of the caller's choice", () => {
  it("is on record under a name that says whose word it is, and nowhere else", async () => {
    process.env[variable] = `Root=${somebodyElses};Parent=53995c3f42cd8ad8;Sampled=1`;
    const { lines, token } = inMemoryApi();
    await token();
    const [{ unverified_trace_id, ...others } = {} as (typeof lines)[number]] = lines;
    expect(unverified_trace_id).toBe(somebodyElses);
    expect(others).not.toHaveProperty("trace_id");
    expect(JSON.stringify(others)).not.toContain(somebodyElses);
    expect(others.request_id).toBe("11111111-2222-3333-4444-555555555555");
  });

  it.each([
    ["text", "Root=somebody"],
    ["a line of its own", `Root=${somebodyElses}\n{"kind":"audit"}`],
    ["more digits", `Root=${somebodyElses}00`],
    ["a secret", "Root=client-secret-pasted-by-mistake"],
    ["nothing", ""],
  ])("is left out where it has not the form of one: %s", async (_, sent) => {
    process.env[variable] = sent;
    const { lines, token } = inMemoryApi();
    await token();
    expect(lines[0]).toMatchObject({ code: "ok" });
    expect(lines[0]).not.toHaveProperty("unverified_trace_id");
  });
});
