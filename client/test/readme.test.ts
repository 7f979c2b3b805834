import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { hints } from "../src/errors/error-codes.ts";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");

it.each(Object.entries(hints))("the README says what to do about %s", (code, hint) => {
  const row = readme.split("\n").find((line) => line.startsWith(`| \`${code}\` |`));
  expect(row?.endsWith(`| ${hint} |`)).toBe(true);
});
