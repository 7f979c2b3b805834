/** `looker-token proxy`: the loopback proxy by itself, as a sidecar or in a terminal of its own, until a signal ends it. */
import { once } from "node:events";
import { exitCodes } from "../exit-codes.ts";
import { stopAtFirstSignal } from "../interruption.ts";
import { portOf } from "../loopback/listening.ts";
import type { OptionValues } from "../options.ts";
import { newPair, pairOfEnvironment } from "../proxy/pair.ts";
import type { LookerProxy } from "../proxy/proxy.ts";
import { baseOf } from "../proxy/template.ts";
import { sessionNameOf } from "../run-session.ts";
import type { Terminal } from "../terminal.ts";
import { withProxy } from "../with-proxy.ts";

/** For requests under way. Kubernetes kills a container 30 s after it asked it to stop, and a session is still to be ended. */
const graceMs = 10_000;

export async function proxy(io: Terminal, values: OptionValues): Promise<number> {
  const port = portOf(values.port ?? "0");
  const ownPair = pairOfEnvironment(process.env);
  // The stdout of a container is a log, so a secret is printed only if the tool has no other source.
  const showsSecret = !ownPair && values.ini === undefined && values.settings === undefined;
  const session = values.session === undefined ? undefined : sessionNameOf(values.session, "proxy");
  return withProxy(io, values, {
    pair: ownPair ?? newPair(),
    port,
    session,
    sessionPrefix: session ?? sessionNameOf(true, "proxy"),
    sharedMode: "leave out --session",
    async use(running, variables) {
      if (values.json) {
        const shown = { base_url: baseOf(running), ...(showsSecret ? { variables } : {}) };
        io.print(`${JSON.stringify(shown)}\n`);
      } else {
        if (showsSecret)
          io.print(
            Object.entries(variables)
              .map(([name, value]) => `${name}=${value}\n`)
              .join(""),
          );
        io.note(`The proxy listens at ${baseOf(running)} until it is stopped.\n`);
      }
      await untilStopped(running);
      return exitCodes.ok;
    },
  });
}

/** The first signal takes no more requests, the second one cuts off those under way. */
async function untilStopped(running: LookerProxy): Promise<void> {
  const first = stopAtFirstSignal();
  await once(first.signal, "abort");
  first.release();
  const second = stopAtFirstSignal();
  await Promise.race([running.close(graceMs), once(second.signal, "abort")]);
  second.release();
}
