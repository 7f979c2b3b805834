/** What is said, and what is not done twice, when the broker's answer to an operator's request is lost on its way. */
import { beforeEach, describe, expect, test } from "vitest";
import { gatewayReply, problem } from "../../support/broker-replies.ts";
import { FakeBroker, leaseOf } from "../../support/cli/fake-broker.ts";
import type { Asked } from "../../support/fake-server.ts";

let broker: FakeBroker;
beforeEach(async () => {
  broker = await FakeBroker.start();
  broker.leases = [leaseOf("one"), leaseOf("two")];
});

const timedOut = gatewayReply(503, "IntegrationTimeoutException", "Endpoint request timed out");
const isAll = ({ method, path }: Asked) => method === "DELETE" && path.endsWith("?all=true");
const byList = "the broker's first answer was lost, this is by its list";

describe("revoke --all", () => {
  const revoke = () => broker.cli.run("revoke", "--scope", "sales", "--all", "--yes");

  test("whose answer is lost is not sent again, so that a lease of since then lives on; the list tells", async () => {
    broker.instead = (asked) => {
      if (!isAll(asked)) return undefined;
      broker.lose(asked);
      broker.leases = [leaseOf("new", { issued_at: new Date().toISOString() })];
      return "drop";
    };
    expect(await revoke()).toEqual({
      exitCode: 0,
      out: `revoked  2 leases of sales; Looker confirmed each one's end; ${byList}\n`,
      err: expect.stringMatching(
        /^looker-token: sales: The broker's answer was lost\. It may have been done all the same\. .* The scope's list shows the outcome\.\n/,
      ),
    });
    expect(broker.asked("DELETE").filter((each) => !each.includes("dry_run"))).toEqual([
      "DELETE /scopes/sales/leases?all=true",
    ]);
    expect(broker.leases.map(({ lease_id }) => lease_id)).toEqual(["new"]);
  });

  test("that timed out at API Gateway, undone, is brought about lease by lease", async () => {
    broker.instead = (asked) => (isAll(asked) ? timedOut : undefined);
    const { exitCode, out } = await revoke();
    expect([exitCode, out]).toEqual([
      0,
      `revoked  2 leases of sales; Looker confirmed each one's end; ${byList}\n`,
    ]);
    expect(broker.asked("DELETE").filter((each) => !each.includes("dry_run"))).toEqual([
      "DELETE /scopes/sales/leases?all=true",
      "DELETE /scopes/sales/leases?lease_id=one",
      "DELETE /scopes/sales/leases?lease_id=two",
    ]);
  });

  test("where the list tells nothing either, says unknown, exit code 5, as JSON as well", async () => {
    broker.instead = (asked) => (isAll(asked) ? "drop" : undefined);
    const { exitCode, out, err } = await broker.cli.run(
      ...["revoke", "--scope", "sales", "--all", "--yes", "--wait", "0", "--json"],
    );
    expect([exitCode, err, JSON.parse(out)]).toEqual([
      5,
      "",
      {
        ...{ outcome: "unknown", revoked: 0, pending: 0, expired: 0, gone: 0, unknown: 2 },
        scopes: [
          {
            ...{ scope: "sales", outcome: "unknown" },
            ...{ revoked: 0, pending: 0, expired: 0, gone: 0, unknown: 2, answer_lost: true },
          },
        ],
      },
    ]);
  });

  test("where the list may not be seen, the error says that it was lost, exit code 5", async () => {
    broker.instead = (asked) =>
      asked.method === "GET"
        ? gatewayReply(403, "AccessDeniedException", "no")
        : isAll(asked)
          ? "drop"
          : undefined;
    expect(await revoke()).toEqual({
      exitCode: 5,
      out: "",
      err: expect.stringMatching(
        /^looker-token: The broker's answer was lost\..*Ask again to be certain\.\n$/,
      ),
    });
  });

  test.each([
    ["API Gateway throttled it", gatewayReply(429, "TooManyRequestsException", "Too Many Requests")],
    [
      "it came too late after it was signed",
      gatewayReply(403, "InvalidSignatureException", "Signature expired: x"),
    ],
  ])("is sent again where %s, since then it was not done", async (_, reply) => {
    let refusals = 0;
    broker.instead = (asked) => (isAll(asked) && refusals++ === 0 ? reply : undefined);
    const { exitCode, out } = await revoke();
    expect([exitCode, out]).toEqual([0, "revoked  2 leases of sales; Looker confirmed each one's end\n"]);
  });

  test("that is refused is a plain refusal", async () => {
    broker.instead = (asked) => (isAll(asked) ? problem(403, "not_allowed") : undefined);
    expect(await revoke()).toMatchObject({ exitCode: 3, err: expect.not.stringContaining("lost") });
  });
});

test("a client id is denied for certain: asked twice, it ends nothing more", async () => {
  let asked = 0;
  broker.instead = ({ path }) =>
    path.endsWith("?client_id=salesclient") && asked++ === 0 ? "drop" : undefined;
  const { exitCode, out } = await broker.cli.run(
    ...["revoke", "--scope", "sales", "--client-id", "salesclient", "--yes"],
  );
  expect([exitCode, out, asked]).toEqual([
    0,
    `revoked  2 leases of sales; Looker confirmed each one's end; ${byList}\n`,
    2,
  ]);
});

describe("freeze", () => {
  const freeze = () => broker.cli.run("freeze", "--scope", "sales", "--reason", "incident 42");

  test("that the list shows is a freeze", async () => {
    broker.instead = (asked) => (asked.method === "PUT" ? broker.lose(asked) : undefined);
    const { exitCode, out } = await freeze();
    expect([exitCode, out]).toEqual([
      0,
      `frozen   sales: callers get no lease of it\nrevoked  2 leases of sales; Looker confirmed each one's end; ${byList}\n`,
    ]);
    expect(broker.asked("PUT")).toHaveLength(1);
  });

  test.each([
    ["not frozen", undefined],
    ["under another freeze", { by: "arn", at: new Date().toISOString(), reason: "another" }],
  ])("that the list does not show is not believed: %s, exit code 5", async (found, frozen) => {
    broker.frozen = frozen;
    broker.instead = (asked) => (asked.method === "PUT" ? timedOut : undefined);
    const { exitCode, out, err } = await freeze();
    expect([exitCode, out]).toEqual([5, ""]);
    expect(err).toMatch(new RegExp(`The broker's answer was lost\\. By its list, sales is ${found}\\.`));
    expect(broker.leases).toHaveLength(2);
  });
});

describe("unfreeze", () => {
  const unfreeze = () => broker.cli.run("unfreeze", "--scope", "sales");
  beforeEach(() => {
    broker.frozen = { by: "arn", at: new Date().toISOString(), reason: "incident 42" };
  });

  test("that the list shows is done", async () => {
    broker.instead = (asked) => (asked.method === "DELETE" ? broker.lose(asked) : undefined);
    expect(await unfreeze()).toEqual({
      exitCode: 0,
      out: "unfrozen  sales; callers get new leases again\n",
      err: "",
    });
  });

  test("that the list does not show is not sent again: exit code 5", async () => {
    broker.instead = (asked) => (asked.method === "DELETE" ? "drop" : undefined);
    expect(await unfreeze()).toMatchObject({
      exitCode: 5,
      out: "",
      err: expect.stringMatching(/By its list, sales is still frozen\./),
    });
    expect(broker.asked("DELETE")).toHaveLength(1);
  });
});

test("logout is not sent again: another process of the role may have a new lease", async () => {
  broker.instead = (asked) => broker.lose(asked);
  expect(await broker.cli.run("logout", "--scope", "sales")).toMatchObject({
    exitCode: 5,
    out: "",
    err: expect.stringMatching(/^looker-token: The broker's answer was lost\./),
  });
  expect(broker.asked("POST")).toHaveLength(1);
});
