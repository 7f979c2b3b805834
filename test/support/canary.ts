/**
 * Secrets that stand out: suites hand them to what they test, and test/support/setup.ts fails a suite whose output or errors
 * show one, in any form in which a secret usually gets into a log.
 */
import { format, inspect } from "node:util";

/** With characters that JSON, URLs and base64 write differently, as far as each kind of secret may hold them. */
export const canary = {
  clientSecret: 'CNRY"q7\\2v+9/Xw%4&m=Tf8sLd3GpB6yRn1u',
  token: "CNRY.Rm5~vQ8+Hs2/Yb6-t0ken1Jx4Ke9Np7Wc==",
  awsSecretAccessKey: "CNRYuH8dLp3Vt6Gn1Qz5/Ms0+Wk7Bj2Rf9Ya4XcE",
  awsSessionToken: "CNRYs3ss//Fh7+Dk2/Tq9+Lw4Zr8Vb1Pm6Xg5Nc0Je3Uy7Sa2Qi8Ho4Mt9Bd6Kf1Wv5Rl0==",
} as const;

const watched = new Map<string, string>(Object.entries(canary));

/** For secrets that are made while a suite runs, such as a token from the stand-in Looker. */
export function watchFor(name: string, secret: string): void {
  watched.set(name, secret);
}

/** Where a secret shows, without the secret. */
export interface Leak {
  readonly secret: string;
  readonly form: string;
}

export function findLeaks(text: string, secrets: Iterable<[string, string]> = watched): Leak[] {
  return [...secrets].flatMap(([name, secret]) => {
    const shown = formsOf(secret).find(([, needle]) => text.includes(needle));
    return shown ? [{ secret: name, form: shown[0] }] : [];
  });
}

const formsOf = remembered((secret: string): [form: string, needle: string][] => {
  const json = JSON.stringify(secret).slice(1, -1);
  const url = encodeURIComponent(secret);
  const bytes = Buffer.from(secret, "utf8");
  const alignments = [0, 1, 2].map((offset) => base64At(bytes, offset));
  return [
    ["plain", secret],
    ["JSON", json],
    ["JSON in JSON", JSON.stringify(json).slice(1, -1)],
    ["URL", url],
    ["URL, lower-case hex", url.replace(/%../g, (escaped) => escaped.toLowerCase())],
    ["form", new URLSearchParams({ "": secret }).toString().slice(1)],
    ["util.inspect", inspect(secret).slice(1, -1)],
    ...alignments.map((text): [string, string] => ["base64", text]),
    ...alignments.map((text): [string, string] => [
      "base64url",
      text.replace(/\+/g, "-").replace(/\//g, "_"),
    ]),
    ["hex", bytes.toString("hex")],
    ["bytes", [...bytes].join(",")],
    // Survives any other escaping, and most abbreviations.
    ...(secret.match(/[A-Za-z0-9]{12,}/g) ?? []).map((run): [string, string] => ["a part", run]),
  ];
});

function remembered<Value>(make: (key: string) => Value): (key: string) => Value {
  const known = new Map<string, Value>();
  return (key) => {
    const value = known.get(key) ?? make(key);
    known.set(key, value);
    return value;
  };
}

/** Base64 of something longer in which the secret begins `offset` bytes after a multiple of three: its own bits only. */
function base64At(secret: Buffer, offset: number): string {
  const text = Buffer.concat([Buffer.alloc(offset), secret]).toString("base64");
  return text.slice(Math.ceil((offset * 8) / 6), Math.floor(((offset + secret.length) * 8) / 6));
}

/** An error with its causes and properties, as the most talkative logger would print it. */
export function errorText(error: unknown): string {
  const whole = {
    depth: 12,
    maxStringLength: null,
    maxArrayLength: null,
    breakLength: Number.POSITIVE_INFINITY,
  };
  return inspect(error, { ...whole, showHidden: true });
}

export interface Capture {
  /** What was written since the last time this was asked. */
  take(): string;
  restore(): void;
}

const consoleMethods = ["log", "info", "warn", "error", "debug", "trace", "dir"] as const;

/** Reads along with both streams and with the console, which vitest does not lead through the streams. */
export function captureOutput({ passOn }: { passOn: boolean }): Capture {
  let written = "";
  const undo: (() => void)[] = [];
  for (const stream of [process.stdout, process.stderr]) {
    const write = stream.write;
    const capturing = (chunk: string | Uint8Array, ...more: unknown[]): boolean => {
      written += typeof chunk === "string" ? chunk : Buffer.from(chunk).toString("utf8");
      if (passOn) return Reflect.apply(write, stream, [chunk, ...more]);
      const done = more.at(-1);
      if (typeof done === "function") done();
      return true;
    };
    stream.write = capturing as typeof write;
    undo.push(() => {
      stream.write = write;
    });
  }
  for (const method of consoleMethods) {
    const print = console[method];
    console[method] = (...values: unknown[]) => {
      written += `${format(...values)}\n`;
      if (passOn) Reflect.apply(print, console, values);
    };
    undo.push(() => {
      console[method] = print;
    });
  }
  return {
    take() {
      const text = written;
      written = "";
      return text;
    },
    restore() {
      for (const each of undo) each();
    },
  };
}
