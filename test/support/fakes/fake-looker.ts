import type { Clock, LoginOutcome, LogoutOutcome, Looker } from "../../../functions/use-cases/ports.ts";

export type LookerCall =
  | { kind: "login"; baseUrl: string; clientId: string; clientSecret: string; at: number }
  | { kind: "logout"; baseUrl: string; token: string; at: number };

export interface FakeLooker extends Looker {
  /** Every call, in order. */
  readonly ledger: LookerCall[];
  readonly logins: () => number;
  readonly logouts: () => string[];
  /** Tokens that work now. */
  readonly live: Set<string>;
  lifeSeconds: number;
  /** How long a login takes, by the clock. */
  loginMs: number;
  /** Answers instead of the token that would be made; undefined makes one. May wait, may throw to fail the test. */
  onLogin: ((call: number) => LoginOutcome | undefined | Promise<LoginOutcome | undefined>) | undefined;
  /** Answers instead of ending the token; undefined ends it. */
  onLogout: ((token: string) => LogoutOutcome | undefined | Promise<LogoutOutcome | undefined>) | undefined;
}

/** A Looker that makes a new token for each login and, unless told otherwise, confirms each logout. */
export function fakeLooker(clock: Clock): FakeLooker {
  const ledger: LookerCall[] = [];
  const live = new Set<string>();
  let made = 0;
  const looker: FakeLooker = {
    ledger,
    live,
    lifeSeconds: 3_600,
    loginMs: 0,
    onLogin: undefined,
    onLogout: undefined,
    logins: () => ledger.filter(({ kind }) => kind === "login").length,
    logouts: () => ledger.flatMap((call) => (call.kind === "logout" ? [call.token] : [])),
    async login(baseUrl, { clientId, clientSecret }) {
      ledger.push({ kind: "login", baseUrl, clientId, clientSecret, at: clock.now() });
      if (looker.loginMs > 0) await clock.sleep(looker.loginMs);
      const programmed = await looker.onLogin?.(looker.logins());
      if (programmed) {
        if (programmed.kind === "token") live.add(programmed.accessToken);
        return programmed;
      }
      const accessToken = `looker-token-${++made}`;
      live.add(accessToken);
      return { kind: "token", accessToken, expiresInSeconds: looker.lifeSeconds };
    },
    async logout(baseUrl, token) {
      ledger.push({ kind: "logout", baseUrl, token, at: clock.now() });
      const programmed = await looker.onLogout?.(token);
      if (programmed === undefined || programmed === "ended") live.delete(token);
      return programmed ?? "ended";
    },
  };
  return looker;
}
