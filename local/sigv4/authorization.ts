/** The Authorization header of Signature Version 4, taken apart. */
import { createHash } from "node:crypto";

interface Authorization {
  accessKeyId: string;
  scope: { date: string; region: string; service: string };
  /** Lower-case, sorted, none twice. */
  signedHeaders: string[];
  signature: string;
}

export type ParsedAuthorization =
  | { ok: true; authorization: Authorization }
  | { ok: false /** As AWS words it. */; message: string };

const algorithm = "AWS4-HMAC-SHA256";

/**
 * `AWS4-HMAC-SHA256 Credential=<key>/<date>/<region>/<service>/aws4_request, SignedHeaders=a;b, Signature=<hex>`
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html#add-signature-to-request
 *
 * The header is never echoed, only its hash, as AWS does: someone may have put another system's token there.
 */
export function parseAuthorization(header: string): ParsedAuthorization {
  const refuse = (message: string): ParsedAuthorization => ({ ok: false, message });
  const space = header.indexOf(" ");
  const scheme = space < 0 ? header : header.slice(0, space);
  if (scheme !== algorithm) return refuse(notPairs(header));

  const parameters = new Map<string, string>();
  for (const piece of header.slice(space + 1).split(",")) {
    const [, name, value] = /^\s*([A-Za-z]+)=(\S*)\s*$/.exec(piece) ?? [];
    if (name === undefined || value === undefined || parameters.has(name)) return refuse(notPairs(header));
    parameters.set(name, value);
  }
  const absent = ["Credential", "Signature", "SignedHeaders"].filter((name) => !parameters.get(name));
  if (absent.length > 0)
    return refuse(absent.map((name) => `Authorization header requires '${name}' parameter.`).join(" "));

  const credential = (parameters.get("Credential") ?? "").split("/");
  const [accessKeyId, date, region, service, terminator] = credential;
  if (
    credential.length !== 5 ||
    !accessKeyId ||
    !date ||
    !region ||
    !service ||
    terminator !== "aws4_request"
  )
    return refuse(
      "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term.",
    );

  const signedHeaders = (parameters.get("SignedHeaders") ?? "").split(";");
  const sorted = signedHeaders.every((name, index) => index === 0 || name > (signedHeaders[index - 1] ?? ""));
  if (!sorted || signedHeaders.some((name) => !/^[a-z0-9!#$%&'*+.^_`|~-]+$/.test(name)))
    return refuse("SignedHeaders must be lower-case, sorted and free of repetitions.");

  const signature = parameters.get("Signature") ?? "";
  return {
    ok: true,
    authorization: { accessKeyId, scope: { date, region, service }, signedHeaders, signature },
  };
}

function notPairs(header: string): string {
  const hash = createHash("sha256").update(header).digest("base64");
  return `Invalid key=value pair (missing equal-sign) in Authorization header (hashed with SHA-256 and encoded with Base64): '${hash}'.`;
}
