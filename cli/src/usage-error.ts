/** What the user wrote cannot be done; the message says how to write it. */
export class UsageError extends Error {
  override readonly name = "UsageError";
  readonly exitCode: number;

  /** 2, but for a command that cannot be run. */
  constructor(message: string, exitCode = 2) {
    super(message);
    this.exitCode = exitCode;
  }
}
