/** docs/how-to/rehearse-a-leaked-secret.md, typed block by block, with AWS's own command line. */
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { writeBrokerFile } from "../../../local/broker-file.ts";
import { leaksIn, type Stand, startStand, startsWithinMs } from "../../support/broker-stand.ts";
import { tool } from "./tools.ts";

const repository = fileURLToPath(new URL("../../../", import.meta.url));
const page = readFileSync(join(repository, "docs/how-to/rehearse-a-leaked-secret.md"), "utf8");
const blocks = [...page.matchAll(/^```sh\n([\s\S]*?)^```/gm)].map(([, block = ""]) => block);

/** In the place of npm: the page is for a clone of the repository, and the test runs elsewhere. */
const npm = `#!/bin/sh
shift 4
exec '${process.execPath}' --import '${repository}cli/from-source.mjs' '${repository}cli/src/main.ts' "$@"
`;

let stand: Stand;
beforeAll(async () => {
  stand = await startStand({ rotates: true });
  writeBrokerFile(join(stand.workDir, ".local/broker.json"), stand.broker);
  mkdirSync(join(stand.workDir, "bin"));
  writeFileSync(join(stand.workDir, "bin/npm"), npm, { mode: 0o755 });
}, startsWithinMs);
afterAll(() => stand?.stop());

async function typed(script: string): Promise<string> {
  const path = [join(stand.workDir, "bin"), dirname(tool("aws")), dirname(process.execPath)];
  // Bash takes Node's pipe for a connection from another machine and would read its startup files.
  const child = spawn("bash", ["--norc", "-c", script], {
    cwd: stand.workDir,
    env: { PATH: `${path.join(":")}:${process.env.PATH}`, HOME: stand.workDir, TMPDIR: stand.workDir },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let out = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => {
      out += text;
    });
  await new Promise((done) => child.once("close", done));
  return out;
}

it("a new pair is stored, the old one is denied, and the mistake is taken back", async () => {
  // The reader types the block of the new lease again until it works.
  const again = (block: string) =>
    `again() { ${block.trim().replaceAll("\n", " && ")}; }\nuntil again; do sleep 1; done\n`;
  const steps = blocks.map((block) =>
    block.includes("get --scope finance --as finance-service > ") ? again(block) : block,
  );
  const out = await typed(
    [
      ...steps,
      'echo "new $NEW"',
      again(
        "looker-token whoami --as finance-service && looker-token get --scope finance --as finance-service > /dev/null",
      ),
    ].join("\n"),
  );
  expect(out).toMatch(/^204$/m);
  expect(out).toMatch(/^ {2}finance: it is the credential in use\./m);
  expect(out).toMatch(/^revoked {2}1 lease of 2 scopes; Looker confirmed its end\n401$/m);
  const [, fresh] = /^new (\w+)$/m.exec(out) ?? [];
  expect(out).toMatch(new RegExp(`finance-service .*live .*${fresh}$`, "m"));
  expect(out).toContain("An operator has denied the client id of the scope's secret.");
  expect(out).toMatch(/^allowed +client id /m);
  expect(leaksIn(out, stand.secrets)).toBe(0);
}, 180_000);
