import { describe, expect, it } from "vitest";
import { parseQuery } from "../../../../local/insights/parse.ts";
import { InsightsError } from "../../../../local/insights/syntax.ts";

describe("a query outside the subset is an error", () => {
  it.each([
    ["dedup code | display code", /command dedup/],
    ["filter not ispresent(code) | display code", /comparison, not ispresent/],
    ['filter strcontains(code, "x") | display code', /function strcontains/],
    ["stats avg(ms) as ms by code", /function avg of stats/],
    ["stats count(*) by code", /Expected as/],
    ["stats count(*) as all", /Expected by/],
    ["fields ispresent(code)", /Expected as/],
    ["fields code, bin(1h) as hour", /Expected a \| or the end/],
    ['filter code like "x" | display code', /pattern between slashes/],
    ["limit all", /Expected a number/],
    ["sort code | display code", /Expected asc/],
    ["display code limit 3", /Expected a \| or the end, not limit/],
    ["filter code = 'ok' | display code", /Cannot read/],
    ["filter `code` = 1 | display code", /Cannot read/],
    ["display code # a comment", /Cannot read/],
    ["# a comment", /Expected a command/],
    ["fields bin(90m) as t | display t", /CloudWatch makes 60/],
    ["fields bin(2w) as t | display t", /period 2w/],
    ["parse @message /(?=x)(?<y>.)/ | display y", /look-around/],
    ["parse @message /x/ | display y", /named group/],
    ["", /Expected a command/],
  ])("%s", (query, message) => {
    expect(() => parseQuery(query)).toThrow(InsightsError);
    expect(() => parseQuery(query)).toThrow(message);
  });
});
