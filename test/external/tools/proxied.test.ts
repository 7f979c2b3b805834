/** Each tool, unchanged, under `looker-token exec --proxy` and with a whole local broker. */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { clientSecretOf, sharedStand } from "../../support/broker-stand.ts";
import { Command } from "../../support/cli/command.ts";
import { emptyTable } from "../../support/empty-table.ts";
import { heldRows } from "../../support/held-tokens.ts";
import { environmentOf, type Ran } from "../../support/recipe.ts";
import { pathOf, proxyOptions, run } from "./run.ts";
import { tools } from "./tools.ts";

const stand = sharedStand();

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "looker-tool-"));
});
afterEach(async () => {
  rmSync(directory, { recursive: true });
  stand.looker.control.expireAllTokens();
  stand.looker.control.resetLedger();
  await emptyTable(stand.broker);
});

/** Words without addresses and times. henry turns a bar while it works, and spectacles prints how many seconds it took. */
const wordsOf = ({ out, err }: Ran): string[] =>
  `${out}\n${err}`
    .replace(/127\.0\.0\.1:\d+/g, "127.0.0.1:PORT")
    .replace(/\b\d{4}-\d\d-\d\d[T ][\d:.,]+Z?/g, "TIME")
    .replace(/\bCompleted validation in .*/g, "Completed")
    .match(/[\w.:/]*\w/g) ?? [];

test.for(tools)(
  "$name says the same through the proxy, and its session ends with it",
  async (tool, { skip }) => {
    const path = pathOf(tool);
    if (path === undefined) return skip(`${tool.folder} has no ${tool.command}`);
    const { client_id: id, client_secret: secret } = await clientSecretOf(stand.broker, "looker/sales");
    const { hostname: host, port } = new URL(stand.looker.url);
    const direct = await run(tool, path, { base: stand.looker.url, host, port, id, secret }, directory);
    expect(direct).toMatchObject({ exitCode: 0 });
    rmSync(join(directory, "looker.ini"), { force: true });
    stand.looker.control.resetLedger();

    const cli = new Command(directory, { ...environmentOf(stand, "report-service"), HOME: directory });
    const proxied = await cli.run(
      ...["exec", "--scope", "sales", "--proxy", ...proxyOptions(tool), "--", path, ...tool.args],
    );
    expect([proxied.exitCode, wordsOf(proxied)]).toEqual([0, wordsOf(direct)]);
    expect(proxied.out + proxied.err).toMatch(tool.says);

    const ledger = stand.looker.ledger();
    const ofEvent = (...events: string[]) => ledger.filter(({ event }) => events.includes(event));
    const calls = ofEvent("api");
    expect(calls.map(({ method, path }) => `${method} ${path}`)).toEqual(tool.calls);
    // One login for each workspace, by the broker. The tool's own login and logout end at the proxy.
    const workspaces = tool.calls.some((call) => call.startsWith("PATCH ")) ? 2 : 1;
    const logins = ofEvent("login");
    expect(logins.map(({ clientId, path }) => [clientId, path])).toEqual(
      Array(workspaces).fill([id, "/api/4.0/login"]),
    );
    expect(ofEvent("api", "login", "logout")).toHaveLength(ledger.length);
    const tokens = logins.map(({ tokenSha256 }) => tokenSha256);
    expect(tokens).toEqual(expect.arrayContaining(calls.map(({ tokenSha256 }) => tokenSha256)));
    expect(
      ofEvent("logout")
        .map(({ tokenSha256 }) => tokenSha256)
        .sort(),
    ).toEqual([...tokens].sort());
    expect(stand.looker.liveTokens().filter(({ sha256 }) => tokens.includes(sha256))).toEqual([]);
    expect((await heldRows(stand)).tokens.size).toBe(0);
    expect(readdirSync(directory)).not.toContain("looker.ini");
  },
);
