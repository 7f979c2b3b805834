/** The entry files' handlers, as Lambda would call them: one warm instance of each. */
import { environment } from "../../../functions/contract.ts";
import { apiId, stage } from "../../support/fakes/api-function.ts";

export const entryNames = ["issue-token", "logout", "operate", "sweep"] as const;
export type EntryName = (typeof entryNames)[number];
export type Invoke = (entry: EntryName, event: unknown) => Promise<unknown>;

const timeLeftMs = 28_000;

export async function loadEntries(): Promise<Invoke> {
  for (const variable of Object.values(environment)) process.env[variable] = "fuzzed";
  Object.assign(process.env, { [environment.apiId]: apiId, [environment.apiStage]: stage });
  const loaded = await Promise.all(
    entryNames.map(async (name) => {
      const url = new URL(`../../../functions/${name}.ts`, import.meta.url);
      const { handler } = (await import(url.href)) as {
        handler: (event: unknown, context: object) => Promise<unknown>;
      };
      return [name, handler] as const;
    }),
  );
  const handlers = new Map(loaded);
  const context = {
    awsRequestId: "22222222-3333-4444-5555-666666666666",
    getRemainingTimeInMillis: () => timeLeftMs,
  };
  return async (entry, event) => await handlers.get(entry)?.(event, context);
}
