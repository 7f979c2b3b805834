/** `.local/records.jsonl`: the records of a run, kept when it stops. */
import { closeSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname } from "node:path";

export interface RecordFile {
  /** Takes every line of the functions, from the start on. */
  write(line: string): void;
  /** Replaces the file of an earlier run, once this run is up. */
  publish(): void;
  /** For a run that did not come up. The records of the earlier run stay. */
  discard(): void;
}

/** Begins an empty file that only its owner can read. */
export function startRecordFile(file: string): RecordFile {
  mkdirSync(dirname(file), { recursive: true });
  const fresh = `${file}.new`;
  rmSync(fresh, { force: true });
  const descriptor = openSync(fresh, "ax", 0o600);
  return {
    write(line) {
      if (isAuditRecord(line)) writeSync(descriptor, `${line}\n`);
    },
    publish: () => renameSync(fresh, file),
    discard() {
      closeSync(descriptor);
      rmSync(fresh, { force: true });
    },
  };
}

/** Not, for instance, what Node says about a deprecation. */
export function isAuditRecord(line: string): boolean {
  if (!line.startsWith("{")) return false;
  try {
    const { kind, time } = JSON.parse(line) as { kind?: unknown; time?: unknown };
    return recordKinds.includes(kind) && typeof time === "string";
  } catch {
    return false;
  }
}

const recordKinds: readonly unknown[] = ["audit", "mint", "lease_end", "account_check", "rotation"];
