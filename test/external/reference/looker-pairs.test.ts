/** Pairs and roles of the stand-in Looker, as Looker's SDK for Python sees them. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { startLooker } from "../../../local/looker/server.ts";
import { tool } from "./tools.ts";

const script = fileURLToPath(new URL("looker_pairs.py", import.meta.url));

test("Python's SDK makes, finds, marks, uses and deletes a pair", async () => {
  const looker = await startLooker({
    accounts: [
      {
        userId: "1",
        displayName: "Admin",
        credentials: [{ clientId: "admin", clientSecret: "admin-secret" }],
        admin: true,
      },
      {
        userId: "7",
        displayName: "Service account",
        credentials: [{ clientId: "service-account", clientSecret: "its-secret" }],
        roles: [
          { name: "Sales", permissions: ["access_data"], models: ["sales"] },
          { name: "Everything", permissions: "all", models: "all" },
        ],
        canManageCredentials: true,
        iamAdmin: true,
      },
    ],
  });
  onTestFinished(() => looker.close());
  const env = {
    PATH: process.env.PATH,
    LOOKERSDK_BASE_URL: looker.url,
    LOOKERSDK_CLIENT_ID: "admin",
    LOOKERSDK_CLIENT_SECRET: "admin-secret",
  };
  const { stdout } = await promisify(execFile)(tool("python3"), [script, "7"], { env });
  expect(JSON.parse(stdout)).toEqual({
    new: true,
    purpose: "rotation",
    owner: "7",
    user: ["7", false, true, true],
    iam_admin: [null, true],
    pairs: 2,
    roles: [
      ["Sales", false, false, ["sales"]],
      ["Everything", true, true, ["sales", "finance"]],
    ],
    refusal: expect.stringContaining("Not found"),
    left: true,
  });
  const events = looker.ledger().map(({ event }) => event);
  expect(events.filter((event) => event.startsWith("pair_"))).toEqual([
    "pair_created",
    "pair_marked",
    "pair_deleted",
  ]);
  expect(looker.liveTokens()).toEqual([]);
});
