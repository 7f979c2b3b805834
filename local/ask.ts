/** `npm run ask`. Exit codes: 0 when it was answered, 2 for a bad question or flag, 1 for everything else. */
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseAskFlags } from "./ask-flags.ts";
import { flagsOrExit } from "./command-line.ts";
import { ask } from "./insights/ask.ts";
import { asJson, asTable } from "./insights/show.ts";
import { readRecordFile } from "./record-file.ts";

const recordFile = fileURLToPath(new URL("../.local/records.jsonl", import.meta.url));

const { query, show } = flagsOrExit(parseAskFlags(process.argv.slice(2)));
if (show === "query") process.stdout.write(`${query}\n`);
else {
  const result = ask(query, records(), Date.now());
  process.stdout.write(show === "json" ? asJson(result) : asTable(result));
}

function records(): string[] {
  try {
    const { lines, unreadable } = readRecordFile(recordFile);
    if (unreadable > 0)
      process.stderr.write(
        `Left out: ${unreadable} ${unreadable === 1 ? "line" : "lines"} of ${relative(process.cwd(), recordFile)} that cannot be read.\n`,
      );
    return lines;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    process.stderr.write("There are no records yet: start the broker with `npm start`.\n");
    process.exit(1);
  }
}
