import { defineConfig } from "vitest/config";

const project = (
  name: string,
  include: string[],
  more: { testTimeout?: number; fileParallelism?: boolean } = {},
) => ({
  test: { name, include, environment: "node", setupFiles: ["test/setup.ts"], hookTimeout: 60_000, ...more },
});

export default defineConfig({
  test: {
    projects: [
      project("unit", ["test/{infra,functions,attack,property}/**/*.test.ts"]),
      project("local", ["test/local/**/*.test.ts"], { testTimeout: 60_000 }),
      // Slower tiers, for .ci/run: AWS's own DynamoDB Local (Java), and the whole broker with curl.
      project("dynamodb-local", ["test/dynamodb-local/**/*.test.ts"], { testTimeout: 60_000 }),
      project("end-to-end", ["test/end-to-end/**/*.test.ts"], {
        testTimeout: 120_000,
        fileParallelism: false,
      }),
    ],
  },
});
