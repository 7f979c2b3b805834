import { execFile } from "node:child_process";
import { createServer } from "node:http";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { listen } from "../../../../local/loopback.ts";
import { type SignedRequest, verifySignature } from "../../../../local/sigv4/verify.ts";
import { type SigningOptions, signRequest } from "../../../support/signed-fetch.ts";

const now = new Date("2026-03-01T12:00:00Z");
const role = { accessKeyId: "ASIAROLE", secretAccessKey: "role-secret", sessionToken: "tok/en+==" };
const user = { accessKeyId: "AKIAUSER", secretAccessKey: "user-secret" };
const find = (id: string) => [role, user].find(({ accessKeyId }) => accessKeyId === id);
const region = "eu-west-1";

const verify = (request: SignedRequest, at = now, service = "execute-api") =>
  verifySignature(request, { service, region, now: at, find });

async function sign(path: string, options: Partial<SigningOptions> = {}): Promise<SignedRequest> {
  const signed = await signRequest(`http://broker.test${path}`, {
    credentials: role,
    region,
    method: "POST",
    signingDate: now,
    ...options,
  });
  const [rawPath = "", rawQuery = ""] = path.split("?");
  return {
    method: signed.method,
    rawPath,
    rawQuery,
    headers: signed.headers,
    body: Buffer.from(signed.body ?? ""),
  };
}

const fault = async (verification: ReturnType<typeof verify>) => {
  const result = await verification;
  return result.ok ? "verified" : result.fault;
};

describe("verifies what an honest client signed", () => {
  test.each([
    ["a plain path", "/v1/scopes/sales/token", { body: '{"min_ttl_seconds":60}' }],
    ["no body", "/v1/scopes", { method: "GET" }],
    ["a permanent key", "/v1/scopes/sales/token", { credentials: user }],
    ["encoded characters in the path", "/v1/scopes/sa%20l%2Fes%C3%A9/token", {}],
    ["dot segments in the path", "/v1/scopes/../token", {}],
    ["a query, unsorted, with two values of one name", "/v1/x?b=2&a=x%20y&a=%2F&empty=", {}],
    [
      "headers with odd spaces",
      "/v1/x",
      { headers: { "content-type": " application/json;  a=b ", "x-other": "1" } },
    ],
    ["a header that signers usually leave out", "/v1/x", { headers: { "x-amz-user-agent": "sdk/1" } }],
    ["characters beyond ASCII in the body", "/v1/x", { body: "žluťoučký" }],
  ] satisfies [string, string, Partial<SigningOptions>][])("%s", async (_, path, options) => {
    expect(await fault(verify(await sign(path, options)))).toBe("verified");
  });

  test.each(["dynamodb", "secretsmanager", "kms"])("for %s", async (service) => {
    const request = await sign("/", { service, headers: { "x-amz-target": "T.Op" }, body: "{}" });
    expect(await verify(request, now, service)).toEqual({ ok: true, credential: role });
  });

  test("with the body's hash in x-amz-content-sha256", async () => {
    const hash = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
    const request = await sign("/v1/x", { body: "{}", headers: { "x-amz-content-sha256": hash } });
    expect(await fault(verify(request))).toBe("verified");
  });
});

describe("refuses", () => {
  const tamper = async (change: (request: SignedRequest) => void, options: Partial<SigningOptions> = {}) => {
    const request = await sign("/v1/scopes/sales/token?a=1", { body: "{}", ...options });
    change(request);
    return fault(verify(request));
  };
  const alter = (change: Partial<SignedRequest>) => (request: SignedRequest) => {
    Object.assign(request, change);
  };
  const withoutHeader = (name: string) => (request: SignedRequest) => {
    delete request.headers[name];
  };
  const header = (name: string, value: string) => (request: SignedRequest) => {
    request.headers[name] = value;
  };
  const authorization = (from: string | RegExp, to: string) => (request: SignedRequest) => {
    request.headers.authorization = (request.headers.authorization ?? "").replace(from, to);
  };

  test("a tampered body", async () => {
    expect(await tamper(alter({ body: Buffer.from("{ }") }))).toBe("mismatch");
  });
  test("a tampered method", async () => {
    expect(await tamper(alter({ method: "DELETE" }))).toBe("mismatch");
  });
  test("a tampered path", async () => {
    expect(await tamper(alter({ rawPath: "/v1/scopes/board/token" }))).toBe("mismatch");
  });
  test("a path encoded otherwise than it was signed", async () => {
    expect(await tamper(alter({ rawPath: "/v1/scopes/%73ales/token" }))).toBe("mismatch");
  });
  test.each(["a=2", "a=1&b=2", "", "a=1&__proto__=1", "a=1&X-Amz-Signature=1", "a=1&%ff=1"])(
    "the query tampered to %j",
    async (query) => {
      expect(await tamper(alter({ rawQuery: query }))).toBe("mismatch");
    },
  );
  test("a tampered signed header", async () => {
    expect(
      await tamper(header("content-type", "text/html"), { headers: { "content-type": "text/plain" } }),
    ).toBe("mismatch");
  });
  test("a signed header that was taken away", async () => {
    expect(await tamper(withoutHeader("x-a"), { headers: { "x-a": "1" } })).toBe("mismatch");
  });
  test("another host", async () => {
    expect(await tamper(header("host", "other.test"))).toBe("mismatch");
  });
  test("an x-amz header added without being signed", async () => {
    expect(await tamper(header("x-amz-target", "DynamoDB_20120810.DeleteTable"))).toBe(
      "incomplete_signature",
    );
  });
  test("an x-amz-content-sha256 of another body", async () => {
    const hash = "0".repeat(64);
    expect(await tamper(() => {}, { headers: { "x-amz-content-sha256": hash } })).toBe("mismatch");
  });
  test("UNSIGNED-PAYLOAD", async () => {
    const headers = { "x-amz-content-sha256": "UNSIGNED-PAYLOAD" };
    expect(await tamper(alter({ body: Buffer.from("evil") }), { headers })).toBe("mismatch");
  });

  test("a replay after five minutes, and not before", async () => {
    const request = await sign("/v1/x");
    const later = (seconds: number) => new Date(now.getTime() + seconds * 1000);
    expect(await fault(verify(request, later(300)))).toBe("verified");
    expect(await verify(request, later(301))).toEqual({
      ok: false,
      fault: "skewed",
      message:
        "Signature expired: 20260301T120000Z is now earlier than 20260301T120001Z (20260301T120501Z - 5 min.)",
    });
    expect(await fault(verify(request, later(-300)))).toBe("verified");
    expect(await fault(verify(request, later(-301)))).toBe("skewed");
  });
  test("a replay with the date put forward", async () => {
    expect(await tamper(header("x-amz-date", "20260301T120100Z"))).toBe("mismatch");
  });
  test("a credential of another day", async () => {
    expect(await tamper(authorization("/20260301/", "/20260228/"))).toBe("wrong_scope");
  });
  test("a request signed for another region", async () => {
    expect(await verify(await sign("/v1/x", { region: "us-east-1" }))).toMatchObject({
      fault: "wrong_scope",
      message: "Credential should be scoped to a valid region, not 'us-east-1'. ",
    });
  });
  test("a request signed for another service", async () => {
    expect(await fault(verify(await sign("/v1/x", { service: "dynamodb" })))).toBe("wrong_scope");
  });
  test("another region with the scope put right", async () => {
    expect(await tamper(authorization("/us-east-1/", "/eu-west-1/"), { region: "us-east-1" })).toBe(
      "mismatch",
    );
  });

  test("an unknown access key", async () => {
    const credentials = { ...user, accessKeyId: "AKIANOBODY" };
    expect(await fault(verify(await sign("/v1/x", { credentials })))).toBe("unknown_access_key");
  });
  test("a known access key with another secret", async () => {
    const credentials = { ...user, secretAccessKey: "guessed" };
    expect(await fault(verify(await sign("/v1/x", { credentials })))).toBe("mismatch");
  });
  test("a stolen key without its session token", async () => {
    const { sessionToken: _, ...credentials } = role;
    expect(await fault(verify(await sign("/v1/x", { credentials })))).toBe("wrong_session_token");
  });
  test("a stolen key with another session's token", async () => {
    const credentials = { ...role, sessionToken: "tok/en+=!" };
    expect(await fault(verify(await sign("/v1/x", { credentials })))).toBe("wrong_session_token");
  });
  test("a session token with a permanent key", async () => {
    const credentials = { ...user, sessionToken: role.sessionToken };
    expect(await fault(verify(await sign("/v1/x", { credentials })))).toBe("wrong_session_token");
  });
  test("a session token that was not signed", async () => {
    expect(await tamper(header("x-amz-security-token", "tok/en+=="), { credentials: user })).toBe(
      "incomplete_signature",
    );
  });

  test("no signature", async () => {
    expect(await tamper(withoutHeader("authorization"))).toBe("missing_authentication");
  });
  test("a signature in the query string (known difference)", async () => {
    const request = await sign("/v1/x");
    delete request.headers.authorization;
    request.rawQuery = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=00";
    expect(await fault(verify(request))).toBe("missing_authentication");
  });
  test.each<[string, (request: SignedRequest) => void]>([
    ["a bearer token", header("authorization", "Bearer hunter2")],
    ["another algorithm", authorization("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256")],
    ["no Signature", authorization(/, Signature=.*/, "")],
    ["two Signatures", authorization(/$/, ", Signature=00")],
    ["no SignedHeaders", authorization(/SignedHeaders=[^,]*, /, "")],
    ["unsorted SignedHeaders", authorization(/SignedHeaders=host;/, "SignedHeaders=x-z;host;")],
    ["a credential of four parts", authorization("/aws4_request", "")],
    ["another terminator", authorization("/aws4_request", "/aws5_request")],
    ["host not signed", authorization("SignedHeaders=host;", "SignedHeaders=")],
    ["the date not signed", authorization(";x-amz-date", "")],
    ["no date", withoutHeader("x-amz-date")],
    ["a date that does not exist", header("x-amz-date", "20260230T120000Z")],
    ["two dates", header("x-amz-date", "20260301T120000Z, 20260301T120000Z")],
  ])("an incomplete signature: %s", async (_, change) => {
    expect(await tamper(change)).toBe("incomplete_signature");
  });
  test("a bearer token without repeating it", async () => {
    const request = await sign("/v1/x");
    request.headers.authorization = "Bearer hunter2";
    expect(JSON.stringify(await verify(request))).not.toContain("hunter2");
  });
});

const curlVersion = await promisify(execFile)("curl", ["--version"]).then(
  ({ stdout }) => /^curl (\d+)\.(\d+)/.exec(stdout),
  () => null,
);
const curlSigns = curlVersion !== null && Number(curlVersion[1]) * 1000 + Number(curlVersion[2]) >= 7075;

describe.skipIf(!curlSigns)("curl --aws-sigv4 (skipped where there is no curl of 7.75 or later)", () => {
  test.each<[string, string, string[]]>([
    ["a permanent key", "/v1/scopes/sales/token", ["-X", "POST", "-u", "AKIAUSER:user-secret"]],
    [
      "a session token and a JSON body",
      "/v1/scopes/sales/token",
      [
        "-u",
        "ASIAROLE:role-secret",
        "-H",
        "x-amz-security-token: tok/en+==",
        "--json",
        '{"min_ttl_seconds":60}',
      ],
    ],
    ["a sorted query", "/v1/x?a=1&b=2", ["-u", "AKIAUSER:user-secret"]],
  ])("%s verifies", async (_, path, options) => {
    let result: unknown;
    const server = createServer(async (message, response) => {
      const body = Buffer.concat(await message.toArray());
      const [rawPath = "", rawQuery = ""] = (message.url ?? "").split("?");
      const headers = message.headers as Record<string, string>;
      result = await verify({ method: message.method ?? "", rawPath, rawQuery, headers, body }, new Date());
      response.end();
    });
    const { url, close } = await listen(server);
    const signing = ["-s", "--aws-sigv4", `aws:amz:${region}:execute-api`];
    await promisify(execFile)("curl", [...signing, ...options, `${url}${path}`]);
    await close();
    expect(result).toMatchObject({ ok: true });
  });
});
