/** What `npm start` prints when all is up: for a human who wants to try it at once. Never a secret. */
import type { RunningBroker } from "./broker.ts";

export interface OwnFiles {
  readonly brokerFile: string;
  readonly recordFile: string;
}

export function greeting(broker: RunningBroker, { brokerFile, recordFile }: OwnFiles): string {
  const { endpoint, region, principals, leftOut, location } = broker;
  const width = Math.max(...principals.map(({ name }) => name.length));
  const roles = principals.map(({ name, scopes, operates }) => {
    const may = [
      ...(scopes.length > 0 ? [`tokens of ${scopes.join(", ")}`] : []),
      ...(operates.length > 0 ? [`operates ${operates.join(", ")}`] : []),
    ];
    return `  ${name.padEnd(width)}  ${may.join("; ") || "reads and changes rows and secrets at the AWS endpoint"}`;
  });
  const caller = principals.find(({ scopes }) => scopes.length > 0);
  const scope = caller?.scopes[0];
  const callersLooker = broker.lookerUrlOf(scope ?? "");
  return `
The broker is running. Ctrl-C stops it.

  Broker        ${endpoint}
${lookersOf(broker)}  AWS endpoint  ${broker.awsProxy.url} (DynamoDB, Secrets Manager, KMS, Logs, CloudFormation)
  Account       ${location.accountId} in ${region}
  Keys          ${brokerFile}
  Records       ${recordFile} (here: one line for each request)
${leftOut.length > 0 ? `\nLeft out of the settings, because they need AWS: ${leftOut.join(", ")}.\n` : ""}
${roles.join("\n")}

Try it as ${caller?.name}, in another terminal in this directory:

  eval "$(npm run --silent looker-token -- local-env --as ${caller?.name})"   # for the client library, too
  broker() { curl -sS --aws-sigv4 "aws:amz:$AWS_REGION:execute-api" -u "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" -H "x-amz-security-token: $AWS_SESSION_TOKEN" "$@"; }

  TOKEN=$(broker -X POST $LOOKER_BROKER_ENDPOINT/scopes/${scope}/token | node -p 'JSON.parse(require("fs").readFileSync(0)).access_token')
  curl -sS -H "Authorization: Bearer $TOKEN" ${callersLooker}/api/4.0/user
  broker -X POST $LOOKER_BROKER_ENDPOINT/scopes/${scope}/logout
`;
}

function lookersOf({ lookers, lookerUrl }: RunningBroker): string {
  if (lookers.length === 0) return `  Looker        ${lookerUrl} (no secret rotates)\n`;
  return lookers
    .map(
      ({ inPlaceOf, looker }) =>
        `  Looker        ${looker.url} (stand-in for ${inPlaceOf})\n  its control   ${looker.controlUrl}\n`,
    )
    .join("");
}
