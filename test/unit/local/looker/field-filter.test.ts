import { describe, expect, test } from "vitest";
import { onlyFields } from "../../../../local/looker/field-filter.ts";

const LOOK = {
  id: "20",
  title: "Orders",
  folder: { id: "2", name: "Sales", parent: { id: "1", name: "Shared" } },
};

describe("?fields=", () => {
  test.each([
    ["id", { id: "20" }],
    ["id, title", { id: "20", title: "Orders" }],
    ["folder", { folder: LOOK.folder }],
    ["folder(id)", { folder: { id: "2" } }],
    ["folder(id,parent(name)),title", { title: "Orders", folder: { id: "2", parent: { name: "Shared" } } }],
    ["id,unknown,title(x)", { id: "20", title: "Orders" }],
    ["__proto__,constructor", {}],
    ["id)),title", { id: "20", title: "Orders" }],
    ["(id)", {}],
    ["", LOOK],
    [" , ", LOOK],
  ])("%j of a look", (fields, expected) => {
    expect(onlyFields(LOOK, fields)).toEqual(expected);
  });

  test("a list is filtered item by item, also within an item", () => {
    const models = [{ name: "sales", explores: [{ name: "orders", label: "Orders" }] }];
    expect(onlyFields(models, "explores(name)")).toEqual([{ explores: [{ name: "orders" }] }]);
  });
});
