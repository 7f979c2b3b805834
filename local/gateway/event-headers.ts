/** The request's headers as API Gateway passes them on. */

export type GroupedHeaders = [string, string[]][];

/** One entry per name, whatever its case; under the case that came first, with all values in order. */
export function groupHeaders(headers: readonly (readonly [string, string])[]): GroupedHeaders {
  const groups = new Map<string, [string, string[]]>();
  for (const [name, value] of headers) {
    const key = name.toLowerCase();
    const group = groups.get(key);
    if (group) group[1].push(value);
    else groups.set(key, [name, [value]]);
  }
  return [...groups.values()];
}

/** Sent to AWS and absent from the event, as captured (README.md). */
const leftBehind = [
  "connection",
  "content-length",
  "content-md5",
  "expect",
  "max-forwards",
  "proxy-authenticate",
  "server",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "www-authenticate",
];

/** The gateway's own statements. The root of a trace is the client's all the same. */
const ownHeaders = ["x-forwarded-for", "x-forwarded-port", "x-forwarded-proto", "x-amzn-trace-id"];

/**
 * The `Authorization` header of a method with IAM authorization stays behind "for security purposes"
 * (https://9to5answer.com/how-do-you-pass-authorization-header-through-api-gateway-to-http-endpoint, solution 2; the
 * guide is silent). `X-Amz-Security-Token` and `X-Amz-Date` are passed on, as the guide says "the raw request as-is":
 * a function must not log its headers.
 *
 * The X-Forwarded headers say https and 443 although this gateway speaks plain HTTP: it is what the function gets
 * when deployed.
 */
export function forwardedHeaders(
  request: { headers: readonly (readonly [string, string])[]; sourceIp: string },
  traceRoot: string,
  signed: boolean,
): GroupedHeaders {
  const all = groupHeaders(request.headers);
  const left = [...leftBehind, ...ownHeaders, ...(signed ? ["authorization"] : [])];
  const claimed = all.find(([name]) => name.toLowerCase() === "x-forwarded-for")?.[1] ?? [];
  return [
    ...all.filter(([name]) => !left.includes(name.toLowerCase())),
    ["X-Amzn-Trace-Id", [traceRoot]],
    // Appended, so that the last one is the only one to be trusted.
    ["X-Forwarded-For", [[...claimed, request.sourceIp].join(", ")]],
    ["X-Forwarded-Port", ["443"]],
    ["X-Forwarded-Proto", ["https"]],
  ];
}
