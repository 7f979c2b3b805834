/** `npm run probe`. Exit codes: 0 all as expected, 1 a surprise, 2 a wrong flag, 3 it could not run. */
import { flagsOrExit } from "../local/command-line.ts";
import { CannotRun } from "./cannot-run.ts";
import { type Check, type NotTried, type Result, runCheck, type Section } from "./check.ts";
import { forgedIdentity, withoutPolicy } from "./checks/identity.ts";
import { leaseLifecycle } from "./checks/lease.ts";
import { otherScopes } from "./checks/other-scopes.ts";
import { oddPaths } from "./checks/paths.ts";
import { oddRequests } from "./checks/requests.ts";
import { signatures } from "./checks/signatures.ts";
import { ownVerbs } from "./checks/verbs.ts";
import type { ProbeContext } from "./context.ts";
import { type ProbeFlags, parseProbeFlags } from "./flags.ts";
import { createSender } from "./send.ts";
import { summary, table } from "./table.ts";
import { findTarget } from "./target.ts";
import { whoAmI } from "./who-am-i.ts";

const flags = flagsOrExit(parseProbeFlags(process.argv.slice(2), process.env));
try {
  process.exitCode = await probe(flags);
} catch (error) {
  const { message } = error as Error;
  process.stderr.write(`${error instanceof CannotRun ? message : `The probe failed: ${message}`}\n`);
  process.exitCode = 3;
}

async function probe(flags: ProbeFlags): Promise<0 | 1> {
  const target = await findTarget(flags);
  const { endpoint, region } = target;
  const send = createSender(target);
  const { caller, scopes } = await whoAmI(send, endpoint, region);
  const scope = scopes.find((each) => each.scope === flags.scope);
  if (!scope)
    throw new CannotRun(
      `${caller.arn} is neither a caller nor an operator of ${flags.scope}: ` +
        `${scopes.length === 0 ? "no scope names it" : `it is one of ${scopes.map((each) => each.scope).join(", ")}`}.`,
    );
  const { otherScope } = target;
  if (scopes.some((each) => each.scope === otherScope && each.may.includes("token")))
    throw new CannotRun(`${caller.arn} is a caller of ${otherScope}: give another --other-scope.`);

  const sections = await runAll({
    send,
    region,
    caller,
    scope,
    ...(otherScope === undefined ? {} : { otherScope }),
    bystander: target.bystander !== undefined,
    looker: flags.looker,
    logout: flags.logout,
  });
  const facts = { endpoint, region, caller, scope: scope.scope, may: scope.may };
  const results = sections.flatMap(({ title, results }) =>
    results.map((each) => ({ section: title, ...each })),
  );
  process.stdout.write(
    flags.json
      ? `${JSON.stringify({ ...facts, results }, null, 2)}\n`
      : `${endpoint} (${region}), scope ${scope.scope}\n` +
          `as ${caller.arn}, account ${caller.account}, ${caller.unique_id}, which may: ${scope.may.join(", ")}\n\n` +
          `${table(sections, Boolean(process.stdout.isTTY) && !process.env.NO_COLOR)}\n${summary(sections)}\n`,
  );
  return results.some(({ outcome }) => outcome === "surprise") ? 1 : 0;
}

async function runAll(context: ProbeContext): Promise<Section[]> {
  const run = async (checks: readonly (Check | NotTried)[]) => {
    const results: Result[] = [];
    for (const check of checks) results.push(await runCheck(context.send, check));
    return results;
  };
  const token = context.scope.may.includes("token");
  return [
    { title: "Who did not sign, or not right", results: await run(signatures(context)) },
    { title: "Somebody without a policy", results: await run(withoutPolicy(context)) },
    { title: "Who says to be somebody else", results: await run(forgedIdentity(context)) },
    { title: "What is no request", results: await run(oddRequests(context)) },
    { title: "Other scopes", results: await run(otherScopes(context)) },
    { title: "Odd paths", results: await run(oddPaths(context)) },
    { title: "What the caller may do, and what not", results: await run(ownVerbs(context)) },
    ...(token ? [{ title: "A lease", results: await leaseLifecycle(context) }] : []),
  ];
}
