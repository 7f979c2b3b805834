import { inspect } from "node:util";
import { afterEach, describe, expect, it } from "vitest";
import { gatewayReply } from "../../test/support/broker-replies.ts";
import { failure } from "../../test/support/failure.ts";
import { FakeServer } from "../../test/support/fake-server.ts";
import { unreachableError } from "../src/errors/unreachable.ts";
import { TokenBrokerClient } from "../src/token/token-broker-client.ts";
import { clientStand, credentials, stopStands } from "./stand.ts";

afterEach(stopStands);

// The meaning of each answer: test/support/client-situations.json.

describe("AWS credentials", () => {
  it("are asked for before each request, and may change", async () => {
    const { another, broker } = await clientStand();
    let key = 0;
    const client = another({
      credentials: async () => ({ accessKeyId: `KEY${++key}`, secretAccessKey: "s" }),
    });
    await client.token();
    await client.logout();
    await client.token();
    expect(
      broker.asked.map(({ headers }) => /Credential=(\w+)/.exec(headers.authorization ?? "")?.[1]),
    ).toEqual(["KEY1", "KEY2", "KEY3"]);
  });

  it.each([
    gatewayReply(403, "ExpiredTokenException", "The security token included in the request is expired"),
    gatewayReply(
      403,
      "UnrecognizedClientException",
      "The security token included in the request is invalid.",
    ),
  ])("that AWS refuses are renewed once: $body.message", async (reply) => {
    const { another, broker } = await clientStand();
    const earlier = broker.answering;
    broker.answering = (asked) => (asked.headers.authorization?.includes("NEW") ? earlier(asked) : reply);
    const client = another({
      credentials: async (options) => ({
        accessKeyId: options?.forceRefresh ? "NEW" : "OLD",
        secretAccessKey: "s",
      }),
    });
    expect((await client.token()).leaseId).toBe("lease-1");
    expect(broker.asked.length).toBe(2);
  });

  it("that AWS refuses are not sent again when they are still the same", async () => {
    const { client, broker } = await clientStand(() =>
      gatewayReply(403, "ExpiredTokenException", "The security token included in the request is expired"),
    );
    expect((await failure(client.token())).code).toBe("expired_credentials");
    expect(broker.asked.length).toBe(1);
  });

  const provider = (name: string, message: string, more: object = {}) =>
    Object.assign(new Error(message), { name, ...more });

  it.each([
    provider("Error", "connect ECONNREFUSED 127.0.0.1:80", { code: "ECONNREFUSED" }),
    provider("TypeError", "fetch failed", { cause: { code: "ECONNRESET" } }),
    provider("ProviderError", "TimeoutError from instance metadata service"),
    provider("CredentialsProviderError", "TimeoutError: socket hang up"),
    provider("CredentialsProviderError", "Error: connect ETIMEDOUT portal.sso.eu-west-1.amazonaws.com"),
    provider("CredentialsProviderError", "Server responded with status: 503"),
    provider("ThrottlingException", "Rate exceeded", { $metadata: { httpStatusCode: 400 } }),
    provider("InternalError", "Oops", { $metadata: { httpStatusCode: 500 } }),
    provider("ProviderError", "Error response received from instance metadata service", { statusCode: 500 }),
  ])("that cannot be fetched for a moment are waited for: $message", async (thrown) => {
    const { another, clock } = await clientStand();
    let calls = 0;
    const client = another({
      credentials: async () => {
        if (++calls < 3) throw thrown;
        return credentials;
      },
    });
    expect((await client.token()).leaseId).toBe("lease-1");
    expect(clock.slept.length).toBe(2);
  });

  it("that cannot be fetched within the budget are an error that says why, and not what the provider's said", async () => {
    const { another } = await clientStand();
    const client = another({
      credentials: () => Promise.reject(provider("Error", "hunter2 ECONNREFUSED", { code: "ECONNREFUSED" })),
    });
    const error = await failure(client.token());
    expect(error.code).toBe("credentials_unavailable");
    expect(error.summary).toMatch(/^The AWS credentials could not be fetched \(ECONNREFUSED\)\./);
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain("hunter2");
  });

  it.each([
    provider("Error", "getaddrinfo ENOTFOUND sts.example", { code: "ENOTFOUND" }),
    provider("Error", "no such file", { code: "ENOENT" }),
  ])("that cannot be had at all are not waited for: $message", async (thrown) => {
    const { another, clock } = await clientStand();
    const error = await failure(another({ credentials: () => Promise.reject(thrown) }).token());
    expect(error.code).toMatch(/^(credentials_unavailable|no_credentials)$/);
    expect(clock.slept).toEqual([]);
  });

  it("of a role that may not be assumed name the role, and not an SSO session", async () => {
    const { another, clock } = await clientStand();
    const message =
      "User: arn:aws:sts::111122223333:assumed-role/aws-sso/me is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::111122223333:role/reports";
    const thrown = provider("AccessDenied", message, { $metadata: { httpStatusCode: 403 } });
    const error = await failure(another({ credentials: () => Promise.reject(thrown) }).token());
    expect(error.code).toBe("no_credentials");
    expect(error.summary).toBe(
      "AWS does not let this identity assume the role arn:aws:iam::111122223333:role/reports.",
    );
    expect(error.hint).toContain("trust policy");
    expect(clock.slept).toEqual([]);
  });

  it("that cannot be had are an error that says so, and not what the provider's said", async () => {
    const { another } = await clientStand();
    const client = another({
      credentials: () =>
        Promise.reject(
          Object.assign(new Error("Command failed: get --password hunter2"), {
            name: "CredentialsProviderError",
          }),
        ),
    });
    const error = await failure(client.token());
    expect(error.code).toBe("no_credentials");
    expect(error.summary).toBe("No AWS credentials were found (CredentialsProviderError).");
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain("hunter2");
  });

  it("of an SSO session that has expired name the command that renews it", async () => {
    const { another } = await clientStand();
    const client = another({
      credentials: () =>
        Promise.reject(
          new Error(
            "Token is expired. To refresh this SSO session run 'aws sso login' with the corresponding profile.",
          ),
        ),
    });
    const error = await failure(client.token());
    expect(error.code).toBe("no_credentials");
    expect(error.hint).toContain("aws sso login");
  });

  it("do not show in an error", async () => {
    const { client } = await clientStand(() =>
      gatewayReply(403, "InvalidSignatureException", "The request signature we calculated does not match."),
    );
    const error = await failure(client.token());
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(credentials.secretAccessKey);
    expect(inspect(error, { depth: 9, showHidden: true })).not.toMatch(/Signature=/);
  });
});

describe("an endpoint with a domain name of its own", () => {
  it("has the routes at its root", async () => {
    const { another, broker } = await clientStand();
    await another({ endpoint: broker.url }).token();
    expect(broker.asked[0]?.path).toBe("/scopes/sales/token");
  });
});

describe("a broker that is not there", () => {
  it.each([
    ["ECONNRESET", true],
    ["ECONNREFUSED", true],
    ["EAI_AGAIN", true],
    ["ENOTFOUND", false],
    ["CERT_HAS_EXPIRED", false],
    ["ERR_TLS_CERT_ALTNAME_INVALID", false],
    ["SELF_SIGNED_CERT_IN_CHAIN", false],
  ])("because of %s is worth another try: %s", (code, retryable) => {
    const error = unreachableError(new TypeError("fetch failed", { cause: { code } }), "tokens.example.com");
    expect(error.summary).toBe(`tokens.example.com cannot be reached (${code}).`);
    expect(error.retryable).toBe(retryable);
  });

  it.each([Number.NaN, 0, -1, Number.POSITIVE_INFINITY])(
    "is waited for no budget such as %d",
    (timeoutMs) => {
      const options = {
        endpoint: "https://tokens.example.com",
        scope: "sales",
        region: "eu-west-1",
        credentials,
      };
      expect(() => new TokenBrokerClient({ ...options, timeoutMs })).toThrow(
        expect.objectContaining({ code: "bad_request" }),
      );
    },
  );

  it("is named, with the reason", async () => {
    const gone = await FakeServer.start(() => "drop");
    const endpoint = gone.url;
    await gone.stop();
    const client = new TokenBrokerClient({
      endpoint,
      scope: "sales",
      region: "eu-west-1",
      credentials,
      timeoutMs: 100,
    });
    const error = await failure(client.token());
    expect(error.code).toBe("unreachable");
    expect(error.summary).toContain(`${new URL(endpoint).host} cannot be reached (ECONNREFUSED).`);
  });
});
