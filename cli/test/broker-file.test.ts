import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { findLocalBroker, localPrincipal } from "../src/broker-file.ts";

const principal = (name: string, scopes: string[], operates: string[] = []) => ({
  access_key_id: name,
  secret_access_key: "k",
  scopes,
  operates,
});

const broker = {
  endpoint: "http://127.0.0.1:4180/v1",
  region: "us-east-1",
  principals: {
    report: principal("report", ["sales"]),
    money: principal("money", ["finance"]),
    platform: principal("platform", [], ["sales", "finance"]),
  },
};

function directoryWith(content?: object): string {
  const directory = mkdtempSync(join(tmpdir(), "broker-file-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  mkdirSync(join(directory, "a/b"), { recursive: true });
  mkdirSync(join(directory, ".local"));
  if (content) writeFileSync(join(directory, ".local/broker.json"), JSON.stringify(content));
  return directory;
}

test("the file is found from a directory below", () => {
  expect(findLocalBroker(join(directoryWith(broker), "a/b"))).toEqual(broker);
});

test("says how to start a broker when none runs", () => {
  expect(() => findLocalBroker(join(directoryWith(), "a"))).toThrow(
    expect.objectContaining({
      message: expect.stringContaining("No broker runs here"),
      hint: "`npm start` starts one.",
    }),
  );
});

test.each([
  ["a caller of the scope", { may: "call", scope: "finance" } as const, "money"],
  ["a caller of any scope", { may: "call", scope: undefined } as const, "report"],
  ["an operator of the scope", { may: "operate", scope: "sales" } as const, "platform"],
  ["anyone", { may: "any" } as const, "report"],
  // The broker says that it may not; a guess here could not say it better.
  ["anyone where nobody may", { may: "call", scope: "nosuch" } as const, "report"],
])("without --as it is %s", (_, grant, name) => {
  expect(localPrincipal(broker, undefined, grant).access_key_id).toBe(name);
});

test("--as names the principal, and a name that is not there is answered with those that are", () => {
  expect(localPrincipal(broker, "money", { may: "call", scope: "sales" }).access_key_id).toBe("money");
  for (const name of ["nobody", "toString", "__proto__"])
    expect(() => localPrincipal(broker, name, { may: "any" })).toThrow(
      expect.objectContaining({
        message: `The local broker has no principal ${name}.`,
        hint: "There are report, money, platform.",
      }),
    );
});

test.each([
  ["is no JSON", '{"endpoint": "http://127'],
  ["is other JSON", "null"],
  ["names no principals", '{"endpoint": "http://127.0.0.1:4180/v1", "region": "us-east-1"}'],
])("a file that %s is named, with what to do", (_, text) => {
  const directory = directoryWith();
  const file = join(directory, ".local/broker.json");
  writeFileSync(file, text);
  expect(() => findLocalBroker(directory)).toThrow(`${file} is not as \`npm start\` writes it`);
});
