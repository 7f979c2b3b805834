/** Impossible headers and connections. */
import { once } from "node:events";
import { createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { inspect } from "node:util";
import { afterEach, describe, expect, it } from "vitest";
import { certificate } from "../../test/support/certificates.ts";
import { failure } from "../../test/support/failure.ts";
import { connect } from "../src/broker/connection.ts";
import { unreachableError } from "../src/errors/unreachable.ts";
import { inBareEnvironment } from "./bare-environment.ts";
import { clientStand, credentials, stopStands } from "./stand.ts";

const endpoint = "https://tokens.example.com";
inBareEnvironment();
afterEach(stopStands);

describe("a region", () => {
  it.each(["eu-west-1\r", "eu west 1", "eu-west-1\n", " eu-west-1", "eu-west-1/x"])(
    "of AWS_REGION such as %j is refused at once, by the variable's name",
    async (region) => {
      process.env.AWS_REGION = region;
      const error = await failure(Promise.resolve().then(() => connect({ endpoint })));
      expect([error.code, error.retryable]).toEqual(["no_region", false]);
      expect(error.message).toContain("AWS_REGION is not the name of a region. Set AWS_REGION");
    },
  );

  it("of the option is refused by the option's name", async () => {
    const error = await failure(Promise.resolve().then(() => connect({ endpoint, region: "eu-west-1\r" })));
    expect(error.message).toContain("`region` is not the name of a region");
  });
});

describe("a key with a line break", () => {
  it.each([
    ["sessionToken", "AWS_SESSION_TOKEN"],
    ["secretAccessKey", "AWS_SECRET_ACCESS_KEY"],
    ["accessKeyId", "AWS_ACCESS_KEY_ID"],
  ])("in %s is refused at once, by its name and without its value", async (field, variable) => {
    const { another, broker, clock } = await clientStand();
    const wrong = { ...credentials, [field]: "planted-value\n" };
    const error = await failure(another({ credentials: wrong }).token());
    expect([error.code, error.retryable]).toEqual(["bad_credentials", false]);
    expect(error.message).toContain(`\`${field}\` of the AWS credentials has a blank, a line break`);
    process.env[variable] = "planted-value\n";
    const named = await failure(another({ credentials: wrong }).token());
    expect(named.message).toContain(`${variable} has a blank, a line break`);
    expect(inspect([error, named], { depth: 9, showHidden: true })).not.toContain("planted-value");
    expect([broker.asked.length, clock.slept.length]).toEqual([0, 0]);
  });

  it("in the environment is refused before AWS's chain hands it to the signer", async () => {
    const { another } = await clientStand();
    Object.assign(process.env, {
      AWS_ACCESS_KEY_ID: "AKIDX",
      AWS_SECRET_ACCESS_KEY: "s",
      AWS_SESSION_TOKEN: "t\n",
    });
    const error = await failure(another({ credentials: undefined }).token());
    expect(error.message).toMatch(/^AWS_SESSION_TOKEN has a blank, a line break/);
  });

  it("is not an empty session token: an empty one counts as none", async () => {
    const { another, broker } = await clientStand();
    await another({ credentials: { ...credentials, sessionToken: "" } }).token();
    expect(broker.asked[0]?.headers["x-amz-security-token"]).toBe(undefined);
  });
});

describe("an impossible connection has an error of its own words, and one attempt", () => {
  const refused = async (options: { endpoint: string }) => {
    const { another, clock } = await clientStand();
    const error = await failure(another(options).token());
    expect([error.code, error.retryable, clock.slept.length]).toEqual(["unreachable", false, 0]);
    return error;
  };

  it("a port on fetch's list of bad ports", async () => {
    const error = await refused({ endpoint: "https://127.0.0.1:6000/v1" });
    expect(error.summary).toBe("127.0.0.1:6000 cannot be reached (bad port).");
    expect(error.hint).toContain("allows no request to this port");
  });

  it("a server without TLS", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    try {
      const { port } = server.address() as AddressInfo;
      expect((await refused({ endpoint: `https://127.0.0.1:${port}/v1` })).hint).toContain(
        "another protocol",
      );
    } finally {
      server.close();
    }
  });

  it("a certificate of an unknown CA", async () => {
    const server = createTlsServer(certificate({ names: ["127.0.0.1"] })).listen(0, "127.0.0.1");
    await once(server, "listening");
    try {
      const { port } = server.address() as AddressInfo;
      const error = await refused({ endpoint: `https://127.0.0.1:${port}/v1` });
      expect(error.summary).toContain("(DEPTH_ZERO_SELF_SIGNED_CERT)");
      expect(error.hint).toContain("NODE_EXTRA_CA_CERTS");
    } finally {
      server.close();
    }
  });

  it.each(["UNABLE_TO_GET_ISSUER_CERT_LOCALLY", "SELF_SIGNED_CERT_IN_CHAIN", "DEPTH_ZERO_SELF_SIGNED_CERT"])(
    "a certificate of an unknown issuer (%s): the way to a private CA",
    (code) => {
      const error = unreachableError(
        new TypeError("fetch failed", { cause: { code } }),
        "tokens.example.com",
      );
      expect(error.hint).toMatch(/NODE_EXTRA_CA_CERTS.*--use-system-ca/);
      expect(error.hint).not.toContain("name");
      expect(error.retryable).toBe(false);
    },
  );

  it.each([
    ["CERT_HAS_EXPIRED", /clock/],
    ["ERR_TLS_CERT_ALTNAME_INVALID", /another name/],
    ["ENOTFOUND", /endpoint's name/],
  ])("%s", (code, hint) => {
    const error = unreachableError(new TypeError("fetch failed", { cause: { code } }), "tokens.example.com");
    expect(error.hint).toMatch(hint);
    expect(error.retryable).toBe(false);
  });

  it("a failure outside the network", () => {
    expect(unreachableError(new TypeError("Invalid URL"), "tokens.example.com").retryable).toBe(false);
  });
});

describe("a proxy", () => {
  /** As Node 24 throws it under NODE_USE_ENV_PROXY=1. */
  const refusal = (status: number) =>
    new TypeError("fetch failed", {
      cause: new DOMException("Request was cancelled.", {
        cause: Object.assign(new Error(`Proxy response (${status}) !== 200 when HTTP Tunneling`), {
          code: "UND_ERR_ABORTED",
        }),
      } as never),
    });

  it.each([
    [407, false],
    [403, false],
    [502, true],
  ])("with the answer %d is named, and worth another try: %s", (status, retryable) => {
    const cancelled = refusal(status);
    const error = unreachableError(cancelled, "tokens.example.com");
    expect(error.summary).toBe(`The proxy on the way to tokens.example.com answered ${status}.`);
    expect(error.retryable).toBe(retryable);
  });

  it("of HTTPS_PROXY, ignored by Node, is in the hint", () => {
    process.env.HTTPS_PROXY = "http://user:planted-password@proxy.example.com";
    const thrown = new TypeError("fetch failed", { cause: { code: "UND_ERR_CONNECT_TIMEOUT" } });
    const error = unreachableError(thrown, "tokens.example.com");
    expect(error.hint).toContain("Node ignores HTTPS_PROXY until NODE_USE_ENV_PROXY=1");
    expect(inspect(error)).not.toContain("planted-password");
    process.env.NODE_USE_ENV_PROXY = "1";
    expect(unreachableError(thrown, "tokens.example.com").hint).not.toContain("HTTPS_PROXY");
  });
});
