/** Lambda: rotates secrets. It refuses every event until its use case is here. */
import { environment, scopesFile } from "./contract.ts";
import { loadScopes, required } from "./wiring.ts";

const config = {
  tableName: required(process.env, environment.tableName),
  brokerName: required(process.env, environment.brokerName),
  scopes: loadScopes(new URL(scopesFile, import.meta.url), required(process.env, environment.accountId)),
};

export async function handler(): Promise<never> {
  throw new Error(`${config.brokerName} cannot rotate the secrets of ${config.scopes.size} scopes yet`);
}
