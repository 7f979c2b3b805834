/** What the user wrote cannot be done; the message says how to write it, or the hint does. */
export class UsageError extends Error {
  override readonly name = "UsageError";
  readonly exitCode: number;
  readonly hint: string | undefined;

  /** `exitCode` is 2, but for a command that cannot be run. */
  constructor(
    message: string,
    { exitCode = 2, hint }: { exitCode?: number | undefined; hint?: string } = {},
  ) {
    super(message);
    this.exitCode = exitCode;
    this.hint = hint;
  }
}
