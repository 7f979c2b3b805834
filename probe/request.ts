/** What the probe sends, and what comes back: the words that checks are written in. */

export interface ProbeRequest {
  readonly method: string;
  /** From the stage on, byte for byte as it goes out: nothing here tidies it up. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** In the place of the endpoint's stage. */
  readonly stage?: string;
  /** The principal without a policy; the runner unless told. */
  readonly as?: "bystander";
  /** As AWS asks for it unless told. */
  readonly signing?: Signing;
}

/** How a signature differs from the right one. */
export interface Signing {
  readonly none?: boolean;
  readonly region?: string;
  readonly service?: string;
  readonly minutesOff?: number;
  readonly sessionToken?: string;
  /** One digit of the signature is another. */
  readonly spoilt?: boolean;
  /** Signed with this body, sent with the other. */
  readonly body?: string;
  /**
   * The path is signed with its dots and doubled slashes. SigV4 resolves them first; whether API Gateway does is said
   * nowhere, and a request that fails for its signature says nothing about paths.
   * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
   */
  readonly pathAsSent?: boolean;
}

export interface Answer {
  /** 0 when there was none. */
  readonly status: number;
  /** Why there was none: `ECONNRESET`. */
  readonly failure?: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The body, where it is a JSON object. */
  readonly json: Readonly<Record<string, unknown>>;
}

/** How far a request came: two locks stand before every verb on a scope. */
export type Depth = "refused by API Gateway" | "refused by the broker" | "let in";

export const depths: readonly Depth[] = ["refused by API Gateway", "refused by the broker", "let in"];

/** The broker looks into a body or a query only once its lists have let the caller in: a 400 is an open lock too. */
export function depthOf(answer: Answer): Depth | "failed" {
  if (answer.status === 0 || answer.status >= 500) return "failed";
  if (answer.status < 400) return "let in";
  if (!isBrokers(answer)) return "refused by API Gateway";
  return answer.json.code === "not_allowed" ? "refused by the broker" : "let in";
}

/** RFC 9457 is the form of the broker's own refusals; API Gateway has another. */
const isBrokers = ({ headers, json }: Answer) =>
  headers["content-type"] === "application/problem+json" && typeof json.code === "string";

/**
 * Status, code, and who answered. Never a message: API Gateway's about a wrong signature repeat what was signed, the
 * session token included.
 */
export function describeAnswer(answer: Answer): string {
  const { status, failure, headers, json } = answer;
  if (status === 0) return `no answer (${failure})`;
  if (isBrokers(answer)) return `${status} ${json.code} (broker)`;
  const errorType = /^([A-Za-z]{1,60}?)(?:Exception)?(?::|$)/.exec(headers["x-amzn-errortype"] ?? "")?.[1];
  if (errorType !== undefined) return `${status} ${errorType} (API Gateway)`;
  return String(status);
}
