import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { startRecordFile } from "../../../local/record-file.ts";

let directory: string;
let file: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "record-file-"));
  file = join(directory, ".local", "records.jsonl");
});
afterEach(() => rmSync(directory, { recursive: true }));

const records = () => readFileSync(file, "utf8").trimEnd().split("\n");

const time = '"time":"2026-11-24T20:30:56.662Z"';
const audit = `{${time},"kind":"audit","code":"ok"}`;
const mint = `{${time},"kind":"mint"}`;
const leaseEnd = `{${time},"kind":"lease_end"}`;

it("keeps the records among the lines that functions write, for its owner's eyes only", () => {
  const run = startRecordFile(file);
  for (const line of [audit, "(node:1) Warning", "{", '{"kind":"other"}', "", mint, leaseEnd])
    run.write(line);
  run.publish();
  expect(records()).toEqual([audit, mint, leaseEnd]);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

it("begins anew once a run is up, and goes on from what was written before that", () => {
  const before = startRecordFile(file);
  before.publish();
  before.write(audit);
  const run = startRecordFile(file);
  run.write(leaseEnd);
  expect(records()).toEqual([audit]);
  run.publish();
  run.write(audit);
  expect(records()).toEqual([leaseEnd, audit]);
});

it("is left as it is by a run that does not come up", () => {
  const before = startRecordFile(file);
  before.publish();
  before.write(audit);
  const failing = startRecordFile(file);
  failing.write(leaseEnd);
  failing.discard();
  before.write(audit);
  expect(records()).toEqual([audit, audit]);
  expect(readdirSync(dirname(file))).toEqual(["records.jsonl"]);
});
