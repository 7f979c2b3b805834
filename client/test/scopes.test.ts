import { afterEach, expect, it } from "vitest";
import { clientStand, stopStands } from "./stand.ts";

afterEach(stopStands);

it("scopes() and whoAmI() tell who the caller is to the broker, and what it may do", async () => {
  const { client, broker } = await clientStand(() => ({
    status: 200,
    body: {
      caller: {
        arn: "arn:aws:iam::111122223333:role/report-service",
        account: "111122223333",
        unique_id: "AROA2EXAMPLE",
      },
      scopes: [
        { scope: "sales", base_url: "https://example.cloud.looker.com", lease_seconds: 900, may: ["token"] },
      ],
    },
  }));
  expect(await client.whoAmI()).toEqual({
    arn: "arn:aws:iam::111122223333:role/report-service",
    account: "111122223333",
    uniqueId: "AROA2EXAMPLE",
  });
  expect(await client.scopes()).toEqual([
    { scope: "sales", baseUrl: "https://example.cloud.looker.com", leaseSeconds: 900, may: ["token"] },
  ]);
  expect(broker.asked[0]?.method).toBe("GET");
  expect(broker.asked[0]?.path).toBe("/v1/scopes");
});
