/** This machine, and where the options and the environment say that the broker is. */
import { type Connection, connect } from "@looker-token-broker/client/broker";
import { connectionOptions } from "../broker.ts";
import type { RequiredGrant } from "../broker-file.ts";
import type { OptionValues } from "../options.ts";
import { ownVersion } from "../version.ts";
import type { Finding } from "./examination.ts";

export function checkProgram(): Finding<true> {
  const { version, platform, arch, pid } = process;
  const found = `looker-token ${ownVersion()} on Node ${version} (${platform} ${arch})`;
  if (pid !== 1) return { value: true, found: `${found}.` };
  return {
    value: true,
    found: `${found}, as process 1. Node does not reap processes that the command of exec leaves behind.`,
    next: "Start the container with an init: docker run --init, or tini as its entry point.",
  };
}

export function checkEndpoint(values: OptionValues, grant: RequiredGrant): Finding<Connection> {
  const connection = connect(connectionOptions(values, grant));
  const { endpoint, region } = connection;
  const given = values.local ? ".local/broker.json" : undefined;
  const from = given ?? sourceOfEndpoint(values);
  return {
    value: connection,
    found: `${endpoint.href} from ${from}. Region ${region} from ${given ?? regionSource(connection, values)}.`,
  };
}

function sourceOfEndpoint({ stack, endpoint }: OptionValues): string {
  if (stack !== undefined) return `the stack ${stack}`;
  return endpoint === undefined ? "LOOKER_BROKER_ENDPOINT" : "--endpoint";
}

function regionSource({ endpoint, region }: Connection, values: OptionValues): string {
  if (values.region !== undefined) return "--region";
  if (endpoint.hostname.includes(`.execute-api.${region}.`)) return "the endpoint's name";
  return process.env.AWS_REGION ? "AWS_REGION" : "AWS_DEFAULT_REGION";
}
