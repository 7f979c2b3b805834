/** What `npm start` prints when all is up: for a human who wants to try it at once. Never a secret. */
import type { RunningBroker } from "./broker.ts";

export function greeting(broker: RunningBroker, brokerFile: string): string {
  const { endpoint, region, lookerUrl, looker, principals } = broker;
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

Try it as ${caller?.name}, in another terminal in this directory:

  eval "$(node -p 'const p = require("./${brokerFile}").principals["${caller?.name}"]; \`KEYS="\${p.access_key_id}:\${p.secret_access_key}" SESSION="\${p.session_token}"\`')"
  broker() { curl -sS --aws-sigv4 "aws:amz:${region}:execute-api" -u "$KEYS" -H "x-amz-security-token: $SESSION" "$@"; }

  TOKEN=$(broker -X POST ${endpoint}/scopes/${scope}/token | node -p 'JSON.parse(require("fs").readFileSync(0)).access_token')
  curl -sS -H "Authorization: Bearer $TOKEN" ${lookerUrl}/api/4.0/user
  broker -X POST ${endpoint}/scopes/${scope}/logout
`;
}
