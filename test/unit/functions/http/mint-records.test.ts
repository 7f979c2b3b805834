/** Records of tokens made by Looker. test/support/fakes/recorded.ts holds each to the schema. */
import { describe, expect, it } from "vitest";
import { sha256Of } from "../../../../functions/domain/digest.ts";
import { whole, withOvertakenLogin } from "../../../support/fakes/recorded-broker.ts";

describe("a record of a new token", () => {
  it("is there for a token given to a caller, with its hash and lease but without its holder", async () => {
    const { api } = whole();
    const { body } = await api.token();
    await api.token();
    const { request_id, token_sha256, token_ends_at } = api.lines[0] ?? {};
    expect(api.mints).toEqual([
      {
        time: expect.any(String),
        kind: "mint",
        broker: "test/Broker",
        verb: "token",
        scope: "sales",
        client_id: "clientOne",
        lease_id: body.lease_id,
        ...{ request_id, token_sha256, token_ends_at },
      },
    ]);
  });

  it("is there for a token overtaken by a revocation, and no record gives it a holder", async () => {
    const { broker, api } = await withOvertakenLogin();
    const [made] = api.mints;
    expect(made).toMatchObject({ lease_id: api.lines[0]?.minted_lease_id, client_id: "clientOne" });
    expect(broker.row().outbox).toMatchObject([{ token_sha256: made?.token_sha256 }]);
    for (const line of api.lines) expect(line.token_sha256).not.toBe(made?.token_sha256);
  });

  it("is there for an unusable token, and so is its end", async () => {
    const { broker, api } = whole();
    broker.looker.onLogin = () => ({ kind: "failed", reason: "expires_in", unusableToken: "unusable-token" });
    await api.token();
    expect(api.lines[0]).toMatchObject({ code: "looker_unavailable", logins: 1, logouts: 1 });
    const [made] = api.mints;
    expect(made).toMatchObject({ client_id: "clientOne", token_sha256: sha256Of("unusable-token") });
    expect(made).not.toHaveProperty("token_ends_at");
    expect(api.leaseEnds).toMatchObject([{ lease_id: made?.lease_id, client_id: "clientOne" }]);
  });

  it("is there for a token neither sealed nor stored, and so is its end", async () => {
    const { broker, api } = whole();
    broker.sealer.down = true;
    await api.token();
    expect(api.mints).toMatchObject([{ lease_id: api.lines[0]?.minted_lease_id }]);
    expect(api.leaseEnds).toMatchObject([{ lease_id: api.lines[0]?.minted_lease_id }]);
  });
});
