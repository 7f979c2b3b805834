/** Headers on their way through, as flat lists of names and values: https://nodejs.org/api/http.html#messagerawheaders */

/** https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1 */
const hopByHop = [
  "connection",
  "keep-alive",
  "proxy-connection",
  "proxy-authenticate",
  "proxy-authorization",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "http2-settings",
];

const droppedFromRequests = new Set([
  ...hopByHop,
  // Written anew.
  "host",
  "authorization",
  "content-length",
  // Answered here.
  "expect",
  // A cookie is another way to be somebody.
  "cookie",
  // Servers take another method from these than the one in the request line.
  "x-http-method",
  "x-http-method-override",
  "x-method-override",
]);

const droppedFromAnswers = new Set([...hopByHop, "set-cookie"]);

export interface ForwardedRequest {
  /** Of Looker, with its port if that is not the usual. */
  readonly host: string;
  readonly accessToken: string;
  /** In bytes. "chunked": the length is not known. Undefined: there is no body. */
  readonly length: number | "chunked" | undefined;
}

export function requestHeaders(
  raw: readonly string[],
  { host, accessToken, length }: ForwardedRequest,
): string[] {
  const framing =
    length === undefined
      ? []
      : length === "chunked"
        ? ["Transfer-Encoding", "chunked"]
        : ["Content-Length", String(length)];
  return [
    ...["Host", host],
    ...passedOn(raw, droppedFromRequests),
    ...["Authorization", `Bearer ${accessToken}`],
    ...framing,
  ];
}

/** Redirects within Looker lead back to the proxy. Other redirects stay the same. */
export function answerHeaders(
  raw: readonly string[],
  { lookerUrl, proxyUrl }: { lookerUrl: string; proxyUrl: string },
): string[] {
  const headers = passedOn(raw, droppedFromAnswers);
  return headers.map((value, at) =>
    at % 2 === 1 && headers[at - 1]?.toLowerCase() === "location"
      ? relocated(value, lookerUrl, proxyUrl)
      : value,
  );
}

function relocated(location: string, lookerUrl: string, proxyUrl: string): string {
  if (!URL.canParse(location)) return location;
  const { origin, pathname, search, hash } = new URL(location);
  return origin === new URL(lookerUrl).origin ? `${proxyUrl}${pathname}${search}${hash}` : location;
}

function passedOn(raw: readonly string[], dropped: ReadonlySet<string>): string[] {
  const named = namedByConnection(raw);
  const kept: string[] = [];
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const [name = "", value = ""] = [raw[at], raw[at + 1]];
    const lower = name.toLowerCase();
    if (!dropped.has(lower) && !named.has(lower)) kept.push(name, value);
  }
  return kept;
}

/**
 * `Connection` names more headers of this hop. Headers about the body's end or coding stay, although it names them:
 * https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1
 */
function namedByConnection(raw: readonly string[]): Set<string> {
  const names = new Set<string>();
  for (let at = 0; at + 1 < raw.length; at += 2)
    if (raw[at]?.toLowerCase() === "connection")
      for (const name of (raw[at + 1] ?? "").split(",")) names.add(name.trim().toLowerCase());
  for (const essential of ["content-length", "content-type", "content-encoding"]) names.delete(essential);
  return names;
}
