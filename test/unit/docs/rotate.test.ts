/** docs/how-to/rotate.md is as the code is: its example of a scopes file, and its list of reasons. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { importDeployment } from "../../../infra/import-deployment.ts";
import { parseWrittenScopes } from "../../../infra/written-scopes.ts";

const read = (file: string) => readFileSync(new URL(`../../../${file}`, import.meta.url), "utf8");
const page = read("docs/how-to/rotate.md");

it("each reason of a record has a row", () => {
  const [, section = ""] = page.split("\n## Reasons\n");
  const rows = [...(section.split("\n## ")[0] ?? "").matchAll(/^\| `(\w+)` \| [^|]+ \| [^|]+ \|$/gm)];
  const { $defs } = JSON.parse(read("docs/reference/audit-record.schema.json"));
  expect(rows.slice(1).map(([, reason]) => reason)).toEqual($defs.rotation.properties.reason.enum);
});

it("the example is a scopes file with a secret that rotates", async () => {
  const [, example = ""] = /```ts\n(import [^`]+)```/.exec(page) ?? [];
  const folder = mkdtempSync(join(tmpdir(), "rotate-example-"));
  try {
    const file = join(folder, "scopes.ts");
    writeFileSync(file, example);
    const { scopes } = await importDeployment(file);
    expect(parseWrittenScopes(scopes).get("sales")?.rotation).toEqual({
      everyDays: 30,
      administratorId: "looker/rotator",
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
