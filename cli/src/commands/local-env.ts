/** `looker-token local-env`: variables for AWS's SDKs and the library, with the local broker and a principal's keys. */
import { scopeOf } from "../broker.ts";
import { findLocalBroker, localPrincipal } from "../broker-file.ts";
import { exitCodes } from "../exit-codes.ts";
import type { OptionValues } from "../options.ts";
import { shellWord } from "../shell.ts";
import type { Terminal } from "../terminal.ts";

export function localEnv(io: Terminal, values: OptionValues): Promise<number> {
  const broker = findLocalBroker(process.cwd());
  const given = values.scope === undefined ? undefined : scopeOf(values);
  const principal = localPrincipal(broker, values.as, { may: "call", scope: given });
  const scope = given ?? principal.scopes[0];
  const variables = {
    AWS_ACCESS_KEY_ID: principal.access_key_id,
    AWS_SECRET_ACCESS_KEY: principal.secret_access_key,
    ...(principal.session_token === undefined ? {} : { AWS_SESSION_TOKEN: principal.session_token }),
    AWS_REGION: broker.region,
    LOOKER_BROKER_ENDPOINT: broker.endpoint,
    ...(scope === undefined ? {} : { LOOKER_BROKER_SCOPE: scope }),
  };
  // A profile would win over the keys.
  const lines = [
    "unset AWS_PROFILE AWS_SESSION_TOKEN LOOKER_BROKER_SCOPE",
    ...Object.entries(variables).map(([name, value]) => `export ${name}=${shellWord(value)}`),
  ];
  io.print(values.json ? `${JSON.stringify(variables, null, 2)}\n` : `${lines.join("\n")}\n`);
  return Promise.resolve(exitCodes.ok);
}
