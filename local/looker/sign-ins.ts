import { newToken, sha256 } from "./token.ts";

const CODE_LIFE_MS = 60_000;
/** Looker documents a month. */
const REFRESH_LIFE_MS = 30 * 24 * 3_600_000;
/** An access token of the last moment lives for a day at most, and its sign-in can still be ended. */
const REMEMBER_MS = 24 * 3_600_000;

/** One person's sign-in to one app. Its end is the end of its code and of all its tokens. */
export interface SignIn {
  readonly clientGuid: string;
  readonly userId: string;
  ended: boolean;
}

interface Code {
  readonly signIn: SignIn;
  readonly redirectUri: string;
  /** SHA-256 of the verifier in base64url (RFC 7636 §4.2). */
  readonly challenge: string;
  readonly expiresAt: number;
  used: boolean;
}

interface RefreshToken {
  readonly signIn: SignIn;
  readonly expiresAt: number;
}

/** Holds the SHA-256 of codes and refresh tokens only, like Sessions. */
export class SignIns {
  readonly #codes = new Map<string, Code>();
  readonly #refreshTokens = new Map<string, RefreshToken>();

  issueCode(code: Pick<Code, "redirectUri" | "challenge">, who: Omit<SignIn, "ended">, now: number): string {
    forget(this.#codes, now);
    const value = newToken();
    const signIn = { ...who, ended: false };
    this.#codes.set(sha256(value), { ...code, signIn, expiresAt: now + CODE_LIFE_MS, used: false });
    return value;
  }

  /** Also a code that is used, ended or too old. */
  findCode(value: string): Code | undefined {
    return this.#codes.get(sha256(value));
  }

  issueRefreshToken(signIn: SignIn, now: number): string {
    forget(this.#refreshTokens, now);
    const value = newToken();
    this.#refreshTokens.set(sha256(value), { signIn, expiresAt: now + REFRESH_LIFE_MS });
    return value;
  }

  findRefreshToken(value: string, now: number): SignIn | undefined {
    const found = this.#refreshTokens.get(sha256(value));
    return found !== undefined && now < found.expiresAt && !found.signIn.ended ? found.signIn : undefined;
  }

  dropRefreshToken(value: string): void {
    this.#refreshTokens.delete(sha256(value));
  }

  end(which: (signIn: SignIn) => boolean): void {
    for (const { signIn } of [...this.#codes.values(), ...this.#refreshTokens.values()])
      if (which(signIn)) signIn.ended = true;
  }
}

export function isRedeemable({ used, signIn, expiresAt }: Code, now: number): boolean {
  return !used && !signIn.ended && now < expiresAt;
}

/** A Map keeps insertion order, so the oldest are first and this stops early. */
function forget(map: Map<string, { expiresAt: number }>, now: number): void {
  for (const [key, { expiresAt }] of map) {
    if (expiresAt + REMEMBER_MS > now) return;
    map.delete(key);
  }
}
