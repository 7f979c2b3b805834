/** The runbook as a whole: whoever is woken finds an entry, and no command in it is one that nobody has typed. */
import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { entries, needsAws, repository, runbookText, typedBy } from "../support/runbook-document.ts";
import { synthesized } from "../support/synthesized.ts";

const anchors = entries.map(({ anchor }) => anchor);
const preparations = ["first-of-all", "with-the-aws-command"];
const incidents = entries.filter(({ anchor }) => !preparations.includes(anchor));
const [table = ""] = runbookText.split("\n## ");

test("each alarm's description leads to an entry, and the table names the alarm and leads there too", () => {
  const alarms = synthesized().ofType("AWS::CloudWatch::Alarm");
  expect(alarms.length).toBeGreaterThan(10);
  for (const [id, { Properties }] of alarms) {
    const [, anchor = ""] = /docs\/how-to\/runbook\.md#([a-z-]+)$/.exec(Properties.AlarmDescription) ?? [];
    expect(anchors, Properties.AlarmDescription).toContain(anchor);
    const name = /^BrokerAlarms([A-Za-z]+?)[0-9A-F]{8}$/.exec(id)?.[1] ?? "";
    const row = table.split("\n").find((line) => line.includes(`(#${anchor})`));
    const named = [...(row ?? "").matchAll(/`(…?[A-Za-z]+)`/g)].map(([, each = ""]) => each);
    expect(
      named.some((each) => each === name || (each.startsWith("…") && name.endsWith(each.slice(1)))),
      `${name}: ${row}`,
    ).toBe(true);
  }
});

test("the table leads to each entry, and no link leads nowhere", () => {
  for (const { anchor } of incidents) expect(table).toContain(`](#${anchor})`);
  for (const [, anchor] of runbookText.matchAll(/\]\(#([\w-]+)\)/g)) expect(anchors).toContain(anchor);
  for (const [, file = ""] of runbookText.matchAll(/\]\(([\w./-]+\.\w+)(?:#[\w-]+)?\)/g))
    expect(existsSync(`${repository}docs/how-to/${file}`), file).toBe(true);
});

test.each(incidents)(
  "#$anchor says what is seen, when it is over, what to tell callers, and what to do tomorrow",
  ({ text }) => {
    expect(text.trimStart()).toMatch(/^\*\*You see\*\*/);
    const order = ["**It is over when**", "**Tell callers**", "**Tomorrow**"].map((part) =>
      text.indexOf(part),
    );
    expect(order.every((at) => at > 0)).toBe(true);
    expect(order).toEqual(order.toSorted((a, b) => a - b));
  },
);

test("the commands of each entry are typed by one test, which is there", () => {
  expect(Object.values(typedBy).flat().toSorted()).toEqual(incidents.map(({ anchor }) => anchor).toSorted());
  for (const file of Object.keys(typedBy))
    expect(existsSync(`${repository}test/end-to-end/${file}`), file).toBe(true);
});

test("each fence is one of commands, and each that no test can type says why and is still there", () => {
  expect(runbookText.match(/^```\w*$/gm)).toEqual(
    entries.flatMap(({ blocks }) => blocks.flatMap(() => ["```sh", "```"])),
  );
  for (const [beginning, reason] of Object.entries(needsAws)) {
    expect(reason).not.toBe("");
    const blocks = entries.flatMap((entry) => entry.blocks.filter((block) => block.startsWith(beginning)));
    expect(blocks).toHaveLength(1);
  }
});
