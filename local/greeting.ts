/** What `npm start` prints when all is up: for a human who wants to try it at once. Never a secret. */
import type { RunningBroker } from "./broker.ts";

export function greeting(broker: RunningBroker, brokerFile: string): string {
  const { endpoint, lookerUrl, looker, principals } = broker;
  const width = Math.max(...principals.map(({ name }) => name.length));
  const roles = principals.map(({ name, scopes, operates }) => {
    const may = [
      ...(scopes.length > 0 ? [`tokens of ${scopes.join(", ")}`] : []),
      ...(operates.length > 0 ? [`operates ${operates.join(", ")}`] : []),
    ];
    return `  ${name.padEnd(width)}  ${may.join("; ") || "reads rows and secrets at the AWS endpoint"}`;
  });
  const caller = principals.find(({ scopes }) => scopes.length > 0);
  const scope = caller?.scopes[0];
  return `
The broker is running. Ctrl-C stops it.

  Broker        ${endpoint}
  Looker        ${lookerUrl}${looker ? " (stand-in)" : ""}
${looker ? `  its control   ${looker.controlUrl}\n` : ""}  AWS endpoint  ${broker.awsProxy.url} (DynamoDB, Secrets Manager, KMS)
  Keys          ${brokerFile}

${roles.join("\n")}

Try it as ${caller?.name}, in another terminal in this directory. The first line is for AWS's SDKs and the client as well:

  eval "$(npm run --silent looker-token -- local-env --as ${caller?.name})"
  broker() { curl -sS --aws-sigv4 "aws:amz:$AWS_REGION:execute-api" -u "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" -H "x-amz-security-token: $AWS_SESSION_TOKEN" "$@"; }

  TOKEN=$(broker -X POST $LOOKER_BROKER_ENDPOINT/scopes/${scope}/token | node -p 'JSON.parse(require("fs").readFileSync(0)).access_token')
  curl -sS -H "Authorization: Bearer $TOKEN" ${lookerUrl}/api/4.0/user
  broker -X POST $LOOKER_BROKER_ENDPOINT/scopes/${scope}/logout
`;
}
