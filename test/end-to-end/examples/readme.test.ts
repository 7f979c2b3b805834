/** examples/README.md shows lines of the files that it links to, and no others. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { recipe } from "../../support/recipe.ts";

const [intro = "", ...sections] = readFileSync(recipe("README.md"), "utf8").split("\n## ");
const linked = (text: string) => [...text.matchAll(/\]\(([^)#:]+)\)/g)].map(([, path = ""]) => path);

test("the index links to all recipes, and to nothing that there is not", () => {
  const folders = readdirSync(recipe(""), { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const examples = linked(intro).filter((path) => !path.startsWith("../"));
  expect([...new Set(examples)].toSorted()).toEqual(folders.map(({ name }) => name).toSorted());
  expect([...linked(intro), ...linked(sections.join())].filter((path) => !existsSync(recipe(path)))).toEqual(
    [],
  );
});

test.each([
  ["Node service", "diff"],
  ["Lambda function", "ts"],
  ["Python service", "diff"],
  ["Scheduled job", "sh"],
])("the lines of %s are those of its files", (title, language) => {
  const section = sections.find((each) => each.startsWith(title)) ?? "";
  const [, code = ""] = new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, "s").exec(section) ?? [];
  const shown = code.split("\n").filter((line) => line !== "" && !line.startsWith("-"));
  const files = linked(section).flatMap((path) => readFileSync(recipe(path), "utf8").split("\n"));
  expect(shown.length).toBeGreaterThan(0);
  expect(shown.filter((line) => !files.includes(line.replace(/^\+/, "")))).toEqual([]);
});
