import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { ROUTES } from "../../../../local/looker/routes.ts";

test("local/looker/README.md lists each route, and no other", () => {
  const page = readFileSync(new URL("../../../../local/looker/README.md", import.meta.url), "utf8");
  const [, routes = ""] = page.split("## Routes");
  const listed = [...routes.matchAll(/`((?:GET|POST|PUT|PATCH|DELETE) \/\S+)`/g)].map(([, route]) => route);
  expect(listed.toSorted()).toEqual(Object.keys(ROUTES).toSorted());
});
