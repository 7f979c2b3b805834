/**
 * API Gateway's event, read as what it is: input from outside. Routing is by `resource` and `pathParameters`, identity by
 * `requestContext.identity`, and nothing is taken from headers or the raw path.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
 */
import { Problem } from "../domain/problem.ts";

/** Over this, a body is refused unread. */
const maxBodyBytes = 4_096;

type Fields = Record<string, unknown>;

/** The parts that are used, whatever the event was. */
export interface ApiEvent {
  /** `POST /scopes/{scope}/token`, as API Gateway matched it. */
  readonly route: string;
  readonly scopeName: string | undefined;
  /** Of the one path that names one. */
  readonly clientId: string | undefined;
  readonly apiId: unknown;
  readonly stage: unknown;
  readonly requestId: string;
  readonly identity: Fields;
  readonly query: Fields;
  readonly body: unknown;
  readonly isBase64Encoded: boolean;
}

export function readEvent(event: unknown): ApiEvent {
  const { resource, httpMethod, pathParameters, requestContext, body, ...rest } = fields(event);
  const context = fields(requestContext);
  const { scope, client_id } = fields(pathParameters);
  return {
    // Not `String(…)`: an event that API Gateway never made can hold what no text can be made of.
    route: typeof httpMethod === "string" && typeof resource === "string" ? `${httpMethod} ${resource}` : "",
    scopeName: typeof scope === "string" ? scope : undefined,
    clientId: typeof client_id === "string" ? client_id : undefined,
    apiId: context.apiId,
    stage: context.stage,
    requestId: typeof context.requestId === "string" ? context.requestId : "",
    identity: fields(context.identity),
    query: fields(rest.multiValueQueryStringParameters),
    body,
    isBase64Encoded: rest.isBase64Encoded === true,
  };
}

/**
 * The request's JSON object, with no other fields than `known`; `{}` where there is no body. Nothing of it is echoed in an
 * error.
 * @throws {Problem} `payload_too_large` or `bad_request`
 */
export function readBody(event: ApiEvent, known: readonly string[]): Fields {
  const { body } = event;
  if (body === null || body === undefined || body === "") return {};
  if (typeof body !== "string") throw new Problem("bad_request", { detail: "The body must be JSON." });
  // Base64 is four characters for three bytes; either way too much is refused before it is decoded.
  if (body.length > maxBodyBytes * 2) throw new Problem("payload_too_large");
  const text = event.isBase64Encoded ? Buffer.from(body, "base64").toString("utf8") : body;
  if (Buffer.byteLength(text) > maxBodyBytes) throw new Problem("payload_too_large");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Problem("bad_request", { detail: "The body must be JSON." });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new Problem("bad_request", { detail: "The body must be a JSON object." });
  if (Object.keys(value).some((key) => !known.includes(key))) {
    const fieldList = known.length > 0 ? `the fields are ${known.join(", ")}` : "this request takes none";
    throw new Problem("bad_request", { detail: `The body has an unknown field; ${fieldList}.` });
  }
  return value as Fields;
}

/** @throws {Problem} `bad_request` when there is any query parameter. */
export function refuseQuery(event: ApiEvent): void {
  if (Object.keys(event.query).length > 0)
    throw new Problem("bad_request", { detail: "This request takes no query parameters." });
}

/** The form of a lease id; whether there is such a lease is another question. */
export function isLeaseId(value: unknown): value is string {
  return typeof value === "string" && /^[\w-]{8,64}$/.test(value);
}

function fields(value: unknown): Fields {
  return typeof value === "object" && value !== null ? (value as Fields) : {};
}
