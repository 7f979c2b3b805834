/** Stryker runs these tests against each mutant, in the mutant's own process. `MUTATION_ROUND` selects them. */
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Nearest to the core, and quickest, first: the first failure kills the mutant. */
const near = ["test/unit/functions/domain/", "test/unit/functions/use-cases/"];
const far = [
  "test/contracts/slot-table/memory",
  "test/security/",
  "test/unit/functions/http/",
  "test/model/",
];
const order = [...near, ...far];

/** Takes seconds for each mutant, so it is left to the mutants that nothing else killed. */
const slow = "test/unit/functions/use-cases/sweep-fairness.test.ts";

class NearestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) =>
      moduleId.endsWith(slow) ? order.length : order.findIndex((folder) => moduleId.includes(folder));
    return [...files].sort((one, other) => rank(one) - rank(other));
  }
}

const rounds: Record<string, { readonly include: string[]; readonly exclude: string[] }> = {
  near: { include: near.map((folder) => `${folder}*.test.ts`), exclude: [slow] },
  all: {
    include: [
      "test/unit/functions/{domain,use-cases,http}/*.test.ts",
      "test/contracts/slot-table/memory.test.ts",
      "test/security/*.test.ts",
      "test/model/fixed-seed.ts",
    ],
    // These reach the core as others do, after long ways: HTTP, a web server, the synthesis of a stack, megabytes of JSON.
    // The bounds on time that the denial of service has do not hold for instrumented code.
    exclude: [
      "denied-client-id-by-another-spelling",
      "hostile-looker",
      "huge-and-deep-json",
      "regular-expression-denial-of-service",
      "security-page",
      "test-invoke-stage",
      "web-page-against-the-local-run",
    ].map((name) => `test/security/${name}.test.ts`),
  },
};

const { MUTATION_ROUND: round = "all" } = process.env;

export default defineConfig({
  test: {
    ...rounds[round],
    runner: "test/support/mutation/first-failure.ts",
    sequence: { sequencer: NearestFirst },
    setupFiles: ["test/support/setup.ts"],
    // A promise that no mutant settles costs this much.
    testTimeout: 5_000,
    isolate: false,
  },
});
