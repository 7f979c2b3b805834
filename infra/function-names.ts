/** The functions, each named after its entry file in `functions/`. */
export const functionNames = [
  "issue-token",
  "logout",
  "operate",
  "sweep",
  "check-account",
  "rotate-secret",
] as const;
export type FunctionName = (typeof functionNames)[number];
