import { expect, it } from "vitest";
import { savedQueries } from "../../../infra/saved-queries.ts";
import { parseQuery } from "../../../local/insights/parse.ts";
import { rotatingScopes, synthesizedHere } from "../../support/synthesized.ts";

it("saves each question as a query, in a folder of the broker's name", () => {
  const { ofType, stack } = synthesizedHere();
  const saved = ofType("AWS::Logs::QueryDefinition").map(([, { Properties }]) => Properties);
  expect(saved.map(({ Name }) => Name).sort()).toEqual(
    savedQueries.map(({ name }) => `${stack.broker.name}/${name}`).sort(),
  );
  for (const { Name, QueryString } of saved) {
    // https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-logs-querydefinition.html
    expect(Name).toMatch(/^(?:[^:*/]+\/?)*[^:*/]+$/);
    const question = savedQueries.find(({ name }) => Name.endsWith(`/${name}`));
    expect(QueryString).toBe(`# ${question?.asks}\n# ${question?.answer}\n${question?.query}`);
    expect(QueryString.length).toBeLessThan(10_000);
    expect(parseQuery(QueryString)).toEqual(parseQuery(question?.query ?? ""));
  }
});

it("has the console ask for what a question needs, and for nothing else", () => {
  const { ofType } = synthesizedHere();
  for (const [, { Properties }] of ofType("AWS::Logs::QueryDefinition")) {
    const question = savedQueries.find(({ name }) => Properties.Name.endsWith(`/${name}`));
    const asked = question?.placeholders.map(({ name, description }) => ({
      Name: name,
      Description: description,
    }));
    expect(Properties.Parameters ?? []).toEqual(asked);
  }
});

it("reads the log groups of all functions, and the access log only for a question about it", () => {
  const { ofType } = synthesizedHere({ scopes: rotatingScopes });
  const groups = ofType("AWS::Logs::LogGroup").filter(([, { Properties }]) => Properties);
  const ofFunctions = groups
    .map(([id]) => id)
    .filter((id) => /^Broker(?:IssueToken|Logout|Operate|Sweep|CheckAccount|RotateSecret)/.test(id));
  expect(ofFunctions).toHaveLength(6);
  const accessLog = groups.map(([id]) => id).filter((id) => id.includes("AccessLogs"));
  expect(accessLog).toHaveLength(1);
  for (const [, { Properties }] of ofType("AWS::Logs::QueryDefinition")) {
    const question = savedQueries.find(({ name }) => Properties.Name.endsWith(`/${name}`));
    expect(Properties.LogGroupNames.map(({ Ref }: { Ref: string }) => Ref).sort()).toEqual(
      question?.reads === "access log" ? accessLog : ofFunctions.sort(),
    );
  }
});
