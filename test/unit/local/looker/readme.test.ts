import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { INPUTS } from "../../../../local/looker/control-input.ts";
import { ROUTES } from "../../../../local/looker/routes.ts";

const page = readFileSync(new URL("../../../../local/looker/README.md", import.meta.url), "utf8");
const section = (heading: string) =>
  page.split(/^## /m).find((text) => text.startsWith(`${heading}\n`)) ?? "";

test("local/looker/README.md lists each route, and no other", () => {
  const routes = section("Routes").matchAll(/`((?:GET|POST|PUT|PATCH|DELETE) \/\S+)`/g);
  expect([...routes].map(([, route]) => route).toSorted()).toEqual(Object.keys(ROUTES).toSorted());
});

test("local/looker/README.md lists each setting, and no other", () => {
  const rows = section("Chosen, because Looker does not document it").matchAll(/\| ([^|]*) \|$/gm);
  const settings = [...rows].flatMap(([, cell = ""]) =>
    [...cell.matchAll(/`(\w+)`/g)].map(([, name]) => name),
  );
  const { token_seconds: _, refresh_token: __, cors_origins: ___, ...undocumented } = INPUTS.settings;
  expect(settings.toSorted()).toEqual(Object.keys(undocumented).toSorted());
});
