/** The verdict on a soak. Pure. */
import type { Measured } from "./messages.ts";

export interface Sample extends Measured {
  readonly atSeconds: number;
}

export interface Soaked {
  readonly samples: readonly Sample[];
  /** All answers by their kind, such as `broker 200`. */
  readonly counts: Readonly<Record<string, number>>;
  readonly unexplained: readonly string[];
  readonly usedAfterRevocation: readonly string[];
  readonly sessions: number;
  readonly kills: number;
  /** Tokens that worked at Looker after everything had been revoked and swept. */
  readonly tokensLeft: number;
}

/** 25 instances of 20 to 30 MB, and 200 MB for the program, the stand-ins and their garbage. Six minutes never had more than 830 MB. */
const maxResidentMb = 1_000;
/** Services, operators and jobs of the soak keep far fewer connections. */
const maxSockets = 400;
/** Looker is away, a scope is frozen or an instance is killed for the rest of the time. */
const leastGoodShare = 0.75;
/** At the start twenty cold instances share the cores, and each service may be told `busy` once or twice. Later it must be rare. */
const mostBusyShare = 0.01;
/** The rows of 20 services, and of the scopes, secrets and sweeps. */
const fixedRows = 60;

/** One sentence for each promise that did not hold. */
export function faultsOf(soaked: Soaked): string[] {
  const { samples, sessions, kills } = soaked;
  const faults: string[] = [];
  const say = (broken: boolean, sentence: string) => broken && faults.push(sentence);
  const most = (of: keyof Measured, among = samples) => Math.max(0, ...among.map((sample) => sample[of]));

  say(
    soaked.unexplained.length > 0,
    `${soaked.unexplained.length} answers have no explanation: ${soaked.unexplained.slice(0, 5).join("; ")}.`,
  );
  say(
    soaked.usedAfterRevocation.length > 0,
    `${soaked.usedAfterRevocation.length} tokens worked after their end had been confirmed: ${soaked.usedAfterRevocation.slice(0, 5).join("; ")}.`,
  );
  say(
    most("residentMb") > maxResidentMb,
    `The process had ${Math.round(most("residentMb"))} MB. At most ${maxResidentMb} MB are allowed.`,
  );
  say(
    most("sockets") > maxSockets,
    `The process had ${most("sockets")} open sockets. At most ${maxSockets} are allowed.`,
  );
  const all = Object.values(soaked.counts).reduce((sum, count) => sum + count, 0);
  const good = (soaked.counts["broker 200"] ?? 0) / all;
  say(!(good >= leastGoodShare), `Only ${Math.round(good * 100)} of 100 answers are good.`);
  const busy = (soaked.counts["broker 503 busy"] ?? 0) / all;
  say(busy > mostBusyShare, `${(busy * 100).toFixed(1)} of 100 answers are "busy".`);
  const allowedRows = fixedRows + sessions;
  say(
    most("rows") > allowedRows,
    `The table had ${most("rows")} rows. ${sessions} sessions and 20 services explain ${allowedRows}.`,
  );
  // A login's answer is lost with the instance that waited for it. Looker ends such a token after an hour.
  say(
    soaked.tokensLeft > kills,
    `${soaked.tokensLeft} tokens still worked at the end. ${kills} killed instances explain as many at most.`,
  );

  // The first third warms up: each instance is started and its code compiled.
  const third = Math.floor(samples.length / 3);
  const [middle, last] = [samples.slice(third, 2 * third), samples.slice(2 * third)];
  const [before, after] = [most("residentMb", middle), most("residentMb", last)];
  say(
    third > 0 && after > before * 1.1 + 50,
    `Memory grew from ${Math.round(before)} MB in the middle third to ${Math.round(after)} MB in the last.`,
  );
  return faults;
}
