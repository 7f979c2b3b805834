/** The process from its first line to its end. */
import { exitCodes } from "./exit-codes.ts";
import { noteFailure } from "./failure.ts";
import { keepIgnoring } from "./ignored-signals.ts";
import { refuseDebugger } from "./interruption.ts";
import { useOutboundProxy } from "./outbound-proxy.ts";
import { watchOutput } from "./output.ts";
import { run, wantsJson } from "./run.ts";
import { terminal } from "./terminal.ts";

refuseDebugger();
keepIgnoring();
useOutboundProxy();
const args = process.argv.slice(2);
const output = watchOutput();
const exitCode = await run(args);
const unwritten = await output.flushed();
if (unwritten) {
  noteFailure(terminal(), { json: wantsJson(args) }, unwritten);
  await output.flushed();
}
// The first failure is the one to act on.
process.exitCode = exitCode === exitCodes.ok && unwritten ? unwritten.exitCode : exitCode;

// Node ends by itself here, unless something is open still: a request for AWS credentials that is never answered, say.
// Windows cannot bear process.exit() at once after a fetch: https://github.com/nodejs/node/issues/58091
setTimeout(() => process.exit(), 100).unref();
