/** Looker's users, pairs and tokens, with the unknowns settable. */

export interface Pair {
  readonly id: string;
  readonly userId: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly createdAt: number;
  purpose?: string;
  /** The maker. */
  readonly by: "broker" | "others";
}

export interface Token {
  readonly token: string;
  readonly clientId: string;
  readonly userId: string;
  /** Of the invocation that got it. */
  readonly owner: string;
  readonly isCallers: boolean;
  readonly endsAt: number;
  alive: boolean;
  /** The token lives on without its pair, and its logout says 404. */
  isDeaf: boolean;
}

export interface LookerSettings {
  /** Whether the deletion of a pair ends its tokens. */
  readonly endsTokens: boolean;
  /** Whether a token that outlives its pair can be logged out. */
  readonly logsOutOrphans: boolean;
  /** Whether an account may manage its own pairs. */
  readonly ownPairs: boolean;
  readonly administratorMay: boolean;
  /** Whether the administrator's secret has the right pair. */
  readonly administratorWorks: boolean;
  readonly maxPairs: number;
}

const lockOutAfter = 4;
const lockOutMs = 300_000;
export const serviceUser = "7";
export const administratorUser = "1";

export class Accounts {
  readonly pairs: Pair[] = [];
  readonly tokens: Token[] = [];
  /** Broken rules, as they happen. */
  readonly violations: string[] = [];
  readonly deleted: { pair: Pair; at: number; held: number }[] = [];
  readonly logins: { clientId: string; at: number; ok: boolean }[] = [];
  awayUntil = 0;
  private made = 0;
  private readonly settings: LookerSettings;
  private readonly now: () => number;

  constructor(settings: LookerSettings, now: () => number) {
    this.settings = settings;
    this.now = now;
  }

  get isAway(): boolean {
    return this.now() < this.awayUntil;
  }

  create(userId: string, by: Pair["by"], name = `client-${this.made + 1}`): Pair {
    this.made++;
    const pair: Pair = {
      id: String(100 + this.made),
      userId,
      clientId: name,
      clientSecret: `secret-of-${name}`,
      createdAt: this.now(),
      by,
    };
    this.pairs.push(pair);
    return pair;
  }

  /** With the pair of the beginning. */
  get madeByBroker(): number {
    const all = [...this.pairs, ...this.deleted.map(({ pair }) => pair)];
    return all.filter(({ by }) => by === "broker").length;
  }

  isFull(userId: string): boolean {
    return this.pairsOf(userId).length >= this.settings.maxPairs;
  }

  pairsOf(userId: string): Pair[] {
    return this.pairs.filter((pair) => pair.userId === userId);
  }

  find(clientId: string): Pair | undefined {
    return this.pairs.find((pair) => pair.clientId === clientId);
  }

  /** Undefined for a wrong pair, and while it is locked out. */
  logIn(clientId: string, clientSecret: string, owner: string, isCallers: boolean): Token | undefined {
    const pair = this.find(clientId);
    const failures = this.failuresInARow(clientId);
    const ok = pair?.clientSecret === clientSecret && failures < lockOutAfter;
    if (!ok && failures >= 1) this.violations.push(`two failed logins in a row of ${clientId}`);
    this.logins.push({ clientId, at: this.now(), ok });
    if (!ok || !pair) return undefined;
    const token: Token = {
      ...{ token: `token-${this.tokens.length + 1}-${clientId}`, clientId, userId: pair.userId },
      ...{ owner, isCallers, endsAt: this.now() + 3_600_000, alive: true, isDeaf: false },
    };
    this.tokens.push(token);
    return token;
  }

  private failuresInARow(clientId: string): number {
    const own = this.logins.filter((login) => login.clientId === clientId);
    const lastSuccess = own.findLastIndex(({ ok }) => ok);
    return own.slice(lastSuccess + 1).filter(({ at }) => at > this.now() - lockOutMs).length;
  }

  isAlive(token: Token): boolean {
    return token.alive && this.now() < token.endsAt;
  }

  owner(token: string): Token | undefined {
    return this.tokens.find((each) => each.token === token && this.isAlive(each));
  }

  /** Whether the token may manage the pairs of this user. */
  mayManage(token: Token, userId: string): boolean {
    if (token.userId === administratorUser) return this.settings.administratorMay;
    return token.userId === userId && this.settings.ownPairs;
  }

  logOut(token: string): "ended" | "unconfirmed" {
    const found = this.tokens.find((each) => each.token === token);
    // A dead one says 404, and then 401, as proof.
    if (!found || !this.isAlive(found)) return "ended";
    if (found.isDeaf) return "unconfirmed";
    found.alive = false;
    return "ended";
  }

  remove(pair: Pair): void {
    this.pairs.splice(this.pairs.indexOf(pair), 1);
    const live = this.tokens.filter((token) => token.clientId === pair.clientId && this.isAlive(token));
    for (const token of live) {
      if (this.settings.endsTokens) token.alive = false;
      else if (!this.settings.logsOutOrphans) token.isDeaf = true;
    }
    const held = live.filter(({ isCallers }) => isCallers).length;
    this.deleted.push({ pair, at: this.now(), held });
    if (pair.by === "others") this.violations.push(`the pair ${pair.clientId} of others was deleted`);
  }
}
