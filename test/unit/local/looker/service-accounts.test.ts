import { expect, onTestFinished, test } from "vitest";
import { parseScopes } from "../../../../functions/domain/scope.ts";
import { startLooker } from "../../../../local/looker/server.ts";
import { serviceAccounts } from "../../../../local/looker/service-accounts.ts";
import { scopes as definitions } from "../../../../local/scopes.ts";
import { call, login } from "./looker-client.ts";

const baseUrl = "https://looker.example";
const administratorId = "looker/rotator";

test("the local run has a minimal account next to the usual one, and an admin for the rotation", () => {
  const accounts = serviceAccounts(parseScopes(definitions));
  expect(accounts.map(({ secretId, account }) => [secretId, account.admin, account.roles])).toEqual([
    ["looker/sales", undefined, undefined],
    ["looker/finance", undefined, [expect.objectContaining({ models: ["finance"] })]],
    [administratorId, true, undefined],
  ]);
});

test("an administrator of several secrets is one admin, whose pair makes pairs for each account", async () => {
  const administrator = { secretName: administratorId };
  const definition = (secretName: string, rotation: object) => ({
    lookerUrl: baseUrl,
    secret: { secretName, rotation: { everyDays: 30, ...rotation } },
    callers: ["arn:aws:iam::111122223333:role/report-service"],
    operators: ["arn:aws:iam::111122223333:role/oncall"],
  });
  const accounts = serviceAccounts(
    parseScopes({
      a: definition("looker/a", { administrator }),
      b: definition("looker/b", { administrator }),
      c: definition("looker/c", {}),
    }),
  );
  expect(accounts.map(({ secretId }) => secretId)).toEqual([
    "looker/a",
    "looker/b",
    "looker/c",
    administratorId,
  ]);
  const looker = await startLooker({ accounts: accounts.map(({ account }) => account) });
  onTestFinished(() => looker.close());
  const { client_id: clientId = "", client_secret: clientSecret = "" } = accounts.at(-1)?.secret ?? {};
  const token = `token ${await login(looker, { clientId, clientSecret })}`;
  for (const { account } of accounts.slice(0, -1)) {
    const made = await call(looker, `POST /api/4.0/users/${account.userId}/credentials_api3`, token);
    expect(made.status).toBe(200);
  }
});
