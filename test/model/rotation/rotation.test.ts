import { describe, expect, it } from "vitest";
import { broken } from "./broken.ts";
import { loadRotation } from "./core.ts";
import { plain } from "./run.ts";

const core = await loadRotation(new URL("../../../functions/", import.meta.url));

describe("a rotation", () => {
  it("ends with one new pair", async () => {
    expect(await broken(core, plain)).toEqual([]);
  });
});
