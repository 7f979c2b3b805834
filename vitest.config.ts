import { defineConfig } from "vitest/config";

const project = (
  name: string,
  include: string[],
  more: { testTimeout?: number; fileParallelism?: boolean; maxWorkers?: number; isolate?: boolean } = {},
) => ({
  test: { name, include, environment: "node", setupFiles: ["test/setup.ts"], hookTimeout: 60_000, ...more },
});

/**
 * Those of `npm test`: their suites share a process, which loads aws-cdk-lib and the AWS SDK once instead of for each.
 * So a suite puts back what it changes in the process; `--sequence.shuffle.files` tells whether they all do.
 */
const quick = (name: string, include: string[]) =>
  // A guard, not a measurement: synthesis alone takes seconds on a busy machine.
  project(name, include, { testTimeout: 60_000, isolate: false });

export default defineConfig({
  test: {
    projects: [
      quick("unit", ["test/{infra,functions,probe,iam,openapi,audit,attack,property}/**/*.test.ts"]),
      // Those that end in .e2e.test.ts want a whole broker, or the built package.
      quick("client", ["client/test/**/!(*.e2e).test.ts"]),
      quick("local", ["test/local/**/*.test.ts"]),
      // Slower tiers, for .ci/run: AWS's own DynamoDB Local (Java), and the whole broker with curl.
      project("dynamodb-local", ["test/dynamodb-local/**/*.test.ts"], { testTimeout: 60_000 }),
      project("end-to-end", ["test/end-to-end/**/*.test.ts", "client/test/**/*.e2e.test.ts"], {
        testTimeout: 120_000,
        // Each file starts a whole broker, and waits for most of its time.
        maxWorkers: 2,
      }),
      // What moto and cfn-lint, from PyPI, say: REFERENCE_BIN says where they are installed.
      project("reference", ["test/reference/**/*.test.ts"], { testTimeout: 120_000 }),
      // Each bundle under AWS's Runtime Interface Client, which is built elsewhere: LAMBDA_RIC says where.
      project("runtime-interface", ["test/runtime-interface/**/*.test.ts"], {
        testTimeout: 120_000,
        fileParallelism: false,
      }),
    ],
  },
});
