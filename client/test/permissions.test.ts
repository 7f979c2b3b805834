import { afterEach, expect, it } from "vitest";
import { clientStand, stopStands } from "./stand.ts";

afterEach(stopStands);

it("permissions() tells the caller's identity and rights by one request", async () => {
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
  expect(await client.permissions()).toEqual({
    caller: {
      arn: "arn:aws:iam::111122223333:role/report-service",
      account: "111122223333",
      uniqueId: "AROA2EXAMPLE",
    },
    grants: [
      { scope: "sales", baseUrl: "https://example.cloud.looker.com", leaseSeconds: 900, may: ["token"] },
    ],
  });
  expect(broker.asked.length).toBe(1);
  expect(broker.asked[0]?.method).toBe("GET");
  expect(broker.asked[0]?.path).toBe("/v1/scopes");
});
