/** Output to a full disk, to a slow reader and to a reader that leaves early. */
import { beforeEach, describe, expect, test } from "vitest";
import { problem, tokenReply } from "../../support/broker-replies.ts";
import { FakeBroker, leaseOf } from "../../support/cli/fake-broker.ts";

let broker: FakeBroker;
beforeEach(async () => {
  broker = await FakeBroker.start();
});

const into = (redirection: string, ...args: string[]) =>
  broker.cli.startBy(["sh", "-c", `"$@" ${redirection}`, "sh"], ...args).ended;
const get = ["get", "--scope", "sales"];
const lost = "The output could not be written (ENOSPC).";

describe("on a full disk", () => {
  test.each([
    ["get", get],
    ["leases", ["leases", "--scope", "sales"]],
    ["revoke", ["revoke", "--scope", "sales", "--all", "--yes"]],
    ["--help", ["--help"]],
  ])("%s says that its output is lost, exit code 6", async (_, args) => {
    broker.instead = ({ path }) => (path.endsWith("/token") ? tokenReply("one") : undefined);
    expect(await into("> /dev/full", ...args)).toEqual({
      exitCode: 6,
      out: "",
      err: `looker-token: ${lost}\n`,
    });
  });

  test("the error is JSON for --json", async () => {
    const { exitCode, err } = await into("> /dev/full", "whoami", "--json");
    expect([exitCode, JSON.parse(err)]).toEqual([6, { error: { code: "unwritten", message: lost } }]);
  });

  test("an earlier failure keeps its exit code", async () => {
    broker.instead = ({ method }) => (method === "GET" ? undefined : problem(403, "scope_frozen"));
    const all = ["revoke", "--all-scopes", "--all", "--yes", "--wait", "0"];
    const { exitCode, err } = await into("> /dev/full", ...all);
    expect([exitCode, err.includes("frozen"), err.endsWith(`looker-token: ${lost}\n`)]).toEqual([
      3,
      true,
      true,
    ]);
  });

  test("notes that are lost change nothing", async () => {
    broker.instead = () => tokenReply("one");
    expect(await into("2> /dev/full", "exec", "--scope", "sales", "--", "sh", "-c", "exit 0")).toMatchObject({
      exitCode: 0,
    });
  });
});

describe("a long list", () => {
  beforeEach(() => {
    broker.leases = Array.from({ length: 5_000 }, (_, at) => leaseOf(`lease-${at}`));
  });
  const list = ["leases", "--scope", "sales", "--json"];

  test("is whole in a pipe with a slow reader", async () => {
    const { exitCode, out } = await into("| { sleep 1; cat; }", ...list);
    expect([exitCode, JSON.parse(out).scopes[0].leases.length]).toEqual([0, 5_000]);
  });

  test("succeeds where its reader leaves early", async () => {
    const script = '{ "$@"; echo "exit code $?" >&2; } | head -c 10 > /dev/null';
    const { out, err } = await broker.cli.startBy(["sh", "-c", script, "sh"], ...list).ended;
    expect([out, err]).toEqual(["", "exit code 0\n"]);
  });
});
