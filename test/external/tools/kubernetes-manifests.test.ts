/** examples/kubernetes, read by kubernetes-types: Kubernetes' own types, without unknown fields. */
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { recipe, start } from "../../support/recipe.ts";
import { pathOf } from "./run.ts";

const reader = pathOf({
  name: "kubernetes-types",
  folder: "TOOLS_BIN",
  command: "kubernetes-types",
  optional: true,
});
const read = (...files: string[]) => start(reader ?? "", files, { env: {} }).ended;

test.skipIf(reader === undefined)("each manifest has the fields of Kubernetes' types", async () => {
  const files = globSync(recipe("kubernetes/*.yaml")).toSorted();
  expect(await read(...files)).toEqual({
    exitCode: 0,
    out: "CronJob reports\nDeployment reports\nServiceAccount reports\nServiceAccount reports\n",
    err: "",
  });
});

test.skipIf(reader === undefined).each([
  ["an unknown field", "restartPolicy: Always", "restartPolice: Always", /unknown field .*restartPolice/],
  ["a wrong type", "replicas: 3", "replicas: three", /cannot unmarshal string/],
  ["a field twice", "replicas: 3", "replicas: 3\n  replicas: 4", /already set/],
  ["an unknown kind", "kind: Deployment", "kind: Deploymant", /no kind "Deploymant"/],
])("%s is refused", async (_, right, wrong, message) => {
  const text = readFileSync(recipe("kubernetes/deployment.yaml"), "utf8");
  expect(text).toContain(right);
  const directory = mkdtempSync(join(tmpdir(), "manifest-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const file = join(directory, "deployment.yaml");
  writeFileSync(file, text.replace(right, wrong));
  expect(await read(file)).toMatchObject({ exitCode: 1, err: expect.stringMatching(message) });
});
