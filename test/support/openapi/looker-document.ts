/**
 * Looker's OpenAPI document, cut down to authentication and accounts. The repository does not contain it. Its place is
 * `../shared`, next to the repository. Suites that need it are skipped without it.
 */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Ajv } from "ajv";
import addFormats from "ajv-formats";

const path = fileURLToPath(new URL("../../../../shared/looker-openapi.json", import.meta.url));

interface Operation {
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, unknown>> };
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, unknown>> }>>;
}

export interface LookerDocument {
  /** `GET /users/{user_id}`, with the path below `/api/4.0`. */
  readonly operations: ReadonlyMap<string, Operation>;
  /** Differences between an answer and the document. Empty if there are none. */
  violations(operation: string, status: number, contentType: string | null, body: string): string[];
}

export const hasLookerDocument = existsSync(path);
if (!hasLookerDocument)
  console.warn("Skipped: ../shared/looker-openapi.json, Looker's own document, is absent.");

export function readLookerDocument(): LookerDocument {
  const source = JSON.parse(readFileSync(path, "utf8"));
  // A field that Looker lacks is a mistake of the stand-in's, so no schema may be open.
  for (const schema of Object.values<Record<string, unknown>>(source.components.schemas))
    if (schema.properties !== undefined) schema.additionalProperties ??= false;
  const ajv = new Ajv({ strict: false, allErrors: true });
  addFormats.default(ajv);
  ajv.addSchema({ ...source, $id: "looker" });
  const operations = new Map(
    Object.entries<Record<string, Operation>>(source.paths).flatMap(([template, item]) =>
      Object.entries(item).map(([method, operation]) => [`${method.toUpperCase()} ${template}`, operation]),
    ),
  );
  return {
    operations,
    violations(name, status, contentType, body) {
      const response = operations.get(name)?.responses[status];
      if (response === undefined) return [`status ${status} is not documented`];
      // The document gives a 204 a text, which HTTP does not allow (RFC 9110 §15.3.5).
      if (status === 204) return body === "" ? [] : ["a 204 has a body"];
      if (response.content === undefined) return [`status ${status} has no documented body`];
      const type = contentType?.split(";")[0] ?? "none";
      if (!Object.hasOwn(response.content, type)) return [`content type ${type} is not documented`];
      const [method = "", template = ""] = name.split(" ");
      const pointer = [
        "paths",
        template,
        method.toLowerCase(),
        "responses",
        status,
        "content",
        type,
        "schema",
      ];
      const validate = ajv.getSchema(`looker#/${pointer.map(escaped).join("/")}`);
      if (validate === undefined) return [`no schema at ${pointer.join(" ")}`];
      if (validate(JSON.parse(body))) return [];
      return (validate.errors ?? []).map(
        ({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`,
      );
    },
  };
}

/** RFC 6901 §3, then §6: a JSON pointer in a URI fragment. */
function escaped(segment: string | number): string {
  return encodeURIComponent(String(segment).replaceAll("~", "~0").replaceAll("/", "~1"));
}
