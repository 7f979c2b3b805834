/** `.local/records.jsonl`: the functions' records, as CloudWatch Logs would have them, for `npm run ask`. */
import { mkdirSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { dirname } from "node:path";

/** Begins an empty file that only its owner can read. Returns a writer, which takes every line that a function writes. */
export function startRecordFile(file: string): (line: string) => void {
  mkdirSync(dirname(file), { recursive: true });
  // A new file, not an emptied one: a broker that runs already goes on writing to what was its own.
  rmSync(file, { force: true });
  const descriptor = openSync(file, "ax", 0o600);
  return (line) => {
    if (isAuditRecord(line)) writeSync(descriptor, `${line}\n`);
  };
}

/** @throws where no broker was ever started. */
export function readRecordFile(file: string): string[] {
  // The last line may be half written.
  return readFileSync(file, "utf8").split("\n").slice(0, -1);
}

/** Not, for instance, what Node says about a deprecation. */
export function isAuditRecord(line: string): boolean {
  if (!line.startsWith("{")) return false;
  try {
    return ["audit", "mint", "lease_end"].includes((JSON.parse(line) as { kind?: string }).kind ?? "");
  } catch {
    return false;
  }
}
