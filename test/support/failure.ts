/** The error that a promise ends with. */
// biome-ignore lint/suspicious/noExplicitAny: a test reads what it expects, and fails where that is missing.
export async function failure(promise: Promise<unknown>): Promise<any> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("It was to fail, and did not.");
}
