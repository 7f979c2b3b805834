/**
 * The function's answer as an HTTP response.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html#api-gateway-simple-proxy-for-lambda-output-format
 * "If the function output is of a different format, API Gateway returns a 502 Bad Gateway error response."
 */
import { validateHeaderName, validateHeaderValue } from "node:http";
import { isJsonObject } from "../json-object.ts";
import { functionFailed, type GatewayReply, type Refusal } from "./refusals.ts";

/**
 * An answer needs one of these fields at least. AWS refuses an answer with any other field, so a misspelt name is never
 * ignored. The source is LocalStack's test_aws_proxy_response_payload_format_validation, recorded on AWS on 2024-11-15.
 */
const fields = ["statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"];

/**
 * As captured from AWS for response parameters (README.md). The guide's own list "may be remapped", and a capture of AWS has its
 * te, via and warn unchanged: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html
 */
const remapped = [
  "authorization",
  "connection",
  "content-length",
  "content-md5",
  "date",
  "expect",
  "host",
  "max-forwards",
  "proxy-authenticate",
  "server",
  "trailer",
  "upgrade",
  "user-agent",
  "www-authenticate",
  "x-amzn-requestid",
];

/** The gateway's own, which a function does not replace, and the framing of its answer to the client. */
const dropped = ["x-amz-apigw-id", "x-amzn-trace-id", "transfer-encoding"];

export function readProxyResponse(payload: unknown): GatewayReply | Refusal {
  if (!isJsonObject(payload)) return functionFailed;
  const names = Object.keys(payload);
  if (names.length === 0 || names.some((name) => !fields.includes(name))) return functionFailed;
  const { statusCode, body, isBase64Encoded } = payload;
  const status = readStatus(statusCode);
  if (status === undefined) return functionFailed;
  if (body !== undefined && body !== null && typeof body !== "string") return functionFailed;
  if (isBase64Encoded !== undefined && typeof isBase64Encoded !== "boolean") return functionFailed;
  const headers = mergeHeaders(payload.headers ?? {}, payload.multiValueHeaders ?? {});
  if (headers === undefined) return functionFailed;
  if (!headers.some(([name]) => name.toLowerCase() === "content-type"))
    headers.unshift(["Content-Type", "application/json"]);
  // Base64 stays base64: without binary media types an API decodes nothing.
  return { status, headers, body: body ?? "" };
}

function readStatus(value: unknown): number | undefined {
  if (value === undefined) return 200;
  const status = typeof value === "string" && /^\d+$/.test(value) ? Number(value) : value;
  return typeof status === "number" && Number.isInteger(status) && status >= 200 && status <= 599
    ? status
    : undefined;
}

/** "If the same key-value pair is specified in both, only the values from multiValueHeaders will appear" */
function mergeHeaders(single: unknown, multiple: unknown): [string, string][] | undefined {
  if (!isJsonObject(single) || !isJsonObject(multiple)) return undefined;
  const merged: [string, string][] = [];
  for (const [name, values] of Object.entries(multiple)) {
    if (!Array.isArray(values)) return undefined;
    for (const value of values) {
      const text = headerText(value);
      if (text === undefined) return undefined;
      merged.push([name, text]);
    }
  }
  for (const [name, value] of Object.entries(single)) {
    const text = headerText(value);
    if (text === undefined) return undefined;
    if (!merged.some(([other, same]) => other.toLowerCase() === name.toLowerCase() && same === text))
      merged.push([name, text]);
  }
  const passed = merged.filter(([name]) => !dropped.includes(name.toLowerCase()));
  try {
    for (const [name, value] of passed) {
      validateHeaderName(name);
      validateHeaderValue(name, value);
    }
  } catch {
    // A line break in a value, say: a response that was never sent is better than a split one.
    return undefined;
  }
  return passed.map(([name, value]) =>
    remapped.includes(name.toLowerCase()) ? [`x-amzn-Remapped-${name}`, value] : [name, value],
  );
}

function headerText(value: unknown): string | undefined {
  if (typeof value === "boolean") return String(value);
  return typeof value === "string" ? value : undefined;
}
