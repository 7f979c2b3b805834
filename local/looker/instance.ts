import { Accounts, type LookerAccount } from "./accounts.ts";
import { FaultQueue } from "./faults.ts";
import { Ledger } from "./ledger.ts";
import { Lockouts } from "./lockouts.ts";
import { OAuthApps } from "./oauth-apps.ts";
import { Queries } from "./queries.ts";
import { Sessions } from "./sessions.ts";
import { SignIns } from "./sign-ins.ts";

/** Undocumented behaviour of Looker is a setting, so that a client can be tried against either answer. */
export interface LookerSettings {
  tokenSeconds: number;
  /** The status of a login while the credential is locked out. */
  lockedOutStatus: 404 | 403 | 429;
  /** The status of a logout with a token whose life ran out by itself. */
  expiredLogoutStatus: 404 | 401;
  /** Looker's answer has `null`. An older form, which some instances send, lacks the field. */
  refreshToken: "absent" | "null";
  /** Tokens of a deleted pair. `live_without_logout`: the tokens work on, and a logout answers 404 and ends none. */
  tokensOfDeletedPairs: "live" | "ended" | "live_without_logout";
  /** An account with `can_manage_api3_creds` may change its own pairs by the API. */
  ownPairsByApi: boolean;
  /** The status of a call about pairs without the right to it. */
  pairRefusalStatus: 404 | 403;
  maxPairsPerUser: number;
  /** The status beyond that maximum. */
  tooManyPairsStatus: 422 | 409;
  /** Origins of pages that may call the API. An admin of Looker writes the list. */
  corsOrigins: readonly string[];
  /** A refresh answers with a new refresh token, and ends the old one. */
  rotatesRefreshTokens: boolean;
  /** The effect of a second use of a code with its verifier. It is refused in either case. */
  reusedCode: "refused" | "ends_tokens";
  /** The status of `invalid_client`. RFC 6749 allows both. */
  unknownAppStatus: 401 | 400;
}

const DEFAULTS: Omit<LookerSettings, "tokenSeconds"> = {
  lockedOutStatus: 404,
  expiredLogoutStatus: 404,
  refreshToken: "null",
  tokensOfDeletedPairs: "live",
  ownPairsByApi: false,
  pairRefusalStatus: 404,
  maxPairsPerUser: 100,
  tooManyPairsStatus: 422,
  corsOrigins: [],
  rotatesRefreshTokens: false,
  reusedCode: "refused",
  unknownAppStatus: 401,
};

/** The state of one Looker, without any HTTP. */
export interface LookerInstance {
  readonly accounts: Accounts;
  readonly lockouts: Lockouts;
  readonly sessions: Sessions;
  readonly oauthApps: OAuthApps;
  readonly signIns: SignIns;
  readonly queries: Queries;
  readonly ledger: Ledger;
  readonly faults: FaultQueue;
  readonly settings: LookerSettings;
  readonly now: () => number;
  readonly advanceClock: (ms: number) => void;
}

export function createLookerInstance(
  accounts: readonly LookerAccount[],
  tokenSeconds: number,
  clock: () => number,
): LookerInstance {
  let offsetMs = 0;
  const now = () => clock() + offsetMs;
  return {
    accounts: new Accounts(accounts, now),
    lockouts: new Lockouts(),
    sessions: new Sessions(),
    oauthApps: new OAuthApps(),
    signIns: new SignIns(),
    queries: new Queries(),
    ledger: new Ledger(),
    faults: new FaultQueue(),
    settings: { ...DEFAULTS, tokenSeconds },
    now,
    advanceClock: (ms) => {
      offsetMs += ms;
    },
  };
}
