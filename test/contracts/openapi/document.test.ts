import { Validator } from "@seriousme/openapi-schema-validator";
import { describe, expect, it } from "vitest";
import { stageName } from "../../../functions/contract.ts";
import { problems } from "../../../functions/domain/problem.ts";
import { document, operations, source, validateAnswer, violations } from "../../support/openapi/document.ts";

it("is valid OpenAPI 3.1", async () => {
  expect(document.openapi).toMatch(/^3\.1\./);
  expect(await new Validator().validate(structuredClone(source))).toEqual({ valid: true });
});

it("names the stage that is deployed", () => {
  expect(document.servers[0]?.variables.stage?.default).toBe(stageName);
});

it("asks for SigV4 on every operation, as API Gateway's extension says it", () => {
  expect(document.security).toEqual([{ sigv4: [] }]);
  expect(document.components).toMatchObject({
    securitySchemes: {
      sigv4: {
        type: "apiKey",
        in: "header",
        name: "Authorization",
        "x-amazon-apigateway-authtype": "awsSigv4",
      },
    },
  });
  expect(operations.filter((operation) => "security" in operation)).toEqual([]);
});

describe("every object", () => {
  const open: string[] = [];
  const walk = (value: unknown, path: string) => {
    if (typeof value !== "object" || value === null) return;
    if ((value as { type?: unknown }).type === "object" && !("additionalProperties" in value))
      open.push(path);
    for (const [key, inner] of Object.entries(value)) if (key !== "examples") walk(inner, `${path}/${key}`);
  };
  it("has no other fields than those that are described", () => {
    walk(source, "#");
    expect(open).toEqual([]);
  });
});

const examples = operations.flatMap(({ id, query, body, responses }) => [
  ...query.map(({ name, schema, example }) => ({ where: `${id} ${name}`, schema, value: example })),
  ...[body, ...[...responses.values()].flatMap(({ content }) => Object.values(content))].flatMap((media) => {
    if (!media) return [];
    const entries = Object.entries(media.examples ?? {});
    expect(entries, `examples of ${id}`).not.toEqual([]);
    return entries.map(([name, example]) => ({
      where: `${id} ${name}`,
      schema: media.schema,
      value: example.value,
    }));
  }),
]);

it.each(examples)("the example $where is one", ({ schema, value }) => {
  expect(value).toBeDefined();
  expect(violations(schema, value)).toEqual([]);
});

it("each example of a problem has the status and the title of its code", () => {
  const seen = new Set<string>();
  for (const { value } of examples) {
    const { code, status, title } = value as { code?: keyof typeof problems; status: number; title: string };
    if (code === undefined) continue;
    seen.add(code);
    expect({ code, status, title }).toEqual({ code, ...problems[code] });
  }
  expect([...seen].sort()).toEqual(Object.keys(problems).sort());
});

describe("an answer that the document does not describe is found out:", () => {
  const requestId = "11111111-2222-3333-4444-555555555555";
  const fine = {
    method: "POST",
    resource: "/scopes/{scope}/logout",
    status: 200,
    headers: {
      "Content-Type": "application/json",
      "Cache-Control": "no-store",
      "x-amzn-RequestId": requestId,
    } as Record<string, string>,
    body: '{"revoked":1,"pending":0}',
  };
  const judge = ({ method, resource, status, headers, body }: typeof fine) =>
    validateAnswer(method, resource, status, headers, body);
  const { "Cache-Control": _, ...keepable } = fine.headers;
  const busy = {
    ...fine,
    status: 503,
    headers: { ...fine.headers, "Content-Type": "application/problem+json", "Retry-After": "1" },
    body: JSON.stringify({ title: "x", status: 503, code: "busy", request_id: requestId }),
  };
  const { "Retry-After": __, ...atOnce } = busy.headers;

  it("(but these are as described)", () => {
    expect(judge(fine)).toEqual([]);
    expect(judge(busy)).toEqual([]);
  });

  it.each<[string, typeof fine, RegExp]>([
    ["another status", { ...fine, status: 204 }, /status 204/],
    [
      "another content type",
      { ...busy, headers: { ...busy.headers, "Content-Type": "text/html" } },
      /text\/html/,
    ],
    ["a further field", { ...fine, body: '{"revoked":1,"pending":0,"x":1}' }, /additional properties/],
    ["a field too few", { ...fine, body: '{"revoked":1}' }, /required property 'pending'/],
    [
      "pending under 200",
      { ...fine, body: '{"revoked":0,"pending":1}' },
      /pending must be equal to constant/,
    ],
    [
      "a further header",
      { ...fine, headers: { ...fine.headers, "Set-Cookie": "a" } },
      /set-cookie is not doc/,
    ],
    ["no request id", { ...fine, headers: { ...fine.headers, "x-amzn-RequestId": "" } }, /x-amzn-requestid/],
    ["an answer that may be kept", { ...fine, headers: keepable }, /not those of the broker/],
    ["503 without Retry-After", { ...busy, headers: atOnce }, /retry-after is absent/],
    [
      "Retry-After that is a date",
      { ...busy, headers: { ...busy.headers, "Retry-After": "Tue, 24 Nov 2026 13:00:00 GMT" } },
      /retry-after must be integer/,
    ],
    ["another operation's code", { ...busy, body: busy.body.replace("busy", "looker_unavailable") }, /code/],
    [
      "a status in the body that is not the answer's",
      { ...busy, body: busy.body.replace("503", "500") },
      /status/,
    ],
    [
      "API Gateway's form with the broker's headers",
      { ...busy, headers: { ...busy.headers, "Content-Type": "application/json" }, body: '{"message":"x"}' },
      /not those of API Gateway/,
    ],
  ])("%s", (_, answer, found) => {
    expect(judge(answer).join("\n")).toMatch(found);
  });
});
