import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { readRecordFile, startRecordFile } from "../../../local/record-file.ts";

let directory: string;
let file: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "record-file-"));
  file = join(directory, ".local", "records.jsonl");
});
afterEach(() => rmSync(directory, { recursive: true }));

const audit = '{"kind":"audit","code":"ok"}';
const leaseEnd = '{"kind":"lease_end"}';

it("keeps the records among the lines that functions write, for its owner's eyes only", () => {
  const keep = startRecordFile(file);
  for (const line of [audit, "(node:1) Warning", "{", '{"kind":"other"}', "", leaseEnd]) keep(line);
  expect(readRecordFile(file)).toEqual([audit, leaseEnd]);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

it("begins anew at each start, whatever a broker that still runs writes to what was its own", () => {
  const before = startRecordFile(file);
  before(audit);
  const keep = startRecordFile(file);
  before(audit);
  keep(leaseEnd);
  expect(readRecordFile(file)).toEqual([leaseEnd]);
});

it("is read without a last line that is half written", () => {
  startRecordFile(file);
  writeFileSync(file, `${audit}\n{"kind":"au`);
  expect(readRecordFile(file)).toEqual([audit]);
});
