/** `looker-token doctor`: checks for a caller with a call that fails. The output has no secret, so it can go into a ticket. */
import { brokerOf, scopeOf } from "../broker.ts";
import type { RequiredGrant } from "../broker-file.ts";
import { checkCredentials, checkIdentity, checkScope } from "../doctor/caller.ts";
import { Examination, type Line, type Word } from "../doctor/examination.ts";
import { checkEndpoint, checkProgram } from "../doctor/place.ts";
import { checkLooker, checkToken } from "../doctor/token.ts";
import { checkClock, checkNetwork, checkProxy } from "../doctor/way.ts";
import type { OptionValues } from "../options.ts";
import type { Terminal } from "../terminal.ts";
import { wrapped } from "../wrapped.ts";

export async function doctor(io: Terminal, values: OptionValues): Promise<number> {
  const examination = new Examination((line) => {
    if (!values.json) io.print(shown(io, line));
  });
  const scopeGiven = values.scope ?? process.env.LOOKER_BROKER_SCOPE;
  const grant: RequiredGrant = scopeGiven ? { may: "call", scope: scopeGiven } : { may: "any" };

  await examination.check("program", [], checkProgram);
  const connection = await examination.check("endpoint", [], () => checkEndpoint(values, grant));
  const broker = connection && brokerOf(io, values, grant);
  await examination.check("proxy", [], checkProxy);
  const reached = await examination.check("network", [connection], checkNetwork);
  const clock = await examination.check("clock", [reached], (answer) => checkClock(answer));
  const credentials = await examination.check("credentials", [connection], (at) =>
    checkCredentials(at, values),
  );
  const grants = await examination.check("identity", [broker, clock, credentials], (at) => checkIdentity(at));
  if (grants && !scopeGiven) {
    const names = grants.map(({ scope }) => scope).join(", ") || "none";
    for (const name of ["scope", "token", "looker"])
      examination.skip(name, `Pass --scope NAME to check a scope. You are in ${names}.`);
  } else {
    const given = await examination.check("scope", [grants], (all) => checkScope(all, scopeOf(values)));
    const token = await examination.check("token", [broker, given], checkToken);
    await examination.check("looker", [token], checkLooker);
  }
  if (values.json) io.print(`${JSON.stringify({ checks: examination.lines }, null, 2)}\n`);
  return examination.exitCode;
}

const colours = { ok: "green", warn: "yellow", fail: "red", skipped: "dim" } as const satisfies Record<
  Word,
  string
>;

const [wordWidth, nameWidth, columns] = [9, 13, 80];

function shown(io: Terminal, { check, result, found, next }: Line): string {
  const width = columns - wordWidth - nameWidth;
  const texts = [...wrapped(found, width), ...wrapped(next ? `→ ${next}` : "", width)].filter(Boolean);
  return texts
    .map((text, at) =>
      at === 0
        ? `${io.paint(colours[result], result)}${" ".repeat(wordWidth - result.length)}${check.padEnd(nameWidth)}${text}\n`
        : `${" ".repeat(wordWidth + nameWidth)}${text}\n`,
    )
    .join("");
}
