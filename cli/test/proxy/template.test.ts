import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { newPair, pairOfEnvironment } from "../../src/proxy/pair.ts";
import { childEnvironment, iniText, settingsFileText } from "../../src/proxy/settings-text.ts";
import { templateOf, variablesOf } from "../../src/proxy/template.ts";

const settings = { id: "local-id", secret: "local-secret", port: 9123 };

describe("--env", () => {
  it.each([
    ["LOOKER_BASE_URL={base}", "http://127.0.0.1:9123"],
    ["HOST_AND_PORT={host}:{port}", "127.0.0.1:9123"],
    ['RECIPE={"id":"{id}","secret":"{secret}"}', '{"id":"local-id","secret":"local-secret"}'],
    ["URL={base}/api/?a=b", "http://127.0.0.1:9123/api/?a=b"],
    ["EMPTY=", ""],
  ])("%s", (text, value) => {
    expect(templateOf(text).fill(settings)).toBe(value);
  });

  it.each(["LOOKER_BASE_URL", "={base}", "1X={base}", "A-B={base}", ""])("refuses %j", (text) => {
    expect(() => templateOf(text)).toThrow("--env takes NAME=TEMPLATE, as in --env LOOKER_URL={base}");
  });

  it.each(["{url}", "{toString}", "{__proto__}"])("says which names there are in the place of %s", (word) => {
    expect(() => templateOf(`X=${word}`)).toThrow(
      `--env X: ${word} is not one of {base} {host} {port} {id} {secret}.`,
    );
  });

  it("adds to the variables of Looker's SDKs, or replaces one", () => {
    const more = [templateOf("LOOKERSDK_BASE_URL=http://localhost:{port}"), templateOf("LOOKER_PORT={port}")];
    expect(variablesOf(settings, more)).toEqual({
      LOOKERSDK_BASE_URL: "http://localhost:9123",
      LOOKERSDK_CLIENT_ID: "local-id",
      LOOKERSDK_CLIENT_SECRET: "local-secret",
      LOOKER_PORT: "9123",
    });
  });
});

describe("the environment of the command", () => {
  it("has nothing that leads around the proxy, and is the parent's otherwise", () => {
    const parent = {
      PATH: "/bin",
      LOOKER_ACCESS_TOKEN: "real",
      LOOKER_TOKEN_FILE: "/real",
      LOOKER_API_ENDPOINT: "https://looker.example/api/4.0/",
      LOOKERSDK_CLIENT_SECRET: "old",
    };
    expect(childEnvironment(parent, { LOOKERSDK_CLIENT_SECRET: "local" })).toEqual({
      PATH: "/bin",
      LOOKERSDK_CLIENT_SECRET: "local",
    });
  });

  it("exempts 127.0.0.1 from a proxy for outbound requests", () => {
    expect(childEnvironment({ HTTP_PROXY: "http://p", NO_PROXY: "a.example" }, {})).toMatchObject({
      NO_PROXY: "a.example,127.0.0.1,localhost",
      no_proxy: "a.example,127.0.0.1,localhost",
    });
  });
});

it("a looker.ini has the keys of Looker's SDKs", () => {
  expect(iniText(settings).split("\n").slice(1)).toEqual([
    "[Looker]",
    "base_url=http://127.0.0.1:9123",
    "client_id=local-id",
    "client_secret=local-secret",
  ]);
});

it.each(["plain", "two words", "it's", "$(id) `id`", "a\nb", ""])(
  "a shell reads %j out of the --settings as it is",
  (value) => {
    const script = `${settingsFileText({ VALUE: value })}\nprintf '%s' "$VALUE"`;
    expect(execFileSync("sh", ["-c", script], { encoding: "utf8" })).toBe(value);
  },
);

describe("the pair", () => {
  it("is random, and needs no escape anywhere", () => {
    const [one, another] = [newPair(), newPair()];
    expect(one).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{20}$/),
      secret: expect.stringMatching(/^[0-9a-f]{48}$/),
    });
    expect([one.id === another.id, one.secret === another.secret]).toEqual([false, false]);
  });

  it("of a sidecar comes from two variables, if there are any", () => {
    const secret = "sixteen-letters-";
    const pairIn = (id?: string, key?: string) =>
      pairOfEnvironment({
        ...(id === undefined ? {} : { LOOKER_PROXY_CLIENT_ID: id }),
        ...(key === undefined ? {} : { LOOKER_PROXY_CLIENT_SECRET: key }),
      });
    expect(pairIn()).toBeUndefined();
    expect(pairIn("pod", secret)).toEqual({ id: "pod", secret });
    for (const [id, key] of [["pod"], [undefined, secret], ["pod", "short"], ["p d", secret], ["", secret]])
      expect(() => pairIn(id, key)).toThrow(
        /LOOKER_PROXY_CLIENT_ID and LOOKER_PROXY_CLIENT_SECRET belong together/,
      );
  });
});
