/** Attack: a service's own `fetch` or provider throws an error with secrets in each of its texts, and a logger prints it all. */
import { inspect } from "node:util";
import { afterEach, describe, expect, it } from "vitest";
import { plantedToken, tokenReply } from "../../test/support/broker-replies.ts";
import { failure } from "../../test/support/failure.ts";
import { clientStand, stopStands } from "./stand.ts";

afterEach(stopStands);

const keys = {
  accessKeyId: "ASIAPLANTEDKEYID0000",
  secretAccessKey: "PlantedSecretKey/0123456789+abcdefghijkl",
  sessionToken: "PLANTED/session+token/0123456789==",
};

const shown = (error: unknown) =>
  `${inspect(error, { depth: 20, showHidden: true, getters: true })} ${(error as Error).stack} ${JSON.stringify(error)}`;

/** The ways of an error to carry a text. */
const carriers: Record<string, (secret: string) => unknown> = {
  "a message beside a system call's code": (secret) => fields("ECONNRESET", secret, { syscall: "read" }),
  "the name of the system call": (secret) => fields("ECONNRESET", "read", { syscall: secret }),
  "the address": (secret) =>
    fields("ECONNREFUSED", "x", { syscall: "connect", address: secret, port: secret }),
  "the code": (secret) => fields(secret, "x", {}),
  "a message beside a code of TLS": (secret) => fields("CERT_HAS_EXPIRED", secret, { host: secret }),
  "a message beside a code of undici": (secret) => fields("UND_ERR_SOCKET", secret, { socket: { secret } }),
  "the name": (secret) => Object.assign(fields("ECONNRESET", "x", {}), { name: secret }),
  "the stack": (secret) => Object.assign(fields("ECONNRESET", "x", {}), { stack: secret }),
  "an error without a code": (secret) => Object.assign(new Error(secret), { name: secret }),
  "a string": (secret) => secret,
  "an error thrown by the getter of the code": (secret) => throwingGetter("code", secret),
  "an error thrown by the getter of the message": (secret) => throwingGetter("message", secret),
  "an Error whose getter of the message throws": (secret) =>
    throwingGetter("message", secret, new Error("x")),
  "an object": (secret) => ({ name: secret, message: secret, secret }),
};

const throwingGetter = (name: string, secret: string, error: object = {}) =>
  Object.defineProperty(error, name, {
    get() {
      throw new Error(secret);
    },
  });

const nestings: Record<string, (thrown: unknown) => unknown> = {
  "as it is": (thrown) => thrown,
  "as the cause of a cause": (thrown) =>
    new TypeError("fetch failed", { cause: new Error("x", { cause: thrown }) }),
  "as one of several": (thrown) => new AggregateError([thrown], "x"),
  "below a code of its own": (thrown) => Object.assign(fields("ETIMEDOUT", "x", {}), { cause: thrown }),
};

const fields = (code: string, message: string, more: object) =>
  Object.assign(new Error(message), { code, ...more });

const ways = Object.entries(carriers).flatMap(([carrier, plant]) =>
  Object.entries(nestings).map(([nesting, nest]) => ({
    way: `in ${carrier}, ${nesting}`,
    thrownWith: (secret: string) => nest(plant(secret)),
  })),
);

describe("a secret in an error of the service's own fetch stays there", () => {
  it.each(ways)("$way", async ({ thrownWith }) => {
    const { another } = await clientStand();
    const secrets = [...Object.values(keys)];
    for (const pick of [
      (headers: Record<string, string>) => /Signature=(\w+)/.exec(headers.authorization ?? "")?.[1],
      (headers: Record<string, string>) => headers.authorization,
      (headers: Record<string, string>) => headers["x-amz-security-token"],
    ]) {
      const client = another({
        ...{ credentials: keys, timeoutMs: 60 },
        fetch: async (_, { headers }) => {
          const secret = pick(headers) ?? expect.fail("There is no such header.");
          secrets.push(secret);
          throw thrownWith(secret);
        },
      });
      const text = shown(await failure(client.token()));
      for (const secret of secrets) expect(text).not.toContain(secret);
    }
  });

  it.each(ways)("$way, when the answer with the token breaks off", async ({ thrownWith }) => {
    const { another } = await clientStand();
    const secret = plantedToken("lease-1");
    const client = another({
      timeoutMs: 60,
      fetch: async () => ({
        ...{ status: 200, headers: new Headers() },
        text: () => Promise.reject(thrownWith(secret)),
      }),
    });
    expect(tokenReply("lease-1").body).toMatchObject({ access_token: secret });
    expect(shown(await failure(client.token()))).not.toContain(secret);
  });
});

describe("a secret in an error of the service's own provider stays there", () => {
  it.each(ways)("$way", async ({ thrownWith }) => {
    const { another } = await clientStand();
    for (const secret of [keys.secretAccessKey, keys.sessionToken, "0123456789abcdef".repeat(4)]) {
      const client = another({ timeoutMs: 60, credentials: () => Promise.reject(thrownWith(secret)) });
      expect(shown(await failure(client.token()))).not.toContain(secret);
    }
  });
});

describe("an answer that quotes the request", () => {
  it.each([
    [400, { message: "Bad header: QUOTE" }, { "x-amzn-errortype": "BadRequestException" }],
    [403, { message: "Not allowed: QUOTE" }, { "x-amzn-errortype": "AccessDeniedException" }],
    [403, { message: `${"x".repeat(380)} QUOTE` }, { "x-amzn-errortype": "AccessDeniedException" }],
    [400, { code: "bad_request", title: "QUOTE", detail: "QUOTE", request_id: "QUOTE" }, {}],
  ])("with %d, such as %j, brings no secret into the error", async (status, body, headers) => {
    const { another } = await clientStand(({ headers: { authorization = "", ...sent } }) => {
      const quote = `${sent["x-amz-security-token"]} ${authorization}`;
      return { status, headers, body: JSON.parse(JSON.stringify(body).replaceAll("QUOTE", quote)) };
    });
    const error = await failure(another({ credentials: keys }).token());
    expect(error.status).toBe(status);
    expect(shown(error)).not.toMatch(/PLANTED\/ses|Signature=[0-9a-f]/);
  });
});
