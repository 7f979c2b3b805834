/**
 * Verifies AWS Signature Version 4 in the Authorization header, by signing again over the headers that the client
 * says it signed and comparing.
 *
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html (the algorithm; `host`
 * and every `x-amz-*` header must be signed)
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html (the messages, the five minutes)
 *
 * Not verified against AWS: in which order AWS checks, whether it refuses an unsigned `x-amz-*` header of no meaning
 * to the service, and every message that the troubleshooting page does not show. Where in doubt this refuses.
 * Known differences: a signature in the query string is not accepted (AWS accepts it), nor a `Date` header instead of
 * `X-Amz-Date`, nor a signed header with characters beyond ASCII.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { Sha256 } from "@aws-crypto/sha256-js";
import { SignatureV4 } from "@smithy/signature-v4";
import { formatAmzDate, parseAmzDate } from "./amz-date.ts";
import { parseAuthorization } from "./authorization.ts";
import { parseRawQuery } from "./raw-query.ts";

export interface SignedRequest {
  method: string;
  /** Exactly as sent, before any decoding. */
  rawPath: string;
  /** Without the question mark. */
  rawQuery: string;
  /** Lower-case names; several values joined by ", ". */
  headers: Record<string, string>;
  body: Uint8Array;
}

export interface Credential {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}

export type SignatureFault =
  | "missing_authentication"
  | "incomplete_signature"
  | "unknown_access_key"
  | "wrong_session_token"
  | "wrong_scope"
  | "skewed"
  | "mismatch";

export type Verification<C extends Credential> =
  | { ok: true; credential: C }
  | {
      ok: false;
      fault: SignatureFault;
      /** As AWS words it. */
      message: string;
    };

export interface VerifyOptions<C extends Credential> {
  service: string;
  region: string;
  now: Date;
  find(accessKeyId: string): C | undefined;
}

const skewMinutes = 5;

const mismatchMessage =
  "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key " +
  "and signing method. Consult the service documentation for details.";
const invalidTokenMessage = "The security token included in the request is invalid.";

export async function verifySignature<C extends Credential>(
  request: SignedRequest,
  options: VerifyOptions<C>,
): Promise<Verification<C>> {
  const refuse = (fault: SignatureFault, message: string): Verification<C> => ({ ok: false, fault, message });
  const { headers } = request;
  if (!headers.authorization) return refuse("missing_authentication", "Missing Authentication Token");

  const parsed = parseAuthorization(headers.authorization);
  if (!parsed.ok) return refuse("incomplete_signature", parsed.message);
  const { accessKeyId, scope, signedHeaders, signature } = parsed.authorization;

  const unsigned = findUnsigned(headers, signedHeaders);
  if (unsigned !== undefined) return refuse("incomplete_signature", unsigned);
  const amzDate = headers["x-amz-date"] ?? "";
  const signedAt = parseAmzDate(amzDate);
  if (signedAt === undefined)
    return refuse(
      "incomplete_signature",
      `Date must be in ISO-8601 'basic format'. Got '${amzDate}'. See http://en.wikipedia.org/wiki/ISO_8601`,
    );

  if (scope.region !== options.region)
    return refuse("wrong_scope", `Credential should be scoped to a valid region, not '${scope.region}'. `);
  if (scope.service !== options.service)
    return refuse("wrong_scope", `Credential should be scoped to correct service: '${options.service}'. `);
  if (scope.date !== amzDate.slice(0, 8))
    return refuse(
      "wrong_scope",
      `Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '${scope.date}' != '${amzDate.slice(0, 8)}', from '${amzDate}'.`,
    );
  const skew = describeSkew(signedAt, options.now);
  if (skew !== undefined) return refuse("skewed", skew);

  const credential = options.find(accessKeyId);
  if (credential === undefined) return refuse("unknown_access_key", invalidTokenMessage);
  // A key id of temporary credentials is worth nothing without its session token, and with another's token.
  if (!sameText(headers["x-amz-security-token"] ?? "", credential.sessionToken ?? ""))
    return refuse("wrong_session_token", invalidTokenMessage);

  // The signer takes this header's word for the body: `UNSIGNED-PAYLOAD` or the hash of another body would pass.
  const claimedHash = headers["x-amz-content-sha256"];
  if (claimedHash !== undefined && claimedHash !== createHash("sha256").update(request.body).digest("hex"))
    return refuse("mismatch", mismatchMessage);

  const expected = await signAgain(request, signedHeaders, credential, options, signedAt);
  if (expected === undefined || !sameText(expected, signature)) return refuse("mismatch", mismatchMessage);
  return { ok: true, credential };
}

/** What must be signed and is not, as a message. */
function findUnsigned(headers: Record<string, string>, signedHeaders: readonly string[]): string | undefined {
  const signed = new Set(signedHeaders);
  if (!signed.has("host")) return "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.";
  if (headers["x-amz-date"] === undefined)
    return "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.";
  // Someone on the way could otherwise add, say, an X-Amz-Target to a request that was signed without one.
  const added = Object.keys(headers).find((name) => name.startsWith("x-amz-") && !signed.has(name));
  return added === undefined ? undefined : `'${added}' must be a 'SignedHeader' in the AWS Authorization.`;
}

async function signAgain(
  request: SignedRequest,
  signedHeaders: readonly string[],
  credential: Credential,
  { service, region }: { service: string; region: string },
  signingDate: Date,
): Promise<string | undefined> {
  const headers: Record<string, string> = {};
  for (const name of signedHeaders) {
    const value = Object.hasOwn(request.headers, name) ? request.headers[name] : undefined;
    if (value === undefined) return undefined;
    headers[name] = value;
  }
  const query = signedQuery(request.rawQuery);
  if (query === undefined) return undefined;
  const signer = new SignatureV4({
    service,
    region,
    credentials: { ...credential },
    sha256: Sha256,
    // API Gateway, like every service but S3, encodes the path as sent once more.
    uriEscapePath: true,
    applyChecksum: false,
  });
  const signed = await signer.sign(
    {
      method: request.method,
      protocol: "http:",
      hostname: "unused: the signed Host header counts",
      path: request.rawPath,
      query,
      headers,
      body: request.body,
    },
    // Named, so that those headers that the signer itself would leave out are covered when the client signed them.
    { signingDate, signableHeaders: new Set(signedHeaders) },
  );
  return /Signature=([0-9a-f]{64})$/.exec(signed.headers.authorization ?? "")?.[1];
}

/** Undefined where the signer would silently leave a parameter out, which would then be unsigned. */
function signedQuery(rawQuery: string): Record<string, string[]> | undefined {
  // A plus stays a plus: in a canonical query a space is %20.
  const query = parseRawQuery(rawQuery);
  const isLeftOut = (name: string) => name === "__proto__" || name.toLowerCase() === "x-amz-signature";
  if (query === undefined || [...query.keys()].some(isLeftOut)) return undefined;
  return Object.fromEntries(query);
}

function describeSkew(signedAt: Date, now: Date): string | undefined {
  const skewMs = skewMinutes * 60_000;
  const earliest = new Date(now.getTime() - skewMs);
  const latest = new Date(now.getTime() + skewMs);
  const [signed, at] = [formatAmzDate(signedAt), formatAmzDate(now)];
  if (signedAt < earliest)
    return `Signature expired: ${signed} is now earlier than ${formatAmzDate(earliest)} (${at} - ${skewMinutes} min.)`;
  if (signedAt > latest)
    return `Signature not yet current: ${signed} is still later than ${formatAmzDate(latest)} (${at} + ${skewMinutes} min.)`;
  return undefined;
}

/** In constant time, but for the length. */
function sameText(left: string, right: string): boolean {
  const [a, b] = [Buffer.from(left), Buffer.from(right)];
  return a.length === b.length && timingSafeEqual(a, b);
}
