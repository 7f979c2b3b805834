/** The audit log: one JSON object a line on standard output, which Lambda hands to CloudWatch Logs. */
export function writeLogLine(line: object): void {
  // process.stdout rather than console: Lambda's console adds a prefix to each line, and JSON queries then fail.
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
