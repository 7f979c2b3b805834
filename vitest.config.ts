import { defineConfig } from "vitest/config";

interface More {
  readonly testTimeout?: number;
  readonly fileParallelism?: boolean;
  readonly maxWorkers?: number;
  readonly isolate?: boolean;
}

/** A project is named after the folder of its tests. */
const project = (name: string, folder: string, more: More) => ({
  test: {
    name,
    include: [`${folder}/**/*.test.ts`],
    environment: "node" as const,
    setupFiles: ["test/support/setup.ts"],
    hookTimeout: 60_000,
    ...more,
  },
});

/**
 * The projects of `npm test`. Their suites share a process, which loads aws-cdk-lib and the AWS SDK once instead of for each
 * suite. So a suite puts back what it changes in the process; `--sequence.shuffle.files` tells whether they all do.
 */
const quick = (name: string, folder = `test/${name}`) =>
  // A guard, not a measurement: synthesis alone takes seconds on a busy machine.
  project(name, folder, { testTimeout: 60_000, isolate: false });

export default defineConfig({
  test: {
    projects: [
      quick("unit"),
      quick("security"),
      quick("model"),
      quick("contracts"),
      quick("soak"),
      quick("client", "client/test"),
      // The command imports the library by its name. tsconfig.json leads to the library's sources.
      { ...quick("cli", "cli/test"), resolve: { tsconfigPaths: true } },
      // Slower tiers, for .ci/run. Each end-to-end file starts a whole broker and waits for most of its time.
      project("end-to-end", "test/end-to-end", { testTimeout: 120_000, maxWorkers: 2 }),
      // Programs by others: DynamoDB Local (Java), moto, cfn-lint and schemathesis (installed in REFERENCE_BIN), tools for
      // Looker (TOOLS_BIN), ministack (ENGINE_BIN), AWS's Runtime Interface Client (built in LAMBDA_RIC).
      project("external", "test/external", { testTimeout: 120_000, fileParallelism: false }),
    ],
  },
});
