/** Values that become headers. `fetch` would quote a wrong one in its error, and the error looks like a failed network. */
import { TokenBrokerError } from "./token-broker-error.ts";

/** Access keys and session tokens are visible ASCII characters. */
const sendable = /^[\x21-\x7e]+$/;

const variables = {
  accessKeyId: "AWS_ACCESS_KEY_ID",
  secretAccessKey: "AWS_SECRET_ACCESS_KEY",
  sessionToken: "AWS_SESSION_TOKEN",
} as const;

/** Never quotes a value. */
export function checkCredentials(
  credentials: { readonly [Field in keyof typeof variables]?: unknown },
): void {
  for (const [field, variable] of Object.entries(variables)) {
    const value = credentials[field as keyof typeof variables];
    // null, as of JSON.
    if (field === "sessionToken" && (value ?? "") === "") continue;
    if (typeof value === "string" && sendable.test(value)) continue;
    const isOfVariable = value !== undefined && process.env[variable] === value;
    const name = isOfVariable ? variable : `\`${field}\` of the AWS credentials`;
    const wrong = !value ? "is missing" : "has a blank, a line break or another character that no key has";
    throw new TokenBrokerError("bad_credentials", `${name} ${wrong}.`, {
      hint: isOfVariable
        ? `Set ${variable} again, without a line break at its end.`
        : "Check where these credentials come from: a file is often read with a line break at its end.",
    });
  }
}

/** `name` is the option or the variable with the region. */
export function checkRegion(region: string, name: string): void {
  if (!/^[a-zA-Z0-9-]+$/.test(region))
    throw new TokenBrokerError("no_region", `${name} is not the name of a region.`, {
      hint: `Set ${name} to a name such as eu-west-1, without blanks and without a line break at its end.`,
    });
}
