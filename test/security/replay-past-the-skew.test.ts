/**
 * A signed request, caught on its way and sent again. Past the skew of five minutes API Gateway refuses it. *Within* the
 * skew a replay works, as for all of Signature Version 4: there is no nonce. TLS keeps requests from being caught, and a
 * replayed `token` yields nothing to someone who cannot read the answer. What it could do at all is bounded: `token` serves
 * the same lease, `logout` and the operator's verbs are idempotent.
 */
import { afterEach, describe, expect, it } from "vitest";
import { ok, region, service, startTestGateway } from "../support/gateway-fixture.ts";
import { sendRaw } from "../support/raw-request.ts";
import { type SignedFetchRequest, signRequest } from "../support/signed-fetch.ts";

const signedAt = new Date("2026-03-01T12:00:00Z");
const minutes = 60_000;
const path = "/v1/scopes/sales/token";

let gateway: Awaited<ReturnType<typeof startTestGateway>>;
afterEach(() => gateway.close());

async function captured(): Promise<{ now(ms: number): void; request: SignedFetchRequest }> {
  let at = signedAt;
  gateway = await startTestGateway(() => ok({}), { now: () => at });
  const request = await signRequest(`http://127.0.0.1:${gateway.port}${path}`, {
    method: "POST",
    credentials: service,
    region,
    signingDate: signedAt,
  });
  return {
    request,
    now: (ms) => {
      at = new Date(signedAt.getTime() + ms);
    },
  };
}

describe("a replayed request", () => {
  it.each([5 * minutes + 1_000, 15 * minutes, 24 * 60 * minutes])("%i ms later is refused", async (ms) => {
    const { request, now } = await captured();
    expect((await sendRaw(gateway.port, path, request)).status).toBe(200);
    now(ms);
    const replay = await sendRaw(gateway.port, path, request);
    expect(replay.status).toBe(403);
    expect(replay.text).toContain("Signature expired");
    expect(gateway.invocations).toHaveLength(1);
  });

  it("with a later date is refused: the date is signed", async () => {
    const { request, now } = await captured();
    now(15 * minutes);
    const headers = { ...request.headers, "x-amz-date": "20260301T121500Z" };
    expect((await sendRaw(gateway.port, path, { ...request, headers })).status).toBe(403);
    expect(gateway.invocations).toEqual([]);
  });

  it.each(["/v1/scopes/finance/token", "/v1/scopes/sales/logout", "/v1/scopes/sales/leases"])(
    "sent to %s is refused: the path is signed",
    async (other) => {
      const { request } = await captured();
      expect((await sendRaw(gateway.port, other, request)).status).toBe(403);
      expect(gateway.invocations).toEqual([]);
    },
  );

  it("with another body is refused: the body is signed", async () => {
    const { request } = await captured();
    const changed = { ...request, body: '{"stale_lease_id":"some-lease-id-01"}' };
    expect((await sendRaw(gateway.port, path, changed)).status).toBe(403);
    expect(gateway.invocations).toEqual([]);
  });

  it("within the skew works, as for all of Signature Version 4", async () => {
    const { request, now } = await captured();
    await sendRaw(gateway.port, path, request);
    now(4 * minutes);
    expect((await sendRaw(gateway.port, path, request)).status).toBe(200);
    expect(gateway.invocations).toHaveLength(2);
  });
});
