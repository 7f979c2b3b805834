import { expect, test } from "vitest";
import { leaseLifecycle } from "../../../../probe/checks/lease.ts";
import type { ProbeContext } from "../../../../probe/context.ts";
import type { Answer } from "../../../../probe/request.ts";

const answer = (status: number, json: object, headers = {}): Answer => ({
  status,
  headers: { "cache-control": "no-store", ...headers },
  json: json as Answer["json"],
});
const lease = (id: string, more: object = {}) =>
  answer(200, {
    access_token: `token-of-${id}`,
    token_type: "Bearer",
    expires_in: 899,
    scope: "sales",
    lease_id: id,
    base_url: "https://example.cloud.looker.com",
    ...more,
  });
const ended = (revoked: number, pending: number) => answer(pending > 0 ? 202 : 200, { revoked, pending });

/** What the story makes of these answers, one after the other. */
async function story(answers: Answer[], logout = false) {
  const sent: (string | undefined)[] = [];
  const results = await leaseLifecycle({
    send: async ({ body }) => {
      sent.push(body);
      return answers.shift() ?? answer(500, {});
    },
    region: "eu-west-1",
    caller: { arn: "", account: "", unique_id: "" },
    scope: {
      scope: "sales",
      base_url: "https://example.cloud.looker.com",
      lease_seconds: 900,
      may: ["token"],
    },
    bystander: false,
    looker: false,
    logout,
  } satisfies ProbeContext);
  return {
    sent,
    surprises: results.filter(({ outcome }) => outcome === "surprise").map(({ what, seen }) => [what, seen]),
    left: answers.length,
  };
}

test.each<[string, Answer, string]>([
  ["of no life", lease("a", { expires_in: 0 }), "200: expires_in is out of bounds"],
  ["that outlives the lease", lease("a", { expires_in: 901 }), "200: expires_in is out of bounds"],
  ["without an end", lease("a", { expires_in: undefined }), "200: expires_in is out of bounds"],
  ["of another scope", lease("a", { scope: "finance" }), "200: another scope"],
  [
    "for another Looker",
    lease("a", { base_url: "https://else.where" }),
    "200: another base_url than who am I told",
  ],
  ["that may be stored", { ...lease("a"), headers: {} }, "200: Cache-Control is not no-store"],
  ["that is none", answer(403, {}), "403"],
])("a token %s is a surprise, and the end of the story", async (_, first, seen) => {
  expect(await story([first])).toMatchObject({ surprises: [["a token", seen]], left: 0 });
});

test("a lease that was renewed in between is no surprise, one that is renewed each time is", async () => {
  expect((await story([lease("a"), lease("b"), lease("b")])).surprises).toEqual([]);
  expect((await story([lease("a"), lease("b"), lease("c")])).surprises).toEqual([
    ["a token again", "200: another lease"],
  ]);
});

test("a logout that Looker has yet to confirm is asked for again, and names the lease each time", async () => {
  const run = await story([lease("a"), lease("a"), ended(0, 1), ended(0, 0), ended(0, 0), lease("b")], true);
  expect(run).toMatchObject({ surprises: [], left: 0 });
  expect(run.sent.slice(2, 5)).toEqual(Array(3).fill('{"lease_id":"a"}'));
});

test.each<[string, Answer[], string[]]>([
  ["ends nothing", [ended(0, 0), ended(0, 0), lease("b")], ["logout of the lease"]],
  ["ends it again and again", [ended(1, 0), ended(1, 0), lease("b")], ["logout once more"]],
  ["leaves the lease", [ended(1, 0), ended(0, 0), lease("a")], ["a token after that"]],
])("a logout that %s is a surprise", async (_, after, what) => {
  const { surprises } = await story([lease("a"), lease("a"), ...after], true);
  expect(surprises.map(([each]) => each)).toEqual(what);
});
