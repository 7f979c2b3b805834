import { describe, expect, it } from "vitest";
import { resources } from "../../../../functions/contract.ts";
import { roleIdentity } from "../../../support/fakes/api-function.ts";
import { inMemoryApi } from "../../../support/fakes/in-memory-api.ts";
import { lookerUrl } from "../../../support/fakes/in-memory-broker.ts";

describe("POST token", () => {
  it("answers as RFC 6749 §5.1 says, and is not to be stored", async () => {
    const { token } = inMemoryApi();
    const { status, headers, body } = await token();
    expect(status).toBe(200);
    expect(headers).toEqual({ "Content-Type": "application/json", "Cache-Control": "no-store" });
    expect(body).toEqual({
      access_token: "looker-token-1",
      token_type: "Bearer",
      expires_in: 900,
      scope: "sales",
      lease_id: expect.stringMatching(/^[\w-]{8,64}$/),
      base_url: lookerUrl,
    });
  });

  it.each<[string, unknown]>([
    ["no body", undefined],
    ["an empty body", ""],
    ["an empty object", {}],
    ["the least life", { min_ttl_seconds: 1 }],
    ["half of the scope's lease", { min_ttl_seconds: 450 }],
    ["a stale report", { stale_lease_id: "lease-of-yesterday" }],
  ])("takes %s", async (_, body) => {
    expect((await inMemoryApi().token({ body })).status).toBe(200);
  });

  it("without min_ttl_seconds serves a lease of which a minute is left, and not one of less", async () => {
    const { token, broker } = inMemoryApi();
    const first = await token();
    // The renewals ahead of the lease's end fail.
    broker.looker.onLogin = () => ({ kind: "failed", reason: "status_500" });
    broker.clock.jump(840_000);
    expect((await token()).body.lease_id).toBe(first.body.lease_id);
    broker.clock.jump(1_000);
    expect((await token()).body.code).toBe("looker_unavailable");
  });

  it("records the token by its hash only", async () => {
    const { token, lines } = inMemoryApi();
    const { body } = await token();
    expect(lines).toMatchObject([
      { outcome: "minted", lease_id: body.lease_id, client_id: "clientOne", status: 200 },
    ]);
    expect(lines[0]?.token_sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(JSON.stringify(lines)).not.toContain("looker-token-1");
    expect(JSON.stringify(lines)).not.toContain("secret-of-one");
  });

  it("takes the report of its own lease id back", async () => {
    const { token, broker } = inMemoryApi();
    const { body } = await token();
    broker.clock.jump(10_000);
    const again = await token({ body: { stale_lease_id: body.lease_id } });
    expect(again.body.access_token).toBe("looker-token-2");
  });
});

describe("POST logout", () => {
  it("answers 200 when everything is confirmed dead", async () => {
    const { token, logOut } = inMemoryApi();
    await token();
    expect(await logOut()).toMatchObject({ status: 200, body: { revoked: 1, pending: 0 } });
    expect((await logOut()).text).toBe('{"revoked":0,"pending":0}');
  });

  it("answers 202 while anything is pending", async () => {
    const { token, logOut, broker, lines } = inMemoryApi();
    await token();
    broker.looker.onLogout = () => "unconfirmed";
    expect(await logOut()).toMatchObject({ status: 202, body: { revoked: 0, pending: 1 } });
    expect(lines.at(-1)).toMatchObject({
      verb: "logout",
      outcome: "revoked",
      revoked: 0,
      pending: 1,
      status: 202,
    });
  });
});

describe("GET scopes", () => {
  const list = (name: string) =>
    inMemoryApi().call({ method: "GET", resource: resources.scopes, identity: roleIdentity(name) });

  it("says who the caller is and what it may do", async () => {
    expect(await list("report-service")).toMatchObject({
      status: 200,
      body: {
        caller: {
          arn: "arn:aws:iam::111122223333:role/report-service",
          account: "111122223333",
          unique_id: "AROAREPORTSERVICE000",
        },
        scopes: [{ scope: "sales", base_url: lookerUrl, lease_seconds: 900, may: ["token"] }],
      },
    });
  });

  it.each<[string, object[]]>([
    [
      "oncall",
      [
        { scope: "sales", may: ["operate"] },
        { scope: "people", may: ["operate"] },
      ],
    ],
    ["hr", [{ scope: "people", may: ["token"] }]],
    ["nobody", []],
  ])("lists no scope in which the caller (%s) may do nothing", async (name, scopes) => {
    const { body } = await list(name);
    expect(body.scopes).toHaveLength(scopes.length);
    expect(body.scopes).toMatchObject(scopes);
  });
});
