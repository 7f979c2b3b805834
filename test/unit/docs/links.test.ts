/** Links of all pages: each leads to a file and its anchor to a heading there. Paths in code are paths of the repository. */
import { existsSync, globSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import GithubSlugger from "github-slugger";
import { lexer, type Token, walkTokens } from "marked";
import { describe, expect, it } from "vitest";

const root = new URL("../../../", import.meta.url);
const notOurs = ["node_modules", "cdk.out", "dist", ".cache", ".git", ".local"].map(
  (name) => `**/${name}/**`,
);
const pages = globSync(["**/*.md", ".github/**/*.md"], {
  cwd: fileURLToPath(root),
  exclude: notOurs,
}).toSorted();

interface Page {
  readonly links: readonly string[];
  readonly codeSpans: readonly string[];
  readonly anchors: ReadonlySet<string>;
}

function parse(markdown: string): Page {
  const slugger = new GithubSlugger();
  const [links, codeSpans, anchors] = [[] as string[], [] as string[], new Set<string>()];
  walkTokens(lexer(markdown), (token) => {
    if (token.type === "link" || token.type === "image") links.push(token.href);
    if (token.type === "codespan") codeSpans.push(token.text);
    if (token.type === "heading") anchors.add(slugger.slug(textOf(token)));
  });
  return { links, codeSpans, anchors };
}

/** A heading without marks of code, links and stress: GitHub makes the anchor from this text. */
const textOf = (token: Token): string =>
  "tokens" in token && token.tokens ? token.tokens.map(textOf).join("") : "text" in token ? token.text : "";

function leadsNowhere(link: string, page: URL, anchors: Page["anchors"]): boolean {
  if (/^[a-z][a-z\d+.-]*:/i.test(link)) return false;
  const { hash, pathname } = new URL(link, page);
  const heading = decodeURIComponent(hash.slice(1));
  if (link.startsWith("#")) return !anchors.has(heading);
  const file = new URL(pathname, page);
  if (!existsSync(file)) return true;
  if (hash === "" || !pathname.endsWith(".md")) return false;
  return !parse(readFileSync(file, "utf8")).anchors.has(heading);
}

/** A path from the root of the repository, such as `functions/domain/slot.ts`. */
const isPath = (code: string) =>
  /^(?:bench|cli|client|client-python|docs|examples|functions|infra|local|probe|test)\/[\w./-]+\.\w+$/.test(
    code,
  );

function brokenLinks(markdown: string, page: URL): string[] {
  const { links, codeSpans, anchors } = parse(markdown);
  const paths = codeSpans.filter((code) => isPath(code) && !existsSync(new URL(code, root)));
  return [...links.filter((link) => leadsNowhere(link, page, anchors)), ...paths];
}

it.each(pages)("each link of %s leads somewhere", (page) => {
  const url = new URL(page, root);
  expect(brokenLinks(readFileSync(url, "utf8"), url)).toEqual([]);
});

describe("is found", () => {
  it.each([
    ["a file that there is not", "[x](docs/no-such-page.md)", "docs/no-such-page.md"],
    [
      "a heading that there is not, on another page",
      "[x](SECURITY.md#no-such-heading)",
      "SECURITY.md#no-such-heading",
    ],
    ["a heading that there is not, on the page itself", "# A `b` [c](LICENSE)\n[x](#a-b-d)", "#a-b-d"],
    ["a link by reference", "[x][y]\n\n[y]: docs/gone.md", "docs/gone.md"],
    ["a picture that there is not", "![x](docs/gone.svg)", "docs/gone.svg"],
    ["a path that has moved", "`functions/core/slot.ts`", "functions/core/slot.ts"],
  ])("%s", (_, markdown, broken) => {
    expect(brokenLinks(markdown, new URL("README.md", root))).toEqual([broken]);
  });
});

it("a link to where there is something is good", () => {
  const markdown =
    "# A `b` [c](LICENSE)\n[x](#a-b-c) [x](docs) [x](docs/how-to/deploy.md#alarms) [x](https://example.com/#y)";
  expect(brokenLinks(markdown, new URL("README.md", root))).toEqual([]);
});
