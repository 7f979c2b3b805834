/** SECURITY.md says which test shows what: each of them must be there, under that name. */
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

const root = new URL("../../", import.meta.url);
const page = readFileSync(new URL("SECURITY.md", root), "utf8");

interface Link {
  readonly text: string;
  readonly file: string;
}

const linksIn = (text: string): Link[] =>
  [...text.matchAll(/\[([^\]]+)\]\((?!https:)([^)#]+)(?:#[^)]*)?\)/g)].map(([, text = "", file = ""]) => ({
    text,
    file,
  }));

/** What a link in quotation marks calls a test. */
const nameOf = ({ text }: Link) => /^"(.+)"$/.exec(text)?.[1];

function brokenLinks(links: readonly Link[]): Link[] {
  return links.filter((link) => {
    const file = new URL(link.file, root);
    const name = nameOf(link);
    return !existsSync(file) || (name !== undefined && !readFileSync(file, "utf8").includes(`${name}"`));
  });
}

/** The rows of the table below a heading, without its own head. */
function rowsUnder(heading: string): string[] {
  const [, section = ""] = page.split(`### ${heading}\n`);
  return (section.split("\n### ")[0] ?? "")
    .split("\n")
    .filter((line) => line.startsWith("|"))
    .slice(2);
}

const isShown = (row: string) => linksIn(row).some((link) => nameOf(link) !== undefined);

it("every link leads to a file, and those that name a test to one that has it", () => {
  expect(brokenLinks(linksIn(page))).toEqual([]);
});

it("a link to a file or a test that there is not is found", () => {
  const gone = { text: "a page", file: "docs/no-such-page.md" };
  const renamed = { text: '"no such test, whatever"', file: "test/security/iam/guard.test.ts" };
  expect(brokenLinks([gone, renamed])).toEqual([gone, renamed]);
});

describe("a test shows", () => {
  it("each mistake of others to be avoided", () => {
    const rows = rowsUnder("Mistakes that others have paid for");
    expect(rows.length).toBeGreaterThanOrEqual(16);
    expect(rows.filter((row) => !isShown(row))).toEqual([]);
  });

  it("each way in which a dependency can fail, but for what is assumed of it", () => {
    const rows = rowsUnder("When a dependency is gone, slow, or lies");
    expect(rows.length).toBeGreaterThanOrEqual(28);
    const assumed = rows.filter((row) => row.endsWith("| an assumption |"));
    expect(assumed.length).toBeLessThanOrEqual(2);
    expect(rows.filter((row) => !isShown(row))).toEqual(assumed);
  });
});
