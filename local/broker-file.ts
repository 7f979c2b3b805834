/** `.local/broker.json`: how other programs on this machine find the running broker and its principals. */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { RunningBroker } from "./broker.ts";

export function writeBrokerFile(file: string, broker: RunningBroker): void {
  const awsEndpoint = broker.awsProxy.url;
  const content = {
    schema: 1,
    pid: process.pid,
    endpoint: broker.endpoint,
    region: broker.region,
    looker_url: broker.lookerUrl,
    ...(broker.looker ? { looker_control_url: broker.looker.controlUrl } : {}),
    lookers: broker.lookers.map(({ inPlaceOf, looker }) => ({
      in_place_of: inPlaceOf,
      url: looker.url,
      control_url: looker.controlUrl,
    })),
    secrets: broker.secretIds,
    stack: broker.stack.name,
    endpoints: {
      dynamodb: awsEndpoint,
      secretsmanager: awsEndpoint,
      kms: awsEndpoint,
      logs: awsEndpoint,
      cloudformation: awsEndpoint,
    },
    principals: Object.fromEntries(
      broker.principals.map((principal) => [
        principal.name,
        {
          access_key_id: principal.accessKeyId,
          secret_access_key: principal.secretAccessKey,
          session_token: principal.sessionToken,
          arn: principal.callerArn,
          scopes: principal.scopes,
          operates: principal.operates,
        },
      ]),
    ),
  };
  mkdirSync(dirname(file), { recursive: true });
  // By rename, so that nobody reads half of it; and never readable by others, not even for a moment.
  const temporary = `${file}.${process.pid}`;
  rmSync(temporary, { force: true });
  writeFileSync(temporary, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600, flag: "wx" });
  renameSync(temporary, file);
}

/** Only this process's own: another broker may have been started in the meantime. */
export function removeBrokerFile(file: string): void {
  try {
    const { pid } = JSON.parse(readFileSync(file, "utf8")) as { pid?: unknown };
    if (pid === process.pid) rmSync(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}
