/** Decisions of the page that need no browser. */
import { describe, expect, test } from "vitest";
import { leaseOf } from "../../../test/support/cli/fake-broker.ts";
import { openerOf } from "../../src/console/open-browser.ts";
import { countsOf, type Selection, selectRows } from "../../src/console/page/rows.ts";

describe("rows", () => {
  const at = (seconds: number) => new Date(Date.UTC(2026, 10, 24) + seconds * 1_000).toISOString();
  const view = (scope: string, ...leases: ReturnType<typeof leaseOf>[]) => ({
    ...{ scope, baseUrl: "", leaseSeconds: 900 },
    leases,
  });
  const sales = view(
    "sales",
    leaseOf("a", { issued_at: at(1), ends_at: at(90), session: "nightly" }),
    leaseOf("b", {
      issued_at: at(2),
      ends_at: at(80),
      caller: "arn:aws:iam::111122223333:role/jobs/forecast",
    }),
    leaseOf("c", { issued_at: at(3), state: "pending", token_ends_at: at(70) }),
  );
  const finance = view(
    "finance",
    leaseOf("d", { issued_at: at(4), ends_at: null, state: "minting", token_ends_at: null }),
  );
  const select = (selection: Partial<Selection>) =>
    selectRows([sales, finance], {
      ...{ scope: undefined, state: "", words: "", sortBy: "age", descending: false },
      ...selection,
    })
      .map(({ lease }) => lease.lease_id)
      .join("");

  test.each([
    ["all, the youngest first", {}, "dcba"],
    ["the oldest first", { descending: true }, "abcd"],
    ["of one scope", { scope: "finance" }, "d"],
    ["of one state", { state: "pending" }, "c"],
    ["with a word of the caller", { words: "FORECAST" }, "b"],
    ["with two words, in any order", { words: "nightly sales" }, "a"],
    ["with a word that nobody has", { words: "nobody" }, ""],
    [
      "by what remains, where a token's end counts once its lease is served no longer",
      { sortBy: "remaining" },
      "cbad",
    ],
  ] as const)("%s", (_, selection, ids) => {
    expect(select(selection)).toBe(ids);
  });

  test("are counted by their state", () => {
    expect(countsOf(sales.leases)).toEqual([
      ["live", 2],
      ["pending", 1],
    ]);
  });
});

describe("the browser is opened", () => {
  const link = "http://127.0.0.1:1/p/?key=k";

  test("on macOS without the link among the arguments", () => {
    const opener = openerOf(link, "darwin", {});
    expect(opener?.args.join()).not.toContain("key");
    expect(opener?.input).toContain(link);
  });

  test("on Linux where there is a desktop, and nowhere else", () => {
    expect(openerOf(link, "linux", { DISPLAY: ":0" })?.program).toBe("xdg-open");
    expect(openerOf(link, "linux", {})).toBeUndefined();
  });

  test("not over SSH, where the desktop is another machine's", () => {
    expect(openerOf(link, "darwin", { SSH_CONNECTION: "1" })).toBeUndefined();
  });
});
