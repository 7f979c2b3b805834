/** docs/how-to/runbook.md, as its tests type it: entries by anchor, and the blocks of commands in each. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export const repository = fileURLToPath(new URL("../..", import.meta.url));
export const runbookText = readFileSync(`${repository}docs/how-to/runbook.md`, "utf8");

export interface Entry {
  readonly anchor: string;
  readonly text: string;
  /** The blocks that are marked `sh`, in their order. */
  readonly blocks: readonly string[];
}

/** As GitHub makes them of headings of words alone. */
const anchorOf = (heading: string) => heading.toLowerCase().replaceAll(" ", "-");

export const entries: readonly Entry[] = runbookText
  .split(/^## /m)
  .slice(1)
  .map((section) => {
    const end = section.indexOf("\n");
    const text = section.slice(end);
    const blocks = [...text.matchAll(/^```sh\n([\s\S]*?)^```/gm)].map(([, block = ""]) => block);
    return { anchor: anchorOf(section.slice(0, end)), text, blocks };
  });

export function entryOf(anchor: string): Entry {
  const entry = entries.find((each) => each.anchor === anchor);
  if (!entry) throw new Error(`The runbook has no entry #${anchor}.`);
  return entry;
}

/** Which test file types the commands of which entries. */
export const typedBy = {
  "runbook-leaks.test.ts": ["leaked-token", "leaked-client-secret", "rejected-credentials"],
  "runbook-looker.test.ts": ["looker-unavailable", "pending-logouts", "possible-orphans", "slow-answers"],
  "runbook-callers.test.ts": ["mint-rate", "denied-calls", "throttled", "internal-errors"],
  "runbook-account.test.ts": ["account-findings", "account-check-failed"],
  "runbook-rotation.test.ts": ["rotate-now", "rotation-failed", "rotation-overdue", "pair-not-retired"],
  "runbook-rows.test.ts": [
    "sweeper-stopped",
    "edited-rows",
    "policy-changed",
    "table-restored",
    "region-lost",
  ],
} as const;

/** Blocks, by the text that they begin with, that no test can type, and why. */
export const needsAws: Readonly<Record<string, string>> = {
  "npx cdk bootstrap": "bootstraps and deploys to an AWS account",
};

export const isTyped = (block: string) =>
  !Object.keys(needsAws).some((beginning) => block.startsWith(beginning));
