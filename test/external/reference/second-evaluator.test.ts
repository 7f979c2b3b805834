/**
 * The questions of test/security/iam, put to a second evaluator: PMapper (https://github.com/nccgroup/PMapper). It shares no code with
 * the first. `differences` lists each kind of question with two answers, and AWS's own answer to it.
 */
import { execFile, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";
import type { PolicyDocument } from "../../../local/stack/policy-document.ts";
import { type Decision, decisionsFile } from "../../support/iam/evaluator.ts";
import { tool } from "./tools.ts";

interface Kind {
  readonly reason: string;
  is(decision: Decision): boolean;
}

/** PMapper cannot be asked these. */
const unaskable: readonly Kind[] = [
  {
    reason: "Nobody has signed. PMapper asks for a user or a role.",
    is: ({ principal }) => principal === undefined,
  },
  {
    reason: "The account's root user has signed. PMapper asks for a user or a role.",
    is: ({ principal }) => principal?.roleArn.endsWith(":root") ?? false,
  },
];

const accountOf = (arn = "") => arn.split(":")[4] ?? "";

/** The answers differ. `right` is by AWS's documentation. */
const differences: readonly (Kind & { readonly right: "first" | "second"; readonly source: string })[] = [
  {
    reason:
      "A role of another account, and a resource without a policy. PMapper then asks the role's policies alone. AWS asks both accounts, and nothing allows the role in the resource's account.",
    right: "first",
    source:
      "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html",
    is: ({ principal, resource, resourcePolicy, verdict }) =>
      resourcePolicy === undefined &&
      accountOf(resource) !== "" &&
      accountOf(resource) !== accountOf(principal?.roleArn) &&
      verdict === "implicit deny",
  },
];

/** The broker's own conditions on resources. Without them the second evaluator gives some question another answer, so it judges by them. */
const conditioned: Readonly<Record<string, string>> = {
  "the sealing key's encryption context": "kms:Decrypt",
  "the table's Deny": "dynamodb:GetItem",
  "the API's resource policy": "execute-api:Invoke",
};

/** The same of the roles that look after the service accounts. */
const conditionedRoles: readonly (readonly [role: string, sid: RegExp])[] = [
  ["CheckAccount", /^UseSealingKey$/],
  ["CheckAccount", /^DecryptScopeSecrets/],
  ["RotateSecret", /^ReadAndWriteRows$/],
  ["RotateSecret", /^QueryRows$/],
  ["RotateSecret", /^UseKeysOfSecrets/],
];

let decisions: readonly Decision[];
beforeAll(async () => {
  const directory = mkdtempSync(join(tmpdir(), "iam-decisions-"));
  const file = join(directory, "decisions.jsonl");
  const vitest = fileURLToPath(new URL("../../../node_modules/vitest/vitest.mjs", import.meta.url));
  try {
    const tests = ["run", "--project", "security", "test/security/iam"];
    const env = { ...process.env, [decisionsFile]: file };
    await promisify(execFile)(process.execPath, [vitest, ...tests], { env, maxBuffer: 1e8 });
    const each = new Set(readFileSync(file, "utf8").split("\n").filter(Boolean));
    decisions = [...each].map((line) => JSON.parse(line));
  } finally {
    rmSync(directory, { recursive: true });
  }
}, 300_000);

const askable = () => decisions.filter((decision) => !unaskable.some(({ is }) => is(decision)));

/** The decisions that the second evaluator does not share. */
async function differing(asked: readonly Decision[]): Promise<Decision[]> {
  const script = fileURLToPath(new URL("second_evaluator.py", import.meta.url));
  const evaluator = spawn(tool("python3"), [script], { stdio: ["pipe", "pipe", "inherit"] });
  evaluator.stdin.end(asked.map((decision) => JSON.stringify(decision)).join("\n"));
  const answers = (await text(evaluator.stdout)).trim().split("\n");
  expect(answers).toHaveLength(asked.length);
  return asked.filter(({ verdict }, index) => (verdict === "allowed") !== (answers[index] === "allowed"));
}

describe("the second evaluator", () => {
  it("agrees with the first on every question, but for the differences on the list", async () => {
    const found = await differing(askable());
    expect(found.filter((decision) => !differences.some(({ is }) => is(decision)))).toEqual([]);
    // An entry that has become wrong must leave its list.
    for (const { reason, is } of differences) expect([reason, found.some(is)]).toEqual([reason, true]);
    for (const { reason, is } of unaskable) expect([reason, decisions.some(is)]).toEqual([reason, true]);
  }, 120_000);

  it.each(Object.entries(conditioned))(
    "judges by the conditions of %s",
    async (_, action) => {
      const asked = askable().filter((decision) => decision.action === action && decision.resourcePolicy);
      const open = asked.map(({ resourcePolicy, ...decision }) => ({
        ...decision,
        ...(resourcePolicy && { resourcePolicy: withoutConditions(resourcePolicy) }),
      }));
      expect(await differing(open)).not.toEqual([]);
    },
    120_000,
  );

  it.each(conditionedRoles)(
    "judges the role of %s by the conditions of %s",
    async (role, sid) => {
      const asked = askable().filter(({ principal }) => principal?.roleArn.includes(role));
      const open = asked.map((decision) => ({
        ...decision,
        ...(decision.principal && {
          principal: {
            ...decision.principal,
            policies: decision.principal.policies.map((policy) => withoutConditions(policy, sid)),
          },
        }),
      }));
      expect(await differing(open)).not.toEqual([]);
    },
    120_000,
  );
});

const withoutConditions = (policy: PolicyDocument, sid = /./): PolicyDocument => ({
  ...policy,
  Statement: [policy.Statement].flat().map((statement) => {
    const { Condition: _, ...open } = statement;
    return sid.test(statement.Sid ?? "-") ? open : statement;
  }),
});
