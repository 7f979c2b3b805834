/** Failures of connections, as `fetch` and AWS's SDK throw them. */

/** One error of the chain of causes, or of the list where several addresses were tried. */
interface Failed {
  readonly name?: unknown;
  readonly message?: unknown;
  readonly code?: unknown;
  readonly syscall?: unknown;
  readonly cause?: unknown;
  readonly errors?: readonly unknown[];
}

function* chainOf(error: unknown): Generator<Failed> {
  let next = error;
  for (let depth = 0; depth < 5 && typeof next === "object" && next !== null; depth++) {
    const failed: Failed = next;
    yield failed;
    next = failed.cause ?? failed.errors?.[0];
  }
}

const isCode = (code: unknown): code is string => typeof code === "string" && /^[A-Z0-9_]{3,50}$/.test(code);

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

const ofTls = /^(CERT_.*|ERR_TLS_.*|ERR_SSL_.*|.*_SIGNATURE|.*SELF_SIGNED.*|UNABLE_TO_.*|DEPTH_ZERO_.*)$/;

/** The same failure comes back until somebody changes something. All else may be over in a second. */
export const isLasting = (code: string): boolean =>
  ofTls.test(code) ||
  /^(ENOTFOUND|EPROTO|ERR_PROXY_TUNNEL|ERR_INVALID_\w+|UND_ERR_INVALID_\w+|HPE_\w+)$/.test(code);

/** The certificate's issuer is unknown to this Node. */
export const isUntrusted = (code: string): boolean =>
  /SELF_SIGNED|^UNABLE_TO_|_SIGNATURE$|^DEPTH_ZERO_/.test(code);

/**
 * A copy for `cause`, without the original's fields: an error of fetch may hold an answer's bytes or quote a header, and one
 * of a `credential_process` its output. Messages of system calls and of TLS name an address, a host or a certificate.
 */
export function causeOf(error: unknown): Error | undefined {
  for (const { name, message, code, syscall } of chainOf(error)) {
    if (!isCode(code)) continue;
    const isSafe = typeof syscall === "string" || ofTls.test(code) || code === "UND_ERR_SOCKET";
    const cause = new Error(isSafe ? String(message) : code);
    // The copy's own stack would lead to this line.
    cause.stack = `${typeof name === "string" && /^\w+$/.test(name) ? name : "Error"}: ${cause.message}`;
    return Object.assign(cause, { code });
  }
  return undefined;
}
