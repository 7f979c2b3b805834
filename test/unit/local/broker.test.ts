import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { callerOf, leaksIn, lookerSdk, startStand } from "../../support/broker-stand.ts";

// The SDK writes a console.debug on each request that takes this for a problem with TLS.
beforeEach(() => void vi.spyOn(console, "debug").mockImplementation(() => {}));
afterEach(() => void vi.restoreAllMocks());

test("the whole broker gives a token that Looker takes, and a logout after which Looker refuses it", async () => {
  const stand = await startStand();
  try {
    const caller = callerOf(stand, "report-service");
    const issued = await caller.token("sales");
    expect(issued.status).toBe(200);
    const sdk = lookerSdk(issued.json.base_url, issued.json.access_token);
    expect(await sdk.ok(sdk.me())).toMatchObject({ display_name: "Service account of looker/sales" });
    const { status, json } = await caller.logout("sales");
    expect({ status, json }).toEqual({ status: 200, json: { revoked: 1, pending: 0 } });
    await expect(sdk.ok(sdk.me())).rejects.toThrow("Requires authentication.");
    expect(stand.broker.looker?.ledger().map(({ event, status }) => [event, status])).toEqual([
      ["login", 200],
      ["api", 200],
      ["logout", 204],
      ["api_unauthorized", 401],
    ]);
    expect(leaksIn(stand.broker.logs().join("\n"), stand.secrets)).toBe(0);
  } finally {
    await stand.stop();
  }
});
