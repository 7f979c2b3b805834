/** Vitest cancels a run at its first failure, but still imports each file that is left. For a thousand mutants that is most of the time. */
import { TestRunner } from "vitest";

export default class FirstFailure extends TestRunner {
  #cancelled = false;

  override cancel(...args: Parameters<TestRunner["cancel"]>): void {
    this.#cancelled = true;
    super.cancel(...args);
  }

  override importFile(...args: Parameters<TestRunner["importFile"]>): unknown {
    return this.#cancelled ? undefined : super.importFile(...args);
  }
}
