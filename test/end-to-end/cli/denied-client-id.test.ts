/** A leaked pair on the local run: its client id is denied for two scopes that share the secret, and allowed again. */
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { auditLines, clientSecretOf, untilSeen } from "../../support/broker-stand.ts";
import { onStage } from "../../support/cli/stage.ts";

const stage = onStage({
  scopesFile: fileURLToPath(new URL("shared-secret-scopes.ts", import.meta.url)),
});
const { run, onTerminal } = stage;
const finance = () => stage.caller("finance-service").token("finance");
const idOfFinance = async () => (await clientSecretOf(stage.stand.broker, "looker/finance")).client_id;
const lead = ["--as", "support-lead"];

/** A refused caller is told so for a while, by the back-off of its failures. */
const servedAgain = () => untilSeen(async () => (await finance()).status === 200, "a token", 30_000);

describe("revoke --client-id", () => {
  test("on a terminal it says all of the denial before it asks: scopes, in use or not, the way back", async () => {
    await finance();
    const shown = await onTerminal(["revoke", "--scope", "support", "--client-id", await idOfFinance()], {
      after: "End them? [y/N] ",
      type: "n\n",
    });
    expect(shown.text).toBe(`\
To be ended (client id ID):
  support: 0 leases
No new login will be made with this client id:
  finance, support: it is the credential in use. Callers get no new lease until
  the secret holds another pair.
  finance: shares a secret with the scopes above. Leases there are not ended.
The way back is looker-token allow-client.
End them? [y/N] n
Nothing was done.
`);
    expect((await finance()).status).toBe(200);
  });

  test("--dry-run says it too, in words and in JSON, and denies nothing", async () => {
    await finance();
    const asked = ["revoke", "--all-scopes", "--client-id", await idOfFinance(), "--dry-run"];
    expect((await run(...asked)).out).toMatch(
      /sales: it is not the credential in use\.\n {2}finance, support: it is the credential in use\.[\s\S]*allow-client\.\n1 lease would be ended/,
    );
    const denial = { scopes: ["finance", "support"], in_use: true };
    const { scopes } = JSON.parse((await stage.cli.run(...asked, "--json", "--local")).out);
    expect(scopes).toEqual([
      { scope: "sales", matched: 0, denial: { scopes: ["sales"], in_use: false } },
      { scope: "finance", matched: 1, denial },
      { scope: "support", matched: 0, denial },
    ]);
    expect((await finance()).status).toBe(200);
  });

  test("afterwards the last lines say what is denied, and allow-client takes it back", async () => {
    const { json } = await finance();
    const id = await idOfFinance();
    const revoked = await run("revoke", "--scope", "finance", "--client-id", id, "--yes");
    expect([revoked.exitCode, revoked.out]).toEqual([
      0,
      "denied  finance, support: no login is made with the client id any more, which was the one in use. Callers get new leases once the secret holds another pair\nrevoked  1 lease of finance; Looker confirmed its end\n",
    ]);
    expect([await stage.lookerTakes(json.access_token), (await finance()).status]).toEqual([401, 502]);

    const allowed = await run("allow-client", "--scope", "finance", "--client-id", id);
    expect(allowed).toMatchObject({
      exitCode: 0,
      out: "allowed  client id ID, for all scopes that share the secret\n  of finance.\n  A caller may be refused for ten more seconds.\n",
    });
    // A misspelt id does not look like a success.
    expect((await run("allow-client", "--scope", "finance", "--client-id", id)).out).toBe(
      "unchanged  client id ID was not denied. Is it spelt right?\n",
    );
    await servedAgain();
    const asked = auditLines(stage.stand.broker).filter(({ verb }) => verb === "revoke" || verb === "allow");
    expect(asked.slice(-3, -1)).toMatchObject([
      { verb: "revoke", outcome: "revoked", filters: ["client_id"], client_id: id },
      { verb: "allow", outcome: "allowed", scope: "finance", client_id: id },
    ]);
  });

  test("--json has the denial with the counts", async () => {
    await finance();
    const id = await idOfFinance();
    const { out } = await stage.cli.run(
      ...["revoke", "--scope", "support", "--client-id", id, "--yes", "--json", "--local"],
    );
    expect(JSON.parse(out).scopes).toMatchObject([
      { scope: "support", denial: { scopes: ["finance", "support"], in_use: true }, outcome: "revoked" },
    ]);
    await run("allow-client", "--scope", "support", "--client-id", id);
  });
});

describe("allow-client", () => {
  test("is refused to an operator of one of the scopes alone, with the name of the other", async () => {
    await finance();
    const id = await idOfFinance();
    await run("revoke", "--scope", "support", "--client-id", id, "--yes", ...lead);
    const refused = await run("allow-client", "--scope", "support", "--client-id", id, ...lead);
    expect([refused.exitCode, refused.out]).toEqual([3, ""]);
    expect(refused.err).toContain("Not allowed. This secret is also used by finance.");
    expect((await run("allow-client", "--scope", "support", "--client-id", id, "--json")).exitCode).toBe(0);
    await servedAgain();
  });

  test.each([
    ["none is given", [], /Which client id\?/],
    ["it would change the path", ["--client-id", "a/../../freeze"], /takes a Looker client id/],
  ])("wants a client id: %s", async (_, more, message) => {
    const ran = await run("allow-client", "--scope", "finance", ...more);
    expect([ran.exitCode, ran.err]).toEqual([2, expect.stringMatching(message)]);
  });
});
