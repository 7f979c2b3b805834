/** An instance's start, or one of its requests: over once its reply and all its output are there. */
import { outputEnd } from "./output-end.mjs";
import type { FromInstance } from "./protocol.ts";

export class Turn {
  readonly #requestId: string;
  readonly #end = Promise.withResolvers<FromInstance>();
  #reply: FromInstance | undefined;
  /** Of stdout and stderr, those whose end mark has not come. */
  #openStreams = 2;

  constructor(requestId: string) {
    this.#requestId = requestId;
  }

  get end(): Promise<FromInstance> {
    return this.#end.promise;
  }

  /** The first reply counts: a runtime that reports a crash exits next. */
  replied(reply: FromInstance): void {
    this.#reply ??= reply;
    this.#settle();
  }

  /** True for the line that marks the end of a stream's output in this turn. */
  takesMark(line: string): boolean {
    if (line !== outputEnd(this.#requestId)) return false;
    this.#openStreams--;
    this.#settle();
    return true;
  }

  /** `how`: "exit status 1". The marks are not waited for any more. An earlier reply still counts. */
  exited(how: string): void {
    this.#openStreams = 0;
    this.replied(this.#crash("Runtime.ExitError", `Runtime exited with error: ${how}`));
  }

  /** Ends the turn as a crash. An earlier reply does not count. */
  timedOut(problem: string): void {
    this.#end.resolve(this.#crash("Sandbox.Timedout", problem));
  }

  #crash(errorType: string, problem: string): FromInstance {
    const errorMessage = `RequestId: ${this.#requestId} Error: ${problem}`;
    return { kind: "crashed", error: { errorType, errorMessage } };
  }

  #settle(): void {
    if (this.#reply && this.#openStreams <= 0) this.#end.resolve(this.#reply);
  }
}
