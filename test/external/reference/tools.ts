/** The tools of requirements.txt: REFERENCE_BIN is the `bin` folder of the virtual environment that has them. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";

export function tool(name: "aws" | "moto_server" | "cfn-lint" | "python3" | "schemathesis"): string {
  const directory = process.env.REFERENCE_BIN;
  if (directory === undefined)
    throw new Error(`REFERENCE_BIN does not say where ${name} is (test/external/reference/requirements.txt)`);
  const path = resolve(directory, name);
  if (!existsSync(path)) throw new Error(`REFERENCE_BIN has no ${name}: ${path}`);
  return path;
}
