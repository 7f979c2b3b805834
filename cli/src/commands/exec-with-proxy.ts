/** `looker-token exec --proxy`: a command that logs in at a loopback proxy, in place of Looker. */
import { runCommand } from "../child.ts";
import type { OptionValues } from "../options.ts";
import { newPair } from "../proxy/pair.ts";
import { childEnvironment } from "../proxy/settings-text.ts";
import { sessionNameOf } from "../run-session.ts";
import type { Terminal } from "../terminal.ts";
import { UsageError } from "../usage-error.ts";
import { withProxy } from "../with-proxy.ts";

export async function execWithProxy(
  io: Terminal,
  values: OptionValues,
  command: readonly string[],
): Promise<number> {
  if (values.shared && values.session !== undefined)
    throw new UsageError("--shared and --session: choose one.");
  const name = sessionNameOf(values.session ?? true, "exec");
  return withProxy(io, values, {
    pair: newPair(),
    port: 0,
    session: values.shared ? undefined : name,
    sessionPrefix: name,
    sharedMode: "--shared",
    use: (_, variables) => runCommand(command, childEnvironment(process.env, variables)),
  });
}
