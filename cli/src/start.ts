/** The process from its first line to its end. */
import { keepIgnoring } from "./ignored-signals.ts";
import { refuseDebugger } from "./interruption.ts";
import { useOutboundProxy } from "./outbound-proxy.ts";
import { watchOutput } from "./output.ts";
import { run } from "./run.ts";

refuseDebugger();
keepIgnoring();
useOutboundProxy();
process.exitCode = await run(process.argv.slice(2), watchOutput());

// Node ends by itself here, unless something is open still: a request for AWS credentials that is never answered, say.
// Windows cannot bear process.exit() at once after a fetch: https://github.com/nodejs/node/issues/58091
setTimeout(() => process.exit(), 100).unref();
