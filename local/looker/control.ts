import type { AccountRights } from "./accounts.ts";
import type { Fault } from "./faults.ts";
import type { LookerInstance, LookerSettings } from "./instance.ts";
import type { LedgerEntry } from "./ledger.ts";
import type { Pair } from "./pairs.ts";
import type { LiveToken } from "./sessions.ts";

/** A request that has arrived and is not answered yet. */
export interface InFlight {
  at: number;
  method: string;
  path: string;
  fault?: string;
}

export interface Control {
  ledger(): LedgerEntry[];
  resetLedger(): void;
  liveTokens(): LiveToken[];
  inFlight(): InFlight[];
  /** As if its hour were over. False when no live token has this SHA-256. */
  expireToken(tokenSha256: string): boolean;
  expireAllTokens(): number;
  /** As if Looker had logged out everything that this client got, by itself or as another user. */
  endTokensOf(clientId: string): number;
  /** False for an unknown client, like the next. */
  changeSecret(clientId: string, clientSecret: string): boolean;
  setDisabled(clientId: string, disabled: boolean): boolean;
  /** The pairs of all users, without their secrets. */
  pairs(): Omit<Pair, "clientSecret">[];
  /** As an admin would: the live tokens stay. False for an unknown user. */
  changeUser(userId: string, rights: AccountRights): boolean;
  faults(): Fault[];
  addFault(fault: Fault): void;
  /** Also lets held requests go on. */
  clearFaults(): void;
  /** Lets held requests go on; returns how many. */
  release(): number;
  settings(): LookerSettings;
  changeSettings(settings: Partial<LookerSettings>): void;
  now(): number;
  advanceClock(ms: number): void;
}

export function createControl(looker: LookerInstance, inFlight: ReadonlySet<InFlight>): Control {
  const { accounts, faults, ledger, sessions, settings, now } = looker;
  return {
    ledger: () => ledger.entries(),
    resetLedger: () => ledger.reset(),
    liveTokens: () => sessions.live(now()),
    inFlight: () => [...inFlight].map((arrival) => ({ ...arrival })),
    expireToken: (tokenSha256) => sessions.expire((session) => session.sha256 === tokenSha256, now()) > 0,
    expireAllTokens: () => sessions.expire(() => true, now()),
    endTokensOf: (clientId) => sessions.end((session) => session.clientId === clientId, now()),
    changeSecret: (clientId, clientSecret) => accounts.changeSecret(clientId, clientSecret),
    setDisabled: (clientId, disabled) => accounts.setDisabled(clientId, disabled),
    pairs: () => accounts.pairs.all().map(({ clientSecret: _, ...pair }) => pair),
    changeUser: (userId, rights) => accounts.change(userId, rights),
    faults: () => faults.list(),
    addFault: (fault) => faults.add(fault),
    clearFaults: () => faults.clear(),
    release: () => faults.release(),
    settings: () => ({ ...settings }),
    changeSettings: (changes) => void Object.assign(settings, changes),
    now,
    advanceClock: looker.advanceClock,
  };
}
