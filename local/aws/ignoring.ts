/** For a promise's `catch`: turns an error of this name into undefined, and throws any other. */
export const ignoring =
  (name: string) =>
  (error: unknown): undefined => {
    if (!(error instanceof Error) || error.name !== name) throw error;
  };
