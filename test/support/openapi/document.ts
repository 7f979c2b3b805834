/** docs/reference/openapi.yaml as tests use it: its operations, and whether an answer is one that it describes. */
import { readFileSync } from "node:fs";
import { Ajv2020, type AnySchema } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { parse } from "yaml";

interface MediaType {
  readonly schema: AnySchema;
  readonly examples?: Readonly<Record<string, { readonly value: unknown }>>;
}
interface Header {
  readonly required?: boolean;
  readonly schema: { readonly type?: string };
}
interface Response {
  readonly headers: Readonly<Record<string, Header>>;
  readonly content: Readonly<Record<string, MediaType>>;
}
interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly schema: AnySchema;
  readonly example: unknown;
}
interface Operation {
  readonly operationId: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Readonly<Record<string, MediaType>> };
  readonly responses: Readonly<Record<string, Response>>;
}
interface Document {
  readonly openapi: string;
  readonly servers: readonly { readonly variables: Readonly<Record<string, { readonly default: string }>> }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly security: unknown;
  readonly components: unknown;
}

/** As it is written. */
export const source: Record<string, unknown> = parse(
  readFileSync(new URL("../../../docs/reference/openapi.yaml", import.meta.url), "utf8"),
);
/** Each reference replaced by what it stands for; none leads back to itself. */
export const document = inlined(source) as Document;

function inlined(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inlined);
  if (typeof value !== "object" || value === null) return value;
  const { $ref, ...rest } = value as Record<string, unknown>;
  const own = Object.fromEntries(Object.entries(rest).map(([key, inner]) => [key, inlined(inner)]));
  return $ref === undefined ? own : { ...(inlined(target(String($ref))) as object), ...own };
}

function target(reference: string): unknown {
  let found: unknown = source;
  for (const part of reference.replace("#/", "").split("/")) found = (found as Record<string, unknown>)[part];
  if (found === undefined) throw new Error(`${reference} is not in the document.`);
  return found;
}

const ajv = new Ajv2020({ strict: true, strictTypes: false, allErrors: true });
addFormats.default(ajv);

/** What is wrong with the value; empty if nothing is. */
export function violations(schema: AnySchema, value: unknown): string[] {
  const validate = ajv.compile(schema);
  return validate(value)
    ? []
    : (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`.trim());
}

export interface Documented {
  readonly id: string;
  readonly method: string;
  /** As API Gateway names it in `event.resource`. */
  readonly resource: string;
  readonly query: readonly Parameter[];
  readonly body: MediaType | undefined;
  /** By status. */
  readonly responses: ReadonlyMap<number, Response>;
}

export const operations: readonly Documented[] = Object.entries(document.paths).flatMap(([resource, item]) =>
  ["get", "put", "post", "delete"].flatMap((method) => {
    const operation = item[method];
    if (!operation) return [];
    const { operationId, parameters = [], requestBody, responses } = operation;
    return [
      {
        id: operationId,
        method: method.toUpperCase(),
        resource,
        query: parameters.filter((parameter) => parameter.in === "query"),
        body: requestBody?.content["application/json"],
        responses: new Map(Object.entries(responses).map(([status, response]) => [Number(status), response])),
      },
    ];
  }),
);

export function operationNamed(id: string): Documented {
  const found = operations.find((operation) => operation.id === id);
  if (!found) throw new Error(`The document has no operation ${id}.`);
  return found;
}

/** Codes of the problems that the operation answers with this status. */
export function codesOf(response: Response): string[] {
  const schema = response.content["application/problem+json"]?.schema as
    | { allOf: [unknown, { properties: { code: { enum: string[] } } }] }
    | undefined;
  return schema ? schema.allOf[1].properties.code.enum : [];
}

/** Of the connection and of API Gateway's and X-Ray's own book-keeping: no part of the interface. */
const incidental = [
  "content-type",
  "content-length",
  "date",
  "connection",
  "keep-alive",
  "x-amz-apigw-id",
  "x-amzn-trace-id",
];

type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

/**
 * What of an answer, as it is on the wire, the document does not say; empty if it is all there. A route or method that the
 * document does not have is not judged.
 */
export function validateAnswer(
  method: string,
  resource: string,
  status: number,
  headers: Headers,
  body: string,
): string[] {
  const operation = operations.find((each) => each.method === method && each.resource === resource);
  if (!operation) return [];
  const response = operation.responses.get(status);
  if (!response) return [`status ${status} is not documented`];
  const sent = new Map(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name.toLowerCase(), String(value)]],
    ),
  );
  const type = sent.get("content-type") ?? "none";
  const media = response.content[type];
  if (!media) return [`content type ${type} is not documented for status ${status}`];
  return [
    ...wrongHeaders(response, sent),
    ...wrongOrigin(status, type, sent),
    ...violations(media.schema, JSON.parse(body)).map((error) => `body ${error}`),
  ];
}

function wrongHeaders(response: Response, sent: ReadonlyMap<string, string>): string[] {
  const documented = new Map(
    Object.entries(response.headers).map(([name, header]) => [name.toLowerCase(), header]),
  );
  return [
    ...[...documented]
      .filter(([name, header]) => header.required && !sent.has(name))
      .map(([name]) => `header ${name} is absent`),
    ...[...sent].flatMap(([name, value]) => {
      if (incidental.includes(name)) return [];
      const header = documented.get(name);
      if (!header) return [`header ${name} is not documented`];
      const typed = header.schema.type === "integer" ? Number(value) : value;
      return violations(header.schema, typed).map((error) => `header ${name} ${error}`);
    }),
  ];
}

/** A header is documented for a status, but two of them depend on whose answer it is, which the content type says. */
function wrongOrigin(status: number, type: string, sent: ReadonlyMap<string, string>): string[] {
  const fromBroker = status < 300 || type === "application/problem+json";
  return sent.has("cache-control") === fromBroker && sent.has("x-amzn-errortype") === !fromBroker
    ? []
    : [
        `headers ${[...sent.keys()].join(", ")} are not those of ${fromBroker ? "the broker" : "API Gateway"}`,
      ];
}

/** For answers of handlers in memory, at which API Gateway has not yet set its own headers. */
export function mustBeDocumented(
  event: unknown,
  { status, headers, text }: { status: number; headers: Headers; text: string },
): void {
  const { httpMethod, resource } = Object(event) as Record<string, unknown>;
  const sent = { ...headers, "x-amzn-RequestId": "11111111-2222-3333-4444-555555555555" };
  const wrong = validateAnswer(String(httpMethod), String(resource), status, sent, text);
  if (wrong.length > 0)
    throw new Error(
      `${httpMethod} ${resource} gave what docs/reference/openapi.yaml does not say: ${wrong.join("; ")}`,
    );
}
