/** What `npm start` prints when all is up: for a human who wants to try it at once. Never a secret. */
import type { RunningBroker } from "./broker.ts";

export function greeting(broker: RunningBroker, brokerFile: string): string {
  const { endpoint, region, principals, leftOut, location } = broker;
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
  const callersLooker = broker.lookerUrlOf(scope ?? "");
  return `
The broker is running. Ctrl-C stops it.

  Broker        ${endpoint}
${lookersOf(broker)}  AWS endpoint  ${broker.awsProxy.url} (DynamoDB, Secrets Manager, KMS)
  Account       ${location.accountId} in ${region}
  Keys          ${brokerFile}
${leftOut.length > 0 ? `\nLeft out of the settings, because they need AWS: ${leftOut.join(", ")}.\n` : ""}
${roles.join("\n")}

Try it as ${caller?.name}, in another terminal in this directory:

  eval "$(node -p 'const p = require("./${brokerFile}").principals["${caller?.name}"]; \`KEYS="\${p.access_key_id}:\${p.secret_access_key}" SESSION="\${p.session_token}"\`')"
  broker() { curl -sS --aws-sigv4 "aws:amz:${region}:execute-api" -u "$KEYS" -H "x-amz-security-token: $SESSION" "$@"; }

  TOKEN=$(broker -X POST ${endpoint}/scopes/${scope}/token | node -p 'JSON.parse(require("fs").readFileSync(0)).access_token')
  curl -sS -H "Authorization: Bearer $TOKEN" ${callersLooker}/api/4.0/user
  broker -X POST ${endpoint}/scopes/${scope}/logout
`;
}

function lookersOf({ lookers, lookerUrl }: RunningBroker): string {
  if (lookers.length === 0) return `  Looker        ${lookerUrl}\n`;
  return lookers
    .map(
      ({ inPlaceOf, looker }) =>
        `  Looker        ${looker.url} (stand-in for ${inPlaceOf})\n  its control   ${looker.controlUrl}\n`,
    )
    .join("");
}
