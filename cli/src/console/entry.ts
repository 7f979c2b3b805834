/**
 * The way into the console: a link with a key that works once, then a cookie. Loopback ports are open to each user of the
 * machine and to each page in its browsers, so the port alone opens nothing.
 */
import { randomBytes } from "node:crypto";
import { isSameText } from "../same-text.ts";

const cookieName = "looker-token-console";

const secret = () => randomBytes(24).toString("hex");

export class Entry {
  /**
   * The beginning of each path. A cookie does not know ports: a browser sends it to each server on 127.0.0.1. With this
   * path no other server gets it, since none has such a path. https://www.rfc-editor.org/rfc/rfc6265#section-8.5
   */
  readonly path = `/${secret()}/`;
  readonly #key = secret();
  readonly #cookie = secret();
  #isKeyUsed = false;

  /** For the browser, once. */
  linkAt(origin: string): string {
    return `${origin}${this.path}?key=${this.#key}`;
  }

  /** @returns the `Set-Cookie` of the first visit, or undefined: the key is wrong, or was used before. */
  open(key: string): string | undefined {
    if (!isSameText(key, this.#key) || this.#isKeyUsed) return undefined;
    this.#isKeyUsed = true;
    return `${cookieName}=${this.#cookie}; Path=${this.path}; HttpOnly; SameSite=Strict`;
  }

  isKnown(cookies = ""): boolean {
    return cookies
      .split(";")
      .map((each) => each.trim().split("="))
      .some(([name, value]) => name === cookieName && isSameText(value, this.#cookie));
  }
}
