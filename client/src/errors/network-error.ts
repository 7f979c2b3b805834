/** Failures of connections, as `fetch` and AWS's SDK throw them. */
import { isIP } from "node:net";

/** One error of the chain of causes, or of the list where several addresses were tried. */
interface Failed {
  readonly name?: unknown;
  readonly message?: unknown;
  readonly code?: unknown;
  readonly syscall?: unknown;
  readonly address?: unknown;
  readonly port?: unknown;
  readonly cause?: unknown;
  readonly errors?: readonly unknown[];
}

function* chainOf(error: unknown): Generator<Failed> {
  let next = error;
  for (let depth = 0; depth < 5 && typeof next === "object" && next !== null; depth++) {
    const failed = readable(next);
    yield failed;
    next = failed.cause ?? failed.errors?.[0];
  }
}

const fields = ["name", "message", "code", "syscall", "address", "port", "cause", "errors"] as const;

/** A copy: a getter of a service's own error may throw, and its words may hold a secret. */
export function readable(error: object): Failed {
  const read = (name: (typeof fields)[number]) => {
    try {
      return (error as Failed)[name];
    } catch {
      return undefined;
    }
  };
  return Object.fromEntries(fields.map((name) => [name, read(name)]));
}

const ofTls = /^(CERT_.*|ERR_TLS_.*|ERR_SSL_.*|.*_SIGNATURE|.*SELF_SIGNED.*|UNABLE_TO_.*|DEPTH_ZERO_.*)$/;

/** Of a system call, Node, undici, Node's parser of HTTP, or TLS. A `fetch` of the service's own may call anything a code. */
const isCode = (code: unknown): code is string =>
  typeof code === "string" &&
  /^[A-Z0-9_]{3,50}$/.test(code) &&
  (/^(E[A-Z0-9]{2,15}|EAI_[A-Z]+|(ERR|UND_ERR|HPE)_[A-Z_]+)$/.test(code) || ofTls.test(code));

/** The first code in the chain. Only a code: a message may quote a header. */
export function codeOf(error: unknown): string | undefined {
  for (const { code } of chainOf(error)) if (isCode(code)) return code;
  return undefined;
}

/** Text of fetch's own that has no code: `bad port`, `Proxy response (407) !== 200 when HTTP Tunneling`. */
export function says(error: unknown, pattern: RegExp): RegExpExecArray | undefined {
  for (const { message } of chainOf(error)) {
    const found = typeof message === "string" && pattern.exec(message);
    if (found) return found;
  }
  return undefined;
}

/** The same failure comes back until somebody changes something. All else may be over in a second. */
export const isLasting = (code: string): boolean =>
  ofTls.test(code) ||
  /^(ENOTFOUND|EPROTO|ERR_PROXY_TUNNEL|ERR_INVALID_\w+|UND_ERR_INVALID_\w+|HPE_\w+)$/.test(code);

/** The certificate's issuer is unknown to this Node. */
export const isUntrusted = (code: string): boolean =>
  /SELF_SIGNED|^UNABLE_TO_|_SIGNATURE$|^DEPTH_ZERO_/.test(code);

/**
 * An error for `cause` in words of this module's own. A text of the original may quote a header, or the output of a
 * `credential_process`. Node's own words for system calls read the same: `connect ECONNREFUSED 127.0.0.1:80`.
 */
export function causeOf(error: unknown): Error | undefined {
  for (const { code, syscall, address, port } of chainOf(error)) {
    if (!isCode(code)) continue;
    const call = calls.find((each) => each === syscall);
    const to = typeof address === "string" && isIP(address) ? address : undefined;
    const where = to && Number.isInteger(port) ? `${to}:${port}` : to;
    const cause = new Error([call, code, where].filter(Boolean).join(" "));
    // The copy's own stack would lead to this line.
    cause.stack = `Error: ${cause.message}`;
    return Object.assign(cause, { code });
  }
  return undefined;
}

const calls = ["connect", "getaddrinfo", "read", "write", "shutdown"];
