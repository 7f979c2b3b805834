/** The programs of requirements.txt: ENGINE_BIN is the `bin` folder of the virtual environment that has them. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";

export function tool(name: "ministack" | "python3"): string {
  const directory = process.env.ENGINE_BIN;
  if (directory === undefined)
    throw new Error(
      `ENGINE_BIN does not say where ${name} is (test/external/foreign-engine/requirements.txt)`,
    );
  const path = resolve(directory, name);
  if (!existsSync(path)) throw new Error(`ENGINE_BIN has no ${name}: ${path}`);
  return path;
}
