/** A process without any source of AWS credentials: no files and no variables of this machine are in reach. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach } from "vitest";

/** For the tests of a file. `home` is a folder of each test's own, with the profiles in `config` and `credentials`. */
export function inBareEnvironment(): { readonly home: string } {
  let home = "";
  let before: NodeJS.ProcessEnv;
  beforeEach(() => {
    before = { ...process.env };
    home = mkdtempSync(join(tmpdir(), "looker-token-client-"));
    for (const name of Object.keys(process.env)) if (/^AWS_|PROXY/i.test(name)) delete process.env[name];
    Object.assign(process.env, {
      HOME: home,
      USERPROFILE: home,
      AWS_CONFIG_FILE: join(home, "config"),
      AWS_SHARED_CREDENTIALS_FILE: join(home, "credentials"),
      AWS_EC2_METADATA_DISABLED: "true",
    });
  });
  afterEach(() => {
    for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
    Object.assign(process.env, before);
    rmSync(home, { recursive: true });
  });
  return {
    get home() {
      return home;
    },
  };
}
