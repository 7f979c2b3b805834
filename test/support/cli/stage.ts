/** A whole local broker, the command, and all that it printed, in which no token and no key may stand. */
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import { writeBrokerFile } from "../../../local/broker-file.ts";
import {
  type Caller,
  callerOf,
  leaksIn,
  type Stand,
  startStand,
  startsWithinMs,
  statusAtLooker,
} from "../broker-stand.ts";
import { emptyTable } from "../empty-table.ts";
import { Command, type Ran, readable } from "./command.ts";
import type { Keys, Shown } from "./pseudo-terminal.ts";

export interface Stage {
  readonly stand: Stand;
  readonly cli: Command;
  /** What was printed otherwise goes in here. */
  readonly printed: string[];
  caller(name: string): Caller;
  /** With `--local`, as readable text. */
  run(...args: string[]): Promise<Ran>;
  onTerminal(args: string[], ...keys: Keys[]): Promise<Shown>;
  lookerTakes(token: string): Promise<number>;
}

/** For one test file: started before its tests, emptied after each. */
export function onStage(options: Parameters<typeof startStand>[0] = {}): Stage {
  let stand: Stand;
  let cli: Command;
  const printed: string[] = [];
  beforeAll(async () => {
    stand = await startStand(options);
    writeBrokerFile(join(stand.workDir, ".local/broker.json"), stand.broker);
    cli = new Command(stand.workDir);
  }, startsWithinMs);
  afterAll(() => stand?.stop());
  afterEach(async () => {
    stand.broker.looker?.control.clearFaults();
    await emptyTable(stand.broker);
    expect(leaksIn(printed.splice(0).join("\n"), stand.secrets)).toBe(0);
  });
  return {
    get stand() {
      return stand;
    },
    get cli() {
      return cli;
    },
    printed,
    caller: (name) => callerOf(stand, name),
    async run(...args) {
      const ran = await cli.run(...args, "--local");
      printed.push(ran.out, ran.err);
      return { ...ran, out: readable(ran.out), err: readable(ran.err) };
    },
    async onTerminal(args, ...keys) {
      const shown = await cli.onTerminal([...args, "--local"], ...keys);
      printed.push(shown.text);
      return { ...shown, text: readable(shown.text) };
    },
    lookerTakes: (token) => statusAtLooker(stand.broker.lookerUrl, token),
  };
}
