/** Nothing could be checked; one line says what to do. */
export class CannotRun extends Error {
  override readonly name = "CannotRun";
}
