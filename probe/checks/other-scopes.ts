/** Scopes in which the runner is nobody, and whether it can be told that one of them exists. */
import { type Check, type NotTried, refused, sameRefusal } from "../check.ts";
import { noSuchScope, type Setting } from "../context.ts";
import { verbsOn } from "./verbs.ts";

export function otherScopes({ me, otherScope }: Setting): (Check | NotTried)[] {
  const unknown = verbsOn(noSuchScope, me.arn);
  return [
    ...unknown.map(({ name, request }) => ({
      what: `no such scope: ${name}`,
      request,
      expect: refused,
    })),
    ...(otherScope === undefined
      ? [{ what: "a scope of others", give: "--other-scope NAME" }]
      : // Its operator verbs may be the runner's.
        verbsOn(otherScope, me.arn).flatMap(({ name, may, request }) =>
          may === "token"
            ? [
                {
                  what: `a scope of others: ${name}`,
                  request,
                  beside: unknown.find((each) => each.name === name)?.request ?? request,
                  expect: sameRefusal(otherScope, noSuchScope),
                },
              ]
            : [],
        )),
  ];
}
