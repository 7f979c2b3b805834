/** What this process writes, from the first import on: one capture, however many suites share the process. */
import { captureOutput } from "./canary.ts";

export const output = captureOutput({ passOn: true });
