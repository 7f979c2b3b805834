/** `looker-token account` against a whole local broker. The scheduled function checks, and the stand-in Looker answers it. */
import { fileURLToPath } from "node:url";
import { beforeEach, expect, test } from "vitest";
import { clientSecretOf } from "../../support/broker-stand.ts";
import { onStage } from "../../support/cli/stage.ts";

const stage = onStage({ scopesFile: fileURLToPath(new URL("account-scopes.ts", import.meta.url)) });
const { run, onTerminal } = stage;

const control = () => {
  const { looker } = stage.stand.broker;
  if (!looker) throw new Error("There is no stand-in Looker.");
  return looker.control;
};

async function accountOfSales() {
  const { client_id } = await clientSecretOf(stage.stand.broker, "looker/sales");
  const pair = control()
    .pairs()
    .find(({ clientId }) => clientId === client_id);
  if (!pair) throw new Error("Looker does not know the pair of sales.");
  return { clientId: client_id, userId: pair.userId };
}

const minimal = {
  admin: false,
  canManageCredentials: false,
  permissions: ["access_data", "see_lookml_dashboards", "see_looks"],
  models: ["sales"],
} as const;

const answer = async () =>
  JSON.parse((await stage.cli.run("account", "--scope", "sales", "--json", "--local")).out).scopes[0];

beforeEach(async () => {
  const { userId } = await accountOfSales();
  control().changeUser(userId, minimal);
});

test("before the first check it says so", async () => {
  const { exitCode, out } = await run("account", "--scope", "sales");
  expect([exitCode, out]).toEqual([0, expect.stringMatching(/^sales {2}never checked\n/)]);
});

test("a minimal account has no findings, and the check leaves no lease and no token", async () => {
  const { clientId } = await accountOfSales();
  await stage.stand.broker.runSchedules();
  expect(await answer()).toMatchObject({ client_id: clientId, findings: [], hidden: [] });
  expect((await run("account", "--scope", "sales")).out).toMatch(/^sales {2}no findings\n/);
  expect((await run("leases", "--scope", "sales")).out).toBe("No leases in sales.\n");
  expect(control().liveTokens()).toEqual([]);
});

test("an admin account is found, named above the leases and counted among the scopes", async () => {
  const { userId } = await accountOfSales();
  control().changeUser(userId, { admin: true });
  await stage.stand.broker.runSchedules();
  const { text } = await onTerminal(["account", "--scope", "sales"]);
  expect(text).toContain("␛[33m1 finding␛[39m");
  expect(text).toMatch(/Finding.*admin_account\n.*administrator.*\nNext .*rights only/);
  expect((await run("leases", "--scope", "sales")).out).toMatch(
    /^account {2}sales: 1 finding \(admin_account\)\n {2}looker-token account --scope sales\n/,
  );
  expect((await run("scopes", "--as", "platform-engineer")).out).toMatch(/^account +sales: 1 finding /);
});

test("a permission too many and a model too many are found by name", async () => {
  const { userId } = await accountOfSales();
  control().changeUser(userId, {
    permissions: [...minimal.permissions, "see_sql"],
    models: ["sales", "finance"],
  });
  await stage.stand.broker.runSchedules();
  expect((await answer()).findings).toEqual([
    { code: "permission_beyond_scope", detail: expect.stringContaining("see_sql"), accepted: false },
    { code: "model_beyond_scope", detail: expect.stringContaining("finance"), accepted: false },
  ]);
});

test("an accepted finding is shown, and counted nowhere", async () => {
  const { userId } = await accountOfSales();
  control().changeUser(userId, { canManageCredentials: true });
  await stage.stand.broker.runSchedules();
  expect((await run("account", "--scope", "sales")).out).toMatch(
    /^sales {2}no findings, 1 accepted\n[\s\S]*^Accepted +may_manage_credentials$/m,
  );
  expect((await run("leases", "--scope", "sales")).out).toBe("No leases in sales.\n");
});

test("a Looker that is away is a failed check, and no clean account", async () => {
  control().addFault({ route: "users", kind: "status", status: 500 });
  await stage.stand.broker.runSchedules();
  const { exitCode, out } = await run("account", "--scope", "sales");
  expect([exitCode, out]).toEqual([
    0,
    expect.stringMatching(/^sales {2}never checked, the last try failed\n/),
  ]);
  expect(out).toMatch(/^Failed +account_status_500, /m);
});

test("a caller who does not operate the scope is refused", async () => {
  expect(
    (await stage.cli.run("account", "--scope", "sales", "--local", "--as", "report-service")).exitCode,
  ).toBe(3);
});
