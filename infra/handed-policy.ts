/** An IAM policy for another team, as JSON and as Terraform. */

export interface HandedStatement {
  readonly actions: readonly string[];
  readonly resources: readonly string[];
}

export const policyOf = (statements: readonly HandedStatement[]) => ({
  Version: "2012-10-17",
  Statement: statements.map(({ actions, resources }) => ({
    Effect: "Allow",
    Action: actions.length === 1 ? actions[0] : actions,
    Resource: resources,
  })),
});

export const terraformOf = (name: string, statements: readonly HandedStatement[]): string =>
  [
    `data "aws_iam_policy_document" "${name}" {`,
    ...statements.flatMap(({ actions, resources }) => [
      "  statement {",
      actions.length === 1 ? `    actions   = ["${actions[0]}"]` : list("actions  ", actions),
      list("resources", resources),
      "  }",
    ]),
    "}",
    "",
  ].join("\n");

const list = (argument: string, items: readonly string[]) =>
  [`    ${argument} = [`, ...items.map((item) => `      "${item}",`), "    ]"].join("\n");
