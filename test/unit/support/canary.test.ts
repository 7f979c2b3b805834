import { connect } from "node:net";
import { connect as connectTls } from "node:tls";
import { inspect } from "node:util";
import { describe, expect, it, onTestFinished } from "vitest";
import { canary, captureOutput, errorText, findLeaks, watchFor } from "../../support/canary.ts";
import { takeRefusedHosts } from "../../support/loopback-only.ts";

const names = Object.keys(canary) as (keyof typeof canary)[];
const base64At = (offset: number) => (text: string) =>
  Buffer.from(`${"x".repeat(offset)}${text}, and more`).toString("base64");

/** An own capture, which passes nothing on: the suite's would find the leaks that are planted here. */
function capture() {
  const own = captureOutput({ passOn: false });
  onTestFinished(own.restore);
  return own;
}

describe.each(names)("%s", (name) => {
  it.each<[form: string, leak: (secret: string) => string]>([
    ["plain", (secret) => secret],
    ["JSON-escaped", (secret) => JSON.stringify({ secret })],
    ["URL-encoded", (secret) => `?client_secret=${encodeURIComponent(secret)}&x=1`],
    ["form-encoded", (secret) => new URLSearchParams({ client_secret: secret }).toString()],
    ["base64 at offset 0", base64At(0)],
    ["base64 at offset 1", base64At(1)],
    ["base64 at offset 2", base64At(2)],
    ["abbreviated and escaped by hand", (secret) => secret.slice(1).replace(/\W/g, (sign) => `\\${sign}`)],
  ])("is found %s in the midst of text", (_, leak) => {
    expect(findLeaks(`{"level":"info"} ${leak(canary[name])} end`)).toMatchObject([{ secret: name }]);
  });

  it("is found in an error's message, in its cause's property, and in what an AggregateError holds", () => {
    const secret = canary[name];
    const inCause = new Error("failed", { cause: { request: { headers: [{ authorization: secret }] } } });
    expect(findLeaks(errorText(new Error(`denied ${secret}`)))).toMatchObject([{ secret: name }]);
    expect(findLeaks(errorText(inCause))).toMatchObject([{ secret: name }]);
    expect(findLeaks(errorText(new AggregateError([inCause])))).toMatchObject([{ secret: name }]);
  });
});

/** With no part that would survive, so that each form stands for itself. */
it.each<[form: string, leak: (secret: string) => string]>([
  ["plain", (secret) => secret],
  ["JSON", (secret) => JSON.stringify({ secret })],
  ["JSON in JSON", (secret) => JSON.stringify(JSON.stringify({ secret }))],
  ["URL", (secret) => `?client_secret=${encodeURIComponent(secret)}&x=1`],
  ["URL, lower-case hex", (secret) => encodeURIComponent(secret).replace(/%../g, (hex) => hex.toLowerCase())],
  ["form", (secret) => new URLSearchParams({ client_secret: secret }).toString()],
  ["util.inspect", (secret) => inspect({ secret })],
  ["base64", base64At(0)],
  ["base64", base64At(1)],
  ["base64", base64At(2)],
  ["base64", (secret) => `Basic ${Buffer.from(`client:${secret}`).toString("base64")}`],
  ["base64url", (secret) => Buffer.from(`{"t":"${secret}"}`).toString("base64url")],
  ["hex", (secret) => Buffer.from(secret).toString("hex")],
  ["bytes", (secret) => JSON.stringify(Buffer.from(secret))],
])("a secret of odd signs is found in the form: %s", (form, leak) => {
  const secret = `a"b'c\\d/e+f%g&h=i~j!k~~>>??ÿ`;
  expect(findLeaks(`text ${leak(secret)} text`, [["odd", secret]])).toEqual([{ secret: "odd", form }]);
});

it("text without a planted secret has no leaks, though it speaks of canaries", () => {
  expect(findLeaks(`CNRY ${"CNRY".repeat(50)} client_secret=*** ${btoa("CNRY")}`)).toEqual([]);
});

it("a leak names the secret and its form, and does not repeat it", () => {
  const leaks = JSON.stringify(findLeaks(`${canary.token} ${JSON.stringify(canary.clientSecret)}`));
  expect(findLeaks(leaks)).toEqual([]);
  expect(leaks).toContain("clientSecret");
});

it("a secret that came up during the suite is watched for from then on", () => {
  const token = "made-at-run-time-5c1d8e";
  expect(findLeaks(token)).toEqual([]);
  watchFor("run-time token", token);
  expect(findLeaks(`got ${token}`)).toEqual([{ secret: "run-time token", form: "plain" }]);
});

describe("the capture", () => {
  it.each<[way: string, write: (text: string) => void]>([
    ["console.log", (text) => console.log("logged in with %s", text)],
    ["console.error of an error", (text) => console.error(new Error("failed", { cause: text }))],
    ["console.debug", (text) => console.debug({ nested: [text] })],
    ["process.stdout", (text) => void process.stdout.write(text)],
    ["process.stderr as bytes", (text) => void process.stderr.write(Buffer.from(text))],
    [
      "two writes",
      (text) => {
        process.stdout.write(text.slice(0, 9));
        process.stdout.write(text.slice(9));
      },
    ],
  ])("finds a secret that is written by %s", (_, write) => {
    const own = capture();
    write(canary.token);
    expect(findLeaks(own.take())).toMatchObject([{ secret: "token" }]);
    expect(own.take()).toBe("");
  });

  it("tells a writer that waits that it has been written", async () => {
    capture();
    await new Promise<void>((done) => process.stdout.write("x", () => done()));
  });
});

describe("beyond loopback", () => {
  it("fetch is refused, with the reason as the cause", async () => {
    const error = await fetch("https://looker.example.com/").catch((thrown: unknown) => thrown);
    expect(errorText(error)).toContain("tests may not connect to looker.example.com");
    expect(takeRefusedHosts()).toContain("looker.example.com");
  });

  it.each([
    ["net.connect(port, host)", () => connect(80, "192.0.2.1")],
    ["net.connect(options)", () => connect({ port: 80, host: "192.0.2.1" })],
    ["tls.connect(options)", () => connectTls({ port: 443, host: "192.0.2.1" })],
  ])("%s is refused", async (_, open) => {
    const socket = open();
    const error = await new Promise<Error>((resolve) => socket.once("error", resolve));
    expect(error.message).toContain("192.0.2.1: loopback only");
    expect(takeRefusedHosts()).toEqual(["192.0.2.1"]);
  });
});
