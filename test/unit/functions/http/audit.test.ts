import middy from "@middy/core";
import { expect, it } from "vitest";
import { json, type ProxyResult } from "../../../../functions/http/answer.ts";
import { auditing } from "../../../../functions/http/audit.ts";
import { apiEvent, apiFunction } from "../../../support/fakes/api-function.ts";
import { recorded } from "../../../support/fakes/recorded.ts";

it("one line is written for a request whose answer is spoilt afterwards", async () => {
  const { audit, lines } = recorded(() => 1_700_000_000_000);
  const handler = middy(async () => json(200, {}))
    .use({
      after: () => {
        throw new Error("too late");
      },
    })
    .use(auditing(audit))
    .onError((request) => {
      request.response = json(500, {});
    }) as unknown as (event: unknown, context: object) => Promise<ProxyResult>;
  expect((await handler(apiEvent(), {})).statusCode).toBe(500);
  expect(lines).toHaveLength(1);
});

it("a token whose line cannot be written is not handed out, and writing is not tried twice", async () => {
  let writes = 0;
  const handle = async () => json(200, { access_token: "looker-token" });
  const send = apiFunction({
    routes: { "POST /scopes/{scope}/token": { verb: "token", lock: "callers", handle } },
    audit: {
      broker: "test/Broker",
      now: () => 1_700_000_000_000,
      write: () => {
        writes++;
        throw new Error("the disk is full of looker-token");
      },
    },
  });
  const { status, body, text } = await send(apiEvent());
  expect([status, body.code]).toEqual([500, "internal"]);
  expect(text).not.toContain("looker-token");
  expect(writes).toBe(1);
});
