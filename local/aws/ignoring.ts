/** For a promise's `catch`: undefined for an error of this name; any other is thrown on. */
export const ignoring =
  (name: string) =>
  (error: unknown): undefined => {
    if (!(error instanceof Error) || error.name !== name) throw error;
  };
