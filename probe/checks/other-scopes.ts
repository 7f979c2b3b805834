/** Scopes in which the runner is nobody, and whether it can be told that one of them exists. */
import { type Check, type NotTried, refused, sameRefusal } from "../check.ts";
import { noSuchScope, type ProbeContext } from "../context.ts";
import { verbsOn } from "./verbs.ts";

export function otherScopes({ caller, otherScope }: ProbeContext): (Check | NotTried)[] {
  const unknown = verbsOn(noSuchScope, caller.arn);
  return [
    ...unknown.map(({ name, request }) => ({
      what: `no such scope: ${name}`,
      request,
      expect: refused,
    })),
    ...(otherScope === undefined
      ? [{ what: "a scope of others", flag: "--other-scope NAME" }]
      : // Its operator verbs may be the runner's.
        verbsOn(otherScope, caller.arn).flatMap(({ name, may, request }) =>
          may === "token"
            ? [
                {
                  what: `a scope of others: ${name}`,
                  request,
                  baseline: unknown.find((each) => each.name === name)?.request ?? request,
                  expect: sameRefusal(otherScope, noSuchScope),
                },
              ]
            : [],
        )),
  ];
}
