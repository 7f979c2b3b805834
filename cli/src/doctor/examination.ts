/** The checks of `looker-token doctor`, one after the other. A check whose needs are missing is skipped. */
import { exitCodes } from "../exit-codes.ts";
import { type Failure, failureOf } from "../failure.ts";

export type Word = "ok" | "warn" | "fail" | "skipped";

export interface Line {
  readonly check: string;
  readonly result: Word;
  /** A sentence, without anything secret. */
  readonly found: string;
  /** The next step of the user, if there is one. */
  readonly next?: string;
  /** Of the error, as in the JSON of other commands. */
  readonly code?: string;
}

/** The value for later checks, with the text of the line. */
export interface Finding<Value> {
  readonly value: Value;
  readonly found: string;
  /** Makes it a warning. */
  readonly next?: string | undefined;
}

/** A failure of the doctor's own finding. */
export class Trouble extends Error {
  override readonly name = "Trouble";
  readonly failure: Failure;

  constructor(code: string, exitCode: number, message: string, hint: string) {
    super(message);
    this.failure = { code, exitCode, message, hint };
  }
}

/** A line that fails is never left alone. */
const anyway = "Tell the operators of the broker, with these lines.";

type Present<Needs extends readonly unknown[]> = { [At in keyof Needs]: Exclude<Needs[At], undefined> };

export class Examination {
  readonly lines: Line[] = [];
  /** Of the first failure. */
  exitCode: number = exitCodes.ok;
  readonly #onLine: (line: Line) => void;

  constructor(onLine: (line: Line) => void) {
    this.#onLine = onLine;
  }

  /** `needs`: values of earlier checks. @returns undefined where it failed or was skipped. */
  async check<const Needs extends readonly unknown[], Value>(
    name: string,
    needs: Needs,
    look: (...needs: Present<Needs>) => Promise<Finding<Value>> | Finding<Value>,
  ): Promise<Value | undefined> {
    if (needs.includes(undefined)) {
      this.skip(name, "An earlier check has to be put right first.");
      return undefined;
    }
    try {
      const { value, found, next } = await look(...(needs as unknown as Present<Needs>));
      this.#add({ check: name, result: next === undefined ? "ok" : "warn", found, ...(next && { next }) });
      return value;
    } catch (error) {
      const { exitCode, code, message, hint } = error instanceof Trouble ? error.failure : failureOf(error);
      if (this.exitCode === exitCodes.ok) this.exitCode = exitCode;
      this.#add({ check: name, result: "fail", found: message, next: hint ?? anyway, code });
      return undefined;
    }
  }

  skip(name: string, found: string): void {
    this.#add({ check: name, result: "skipped", found });
  }

  #add(line: Line): void {
    this.lines.push(line);
    this.#onLine(line);
  }
}
