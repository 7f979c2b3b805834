/** `looker-token console`: the operators' page, in a browser of this machine. */
import { once } from "node:events";
import { brokerOf } from "../broker.ts";
import { openBrowser } from "../console/open-browser.ts";
import { exitCodes } from "../exit-codes.ts";
import { stopAtFirstSignal } from "../interruption.ts";
import { portOf } from "../loopback/listening.ts";
import type { OptionValues } from "../options.ts";
import { operatedScopes } from "../targets.ts";
import type { Terminal } from "../terminal.ts";

const idleMs = 60 * 60_000;

export async function consoleCommand(io: Terminal, values: OptionValues): Promise<number> {
  const port = portOf(values.port ?? "0");
  const broker = brokerOf(io, values, { may: "operate", scope: undefined });
  // A wrong endpoint, or a caller who operates nothing, is told here and not in an empty page.
  await operatedScopes(broker);
  // The other commands do without the server.
  const { startConsole } = await import("../console/server.ts");
  const running = await startConsole({ broker, port, idleMs });
  const stop = stopAtFirstSignal();
  try {
    io.print(values.json ? `${JSON.stringify({ url: running.link })}\n` : `${running.link}\n`);
    const isOpened = !values["no-open"] && !values.json && io.isShown && openBrowser(running.link);
    io.note(
      `${isOpened ? "Your browser opens the link." : "Open the link in a browser."} It works once. Ctrl-C ends the console.\n`,
    );
    const stopped = once(stop.signal, "abort").then(() => true);
    if (!(await Promise.race([stopped, running.unused.then(() => false)])))
      io.note("Nobody used the console for an hour, so it ends.\n");
    return exitCodes.ok;
  } finally {
    stop.release();
    await running.close();
  }
}
