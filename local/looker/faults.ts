import { json, lookerError, proxyPage, type Reply } from "./replies.ts";

export const FAULT_ROUTES = [
  "login",
  "login_user",
  "logout",
  "oauth_token",
  "user",
  "users",
  "credentials",
  "all",
] as const;
export type FaultRoute = (typeof FAULT_ROUTES)[number];

export const FAULT_METHODS = ["GET", "POST", "PATCH", "PUT", "DELETE"] as const;

export const FAULT_KINDS = [
  "delay",
  "hold",
  "status",
  "hang",
  "reset",
  "html_401",
  "html_404",
  "html_502",
  "redirect",
  "malformed_json",
  "huge_body",
  "wrong_types",
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

export interface Fault {
  route: FaultRoute;
  /** Strikes requests with this method alone, such as the deletion of a pair. */
  method?: (typeof FAULT_METHODS)[number];
  kind: FaultKind;
  /**
   * `before`: it strikes before the effect. `delay` and `hold` let the effect happen afterwards, every other
   * kind takes its place. `after`: the effect has happened, and only the answer is late, lost or wrong.
   */
  when?: "before" | "after";
  /** How many requests it strikes; without it, all until cleared. */
  times?: number;
  /** A wait in front of any kind. */
  delayMs?: number;
  /** For `status`: 400 to 599, with Looker's JSON error as its body. */
  status?: number;
  /** For `status`: the Retry-After header, seconds or a date. */
  retryAfter?: string;
  /** For `redirect`. */
  location?: string;
  /** For `huge_body`. */
  bytes?: number;
  /** For `wrong_types`: what to put over the fields of the real answer. */
  fields?: Record<string, unknown>;
}

/** These spoil a real answer, so the effect must have happened. */
export const SPOILS_ANSWER: readonly FaultKind[] = ["malformed_json", "huge_body", "wrong_types"];

const DEFAULT_HUGE_BYTES = 8 * 1024 * 1024;
const DEFAULT_WRONG_FIELDS = {
  access_token: 12_345,
  token_type: ["Bearer"],
  expires_in: "3600",
  id: {},
  client_id: 12_345,
  client_secret: ["secret"],
};

/** Faults strike in the order in which they were added, so that a test can script a sequence. */
export class FaultQueue {
  #queue: { fault: Fault; left: number }[] = [];
  #held = new Set<() => void>();

  add(fault: Fault): void {
    this.#queue.push({ fault, left: fault.times ?? Number.POSITIVE_INFINITY });
  }

  take(route: FaultRoute | undefined, method: string): Fault | undefined {
    const item = this.#queue.find(
      ({ fault }) => (fault.route === "all" || fault.route === route) && (fault.method ?? method) === method,
    );
    if (item === undefined) return undefined;
    item.left -= 1;
    if (item.left <= 0) this.#queue = this.#queue.filter((other) => other !== item);
    return item.fault;
  }

  list(): Fault[] {
    return this.#queue.map(({ fault, left }) => (Number.isFinite(left) ? { ...fault, times: left } : fault));
  }

  clear(): void {
    this.#queue = [];
    this.release();
  }

  hold(): Promise<void> {
    return new Promise((resolve) => this.#held.add(resolve));
  }

  /** Lets every held request go on; returns how many there were. */
  release(): number {
    const held = [...this.#held];
    this.#held.clear();
    for (const resolve of held) resolve();
    return held.length;
  }
}

export function strikesAfter(fault: Fault): boolean {
  return SPOILS_ANSWER.includes(fault.kind) || fault.when === "after";
}

/** Whether Looker does what it was asked, sooner or later. */
export function keepsEffect(fault: Fault): boolean {
  return strikesAfter(fault) || fault.kind === "delay" || fault.kind === "hold";
}

/** What goes over the wire; `real` is Looker's own answer if the effect took place. */
export function faultAnswer(fault: Fault, real: Reply | undefined): Reply | "hang" | "reset" {
  switch (fault.kind) {
    case "hang":
    case "reset":
      return fault.kind;
    case "status": {
      const reply = lookerError(fault.status ?? 500);
      if (fault.retryAfter !== undefined) reply.headers["retry-after"] = fault.retryAfter;
      return reply;
    }
    case "html_401":
      return proxyPage(401, "Authorization Required");
    case "html_404":
      return proxyPage(404, "Not Found");
    case "html_502":
      return proxyPage(502, "Bad Gateway");
    case "redirect":
      // 307 makes a client that follows send the method and the body, hence the secret, once more.
      return { status: 307, headers: { location: fault.location ?? "/redirected" }, body: "" };
    default:
      return spoil(fault, real ?? lookerError(500));
  }
}

function spoil(fault: Fault, real: Reply): Reply {
  // A 204 cannot carry a body.
  const status = real.status === 204 ? 200 : real.status;
  switch (fault.kind) {
    case "malformed_json": {
      // Here V8's SyntaxError quotes the source: logging that error logs a part of the token or secret. The `=` is
      // what makes it so always; a bare token that begins with a digit would pass for a number.
      const unquoted = real.body.replace(/"(access_token|client_secret)":"([^"]*)"/, '"$1":=$2');
      return {
        ...json(status, null),
        body: unquoted === real.body ? `${real.body.slice(0, -1)},` : unquoted,
      };
    }
    case "huge_body":
      return json(status, { ...objectOf(real.body), padding: "x".repeat(fault.bytes ?? DEFAULT_HUGE_BYTES) });
    case "wrong_types":
      return json(status, { ...objectOf(real.body), ...(fault.fields ?? DEFAULT_WRONG_FIELDS) });
    default:
      return real;
  }
}

function objectOf(body: string): object {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
}
