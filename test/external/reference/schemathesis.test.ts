/** schemathesis (https://schemathesis.readthedocs.io) over docs/reference/openapi.yaml and a whole broker, signed by botocore. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  auditLines,
  callerOf,
  leaksIn,
  openFirstLock,
  type Stand,
  startStand,
  startsWithinMs,
} from "../../support/broker-stand.ts";
import { tool } from "./tools.ts";

const pathOf = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const run = promisify(execFile);

let stand: Stand;
beforeEach(async () => {
  stand = await startStand();
}, startsWithinMs);
afterEach(() => stand?.stop());

/** The first lock stands open, so that the scopes' own lists are asked about every scope. */
async function schemathesis(principalName: string, tag: string) {
  const { broker, workDir } = stand;
  const { principal } = callerOf(stand, principalName);
  openFirstLock(broker, principal);
  const signing = {
    region: broker.region,
    access_key_id: principal.accessKeyId,
    secret_access_key: principal.secretAccessKey,
    session_token: principal.sessionToken,
  };
  const seed = Math.floor(Math.random() * 2 ** 31);
  const options = [
    ...[
      "--config-file",
      pathOf("schemathesis.toml"),
      "--no-color",
      "run",
      pathOf("../../../docs/reference/openapi.yaml"),
    ],
    ...["--url", broker.endpoint, "--include-tag", tag, "--seed", String(seed), "--max-examples", "50"],
    ...["--generation-database", "none", "--request-timeout", "30", "--output-sanitize", "true"],
  ];
  const env = {
    ...process.env,
    PYTHONDONTWRITEBYTECODE: "1",
    PYTHONPATH: pathOf("."),
    SCHEMATHESIS_HOOKS: "schemathesis_hooks",
    SCHEMATHESIS_SIGNING: JSON.stringify(signing),
  };
  const { code, stdout } = await run(tool("schemathesis"), options, { cwd: workDir, env }).then(
    ({ stdout }) => ({ code: 0, stdout }),
    (error: { code: number; stdout: string }) => error,
  );
  // Keys are good for as long as this broker runs, but they are not for a log.
  return { code, said: [...stand.secrets].reduce((text, secret) => text.replaceAll(secret, "***"), stdout) };
}

const answers = () =>
  Object.entries(Object.groupBy(auditLines(stand.broker), ({ verb, code }) => `${verb} ${code}`)).map(
    ([answer]) => answer,
  );

test.each([
  [
    "callers",
    "report-service",
    ["token ok", "token bad_request", "token not_allowed", "logout ok", "scopes ok"],
  ],
  [
    "operators",
    "platform-engineer",
    [
      "list ok",
      "list bad_request",
      "list not_allowed",
      "revoke ok",
      "revoke bad_request",
      "freeze ok",
      "unfreeze ok",
      "allow ok",
    ],
  ],
])(
  "finds nothing in what %s may do that docs/reference/openapi.yaml does not say",
  async (tag, principal, seen) => {
    const { code, said } = await schemathesis(principal, tag);
    expect(code, said).toBe(0);
    // It came past the locks, and tried the good, the bad and the forbidden.
    expect(answers()).toEqual(expect.arrayContaining(seen));
    expect(leaksIn(stand.broker.logs().join("\n"), stand.secrets)).toBe(0);
  },
);
