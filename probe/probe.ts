/** `npm run probe`. Exit codes: 0 all as expected, 1 a surprise, 2 a wrong flag, 3 it could not run. */
import { CannotRun } from "./cannot-run.ts";
import { type Check, type NotTried, type Result, runCheck, type Section } from "./check.ts";
import { forgedIdentity, withoutPolicy } from "./checks/identity.ts";
import { leaseStory } from "./checks/lease.ts";
import { otherScopes } from "./checks/other-scopes.ts";
import { oddPaths } from "./checks/paths.ts";
import { oddRequests } from "./checks/requests.ts";
import { signatures } from "./checks/signatures.ts";
import { ownVerbs } from "./checks/verbs.ts";
import type { Setting } from "./context.ts";
import { type Flags, parseFlags } from "./flags.ts";
import { sender } from "./send.ts";
import { summary, table } from "./table.ts";
import { findTarget } from "./target.ts";
import { whoAmI } from "./who-am-i.ts";

const parsed = parseFlags(process.argv.slice(2), process.env);
if (parsed.kind === "wrong") {
  process.stderr.write(`${parsed.message}\n`);
  process.exitCode = 2;
} else if (parsed.kind === "help") {
  process.stdout.write(parsed.text);
} else {
  try {
    process.exitCode = await probe(parsed.flags);
  } catch (error) {
    const { message } = error as Error;
    process.stderr.write(`${error instanceof CannotRun ? message : `The probe failed: ${message}`}\n`);
    process.exitCode = 3;
  }
}

async function probe(flags: Flags): Promise<0 | 1> {
  const target = await findTarget(flags);
  const { endpoint, region } = target;
  const send = sender(target);
  const { me, scopes } = await whoAmI(send, endpoint, region);
  const scope = scopes.find((each) => each.scope === flags.scope);
  if (!scope)
    throw new CannotRun(
      `${me.arn} is neither a caller nor an operator of ${flags.scope}: ` +
        `${scopes.length === 0 ? "no scope names it" : `it is one of ${scopes.map((each) => each.scope).join(", ")}`}.`,
    );
  const { otherScope } = target;
  if (scopes.some((each) => each.scope === otherScope && each.may.includes("token")))
    throw new CannotRun(`${me.arn} is a caller of ${otherScope}: give another --other-scope.`);

  const sections = await runAll({
    send,
    region,
    me,
    scope,
    ...(otherScope === undefined ? {} : { otherScope }),
    bystander: target.bystander !== undefined,
    looker: flags.looker,
    logout: flags.logout,
  });
  const facts = { endpoint, region, caller: me, scope: scope.scope, may: scope.may };
  const results = sections.flatMap(({ title, results }) =>
    results.map((each) => ({ section: title, ...each })),
  );
  process.stdout.write(
    flags.json
      ? `${JSON.stringify({ ...facts, results }, null, 2)}\n`
      : `${endpoint} (${region}), scope ${scope.scope}\n` +
          `as ${me.arn}, account ${me.account}, ${me.unique_id}, which may: ${scope.may.join(", ")}\n\n` +
          `${table(sections, Boolean(process.stdout.isTTY) && !process.env.NO_COLOR)}\n${summary(sections)}\n`,
  );
  return results.some(({ outcome }) => outcome === "surprise") ? 1 : 0;
}

async function runAll(setting: Setting): Promise<Section[]> {
  const run = async (checks: readonly (Check | NotTried)[]) => {
    const results: Result[] = [];
    for (const check of checks) results.push(await runCheck(setting.send, check));
    return results;
  };
  const token = setting.scope.may.includes("token");
  return [
    { title: "Who did not sign, or not right", results: await run(signatures(setting)) },
    { title: "Somebody without a policy", results: await run(withoutPolicy(setting)) },
    { title: "Who says to be somebody else", results: await run(forgedIdentity(setting)) },
    { title: "What is no request", results: await run(oddRequests(setting)) },
    { title: "Other scopes", results: await run(otherScopes(setting)) },
    { title: "Odd paths", results: await run(oddPaths(setting)) },
    { title: "What the caller may do, and what not", results: await run(ownVerbs(setting)) },
    ...(token ? [{ title: "A lease", results: await leaseStory(setting) }] : []),
  ];
}
