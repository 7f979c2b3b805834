/** An upgrade from the frozen template to the one of today, as CDK's own diff sees it. */
import { readFileSync } from "node:fs";
import { fullDiff, ResourceImpact } from "@aws-cdk/cloudformation-diff";
import { describe, expect, it } from "vitest";
import { announcedChanges } from "../../support/release/changelog.ts";
import { frozenTemplateFile, todaysTemplate } from "../../support/release/template.ts";

const changelogFile = new URL("../../../CHANGELOG.md", import.meta.url);
const frozen = JSON.parse(readFileSync(frozenTemplateFile, "utf8"));

/** Resources whose loss or replacement loses rows, keys or records. */
const holdsState = /^AWS::(DynamoDB::|KMS::Key$|Logs::LogGroup$)/;
const harmless: readonly ResourceImpact[] = [
  ResourceImpact.NO_CHANGE,
  ResourceImpact.WILL_UPDATE,
  ResourceImpact.WILL_CREATE,
];

type Template = Record<string, Record<string, unknown>>;

const changes = (before: Template, after: Template) =>
  Object.entries(fullDiff(before, after).resources.changes).map(([id, change]) => ({
    id,
    type: change.oldResourceType ?? change.newResourceType ?? "",
    impact: change.changeImpact,
  }));
const lossesIn = (before: Template, after: Template) =>
  changes(before, after)
    .filter(({ type, impact }) => holdsState.test(type) && !harmless.includes(impact))
    .map(({ id, impact }) => [id, impact]);

describe("an upgrade", () => {
  const today = todaysTemplate() as unknown as Template;

  it("replaces nothing that holds state", () => {
    expect(
      Object.values<{ Type: string }>(frozen.Resources).filter(({ Type }) => holdsState.test(Type)).length,
    ).toBe(7);
    expect(lossesIn(frozen, today)).toEqual([]);
  });

  it("changes the resources in CHANGELOG.md, and nothing else", () => {
    const changed = changes(frozen, today).map(({ id }) => id);
    expect(changed.sort()).toEqual(announcedChanges(readFileSync(changelogFile, "utf8")));
  });
});

describe("the check itself", () => {
  const withTable = (edit: (table: { Properties: Record<string, unknown> }) => void) => {
    const copy = structuredClone(frozen);
    const [id] =
      Object.entries<{ Type: string }>(copy.Resources).find(([, { Type }]) =>
        Type.startsWith("AWS::DynamoDB"),
      ) ?? [];
    edit(copy.Resources[id ?? ""]);
    return { id, copy };
  };

  it("sees a table that another key schema replaces", () => {
    const { id, copy } = withTable(({ Properties }) => {
      Properties.KeySchema = [{ AttributeName: "other", KeyType: "HASH" }];
    });
    expect(lossesIn(frozen, copy)).toEqual([[id, "WILL_REPLACE"]]);
  });

  it("sees a table that moved to another logical id", () => {
    const { id = "", copy } = withTable(() => {});
    copy.Resources[`${id}Moved`] = copy.Resources[id];
    delete copy.Resources[id];
    expect(lossesIn(frozen, copy)).toEqual([[id, "WILL_ORPHAN"]]);
  });

  it("takes a change in place", () => {
    const { copy } = withTable(({ Properties }) => {
      Properties.DeletionProtectionEnabled = false;
    });
    expect(lossesIn(frozen, copy)).toEqual([]);
  });
});
