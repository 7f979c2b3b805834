/** After a failure Vitest still imports the remaining files. This takes most of the time of a mutation run. */
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
