/** The tokens of tools: random, known to this proxy alone, each with the workspace of its own choice. */
import { createHash, randomBytes } from "node:crypto";

export interface LocalSession {
  /** As Looker's `workspace_id`. A login begins in `production`, as at Looker. */
  workspace: string;
}

/** A tool may log in for each call and never log out. Its tokens must not fill the memory of a sidecar. */
const mostTokens = 10_000;

export class LocalTokens {
  /** By the token's hash, so the time of a look-up tells nothing about a token. The longest unused comes first. */
  readonly #sessions = new Map<string, LocalSession>();

  issue(): string {
    const token = randomBytes(20).toString("hex");
    this.#sessions.set(keyOf(token), { workspace: "production" });
    if (this.#sessions.size > mostTokens) this.#sessions.delete(this.#sessions.keys().next().value as string);
    return token;
  }

  /**
   * Undefined: never issued, or logged out. A token stays good beyond the `expires_in` of its login. Many tools log in
   * once for a long job, because Looker gives them an hour, and a lease is shorter.
   */
  find(authorization: string | undefined): LocalSession | undefined {
    const key = keyIn(authorization);
    const session = key === undefined ? undefined : this.#sessions.get(key);
    if (key !== undefined && session) {
      this.#sessions.delete(key);
      this.#sessions.set(key, session);
    }
    return session;
  }

  /** @returns whether there was such a token. */
  end(authorization: string | undefined): boolean {
    const key = keyIn(authorization);
    return key !== undefined && this.#sessions.delete(key);
  }
}

/** `token X` is documented, `Bearer X` is sent by Looker's SDKs: Looker takes both. */
function keyIn(authorization = ""): string | undefined {
  const token = /^(?:token|bearer) +(\S+)$/i.exec(authorization.trim())?.[1];
  return token === undefined ? undefined : keyOf(token);
}

const keyOf = (token: string): string => createHash("sha256").update(token).digest("base64");
