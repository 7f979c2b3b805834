#!/usr/bin/env node
import { refuseDebugger } from "./interruption.ts";
import { run } from "./run.ts";

refuseDebugger();

// Whoever reads may have had enough (`| head -1`), or the terminal may be gone: no reason to break off a clean-up.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});

process.exitCode = await run(process.argv.slice(2));
