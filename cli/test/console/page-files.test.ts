import { expect, test } from "vitest";
import { pageFiles } from "../../src/console/page-files.ts";

test("the page is four files, and stays small", async () => {
  const files = await pageFiles();
  expect([...files.keys()]).toEqual(["", "page.css", "icon.svg", "page.js"]);
  const bytes = [...files.values()].reduce((sum, file) => sum + file.bytes.length, 0);
  // Preact is 13.7 kB of it. A library that comes in by mistake would be more than the rest.
  expect(bytes).toBeLessThan(55_000);
});

test("each copy of the page has Preact's licence with it", async () => {
  const script = (await pageFiles()).get("page.js")?.bytes.toString();
  expect(script).toContain("Permission is hereby granted, free of charge");
});
