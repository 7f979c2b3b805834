/** `npm start`. Exit codes: 0 when it was told to stop, 2 for a bad flag, 1 for everything else. */
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { type RunningBroker, startBroker } from "./broker.ts";
import { removeBrokerFile, writeBrokerFile } from "./broker-file.ts";
import { flagsOrExit } from "./command-line.ts";
import { greeting } from "./greeting.ts";
import { type RecordFile, startRecordFile } from "./record-file.ts";
import { takeRunLock } from "./run-lock.ts";
import { parseStartFlags } from "./start-flags.ts";
import { terminalLine } from "./terminal-line.ts";

const workDir = fileURLToPath(new URL("../.local", import.meta.url));
const brokerFile = fileURLToPath(new URL("../.local/broker.json", import.meta.url));
const recordFile = fileURLToPath(new URL("../.local/records.jsonl", import.meta.url));
const lockFile = fileURLToPath(new URL("../.local/broker.lock", import.meta.url));

const flags = flagsOrExit(parseStartFlags(process.argv.slice(2), process.env));

let broker: RunningBroker | undefined;
let records: RecordFile | undefined;
const starting = new AbortController();
let stopping = false;
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => void stop());

try {
  // First of all: the stack and files of another run would be in the same directory.
  process.once("exit", takeRunLock(lockFile));
  const own = startRecordFile(recordFile);
  records = own;
  broker = await startBroker({
    ...flags,
    workDir,
    abort: starting.signal,
    onLog(functionId, instanceNumber, line) {
      own.write(line);
      const shown = terminalLine(functionId, instanceNumber, line);
      if (shown !== undefined) process.stdout.write(`${shown}\n`);
    },
  });
  if (stopping) await close(broker);
  // Only now has it its ports.
  records.publish();
  records = undefined;
  writeBrokerFile(brokerFile, broker);
  const shown = (file: string) => relative(process.cwd(), file);
  process.stdout.write(greeting(broker, { brokerFile: shown(brokerFile), recordFile: shown(recordFile) }));
} catch (error) {
  // The app that is being synthesized was ended too: it is no failure.
  if (stopping) leave();
  fail(error);
}

async function stop(): Promise<void> {
  // Asked twice: what there is ends with the process.
  if (stopping) leave();
  stopping = true;
  // If it is not up yet, the `try` above ends it.
  starting.abort();
  if (broker) await close(broker);
}

async function close(running: RunningBroker): Promise<void> {
  try {
    removeBrokerFile(brokerFile);
    await running.close();
    leave();
  } catch (error) {
    fail(error);
  }
}

function leave(): never {
  records?.discard();
  process.exit(0);
}

function fail(error: unknown): never {
  removeBrokerFile(brokerFile);
  records?.discard();
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
