/**
 * Limits for logouts, host by host and account by account: a Looker also serves people, and one account must not take the
 * others' turns. An account is a client id at a host. Made anew for each request and each sweep.
 */
import type { LogoutLimits } from "./end-tokens.ts";
import type { LogoutOutcome } from "./ports.ts";

/** Logouts under way at once at one host. */
const placesPerHost = 16;
/** Of these, the places that an account may take: at first, and after each success one more. A failure halves it. */
const firstShare = 4;
/** Failures in a row that open a circuit: from then on nothing more is tried there. */
const failuresToOpen = 5;

interface Account {
  share: number;
  underWay: number;
  failures: number;
}

interface Waiting {
  readonly account: Account;
  readonly attempts: number;
  readonly go: () => void;
}

interface Host {
  underWay: number;
  readonly waiting: Waiting[];
  readonly accounts: Map<string, Account>;
  /** Since the last answer of any kind: attempts without a connection, and accounts that met a time-out. */
  unreached: number;
  readonly timedOut: Set<Account>;
}

/**
 * @param timeIsLeft whether another logout would still come to its end
 * @example
 *   const limits = logoutLimits(() => timeForLogout(clock, deadline));
 *   await limits.run(token, () => looker.logout(token.baseUrl, clear));
 */
export function logoutLimits(timeIsLeft: () => boolean): LogoutLimits {
  const hosts = new Map<string, Host>();
  return {
    async run({ baseUrl, clientId, attempts }, logout) {
      const host = entry(hosts, baseUrl, newHost);
      const account = entry(host.accounts, clientId, newAccount);
      await place(host, account, attempts);
      try {
        if (!timeIsLeft() || isOpen(host, account)) return "not_tried";
        const outcome = await logout();
        learn(host, account, outcome);
        return outcome;
      } finally {
        host.underWay--;
        account.underWay--;
        admit(host);
      }
    },
  };
}

const newHost = (): Host => ({
  underWay: 0,
  waiting: [],
  accounts: new Map(),
  unreached: 0,
  timedOut: new Set(),
});
const newAccount = (): Account => ({ share: firstShare, underWay: 0, failures: 0 });

function entry<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const known = map.get(key) ?? make();
  map.set(key, known);
  return known;
}

/** Waits for a place at the host, within the account's share. */
function place(host: Host, account: Account, attempts: number): Promise<void> {
  return new Promise((go) => {
    host.waiting.push({ account, attempts, go });
    admit(host);
  });
}

function admit(host: Host): void {
  while (host.underWay < placesPerHost) {
    const turn = nextTurn(host);
    if (!turn) return;
    host.waiting.splice(host.waiting.indexOf(turn), 1);
    host.underWay++;
    turn.account.underWay++;
    turn.go();
  }
}

/** The account that has waited longest, and of it the logout with the fewest attempts. */
function nextTurn(host: Host): Waiting | undefined {
  const first = host.waiting.find(
    ({ account }) => account.underWay < shareOf(host, account) || isOpen(host, account),
  );
  return host.waiting
    .filter(({ account }) => account === first?.account)
    .reduce<Waiting | undefined>(
      (best, each) => (best && best.attempts <= each.attempts ? best : each),
      undefined,
    );
}

/** While the host may hang as a whole, an account that has not failed yet tries with one logout at a time. */
function shareOf(host: Host, account: Account): number {
  return mayHang(host) ? 1 : account.share;
}

function isOpen(host: Host, account: Account): boolean {
  const accountIsOpen = account.failures >= (mayHang(host) ? 1 : failuresToOpen);
  return accountIsOpen || host.unreached >= failuresToOpen;
}

/**
 * One account whose logouts hang is that account's trouble. Two of them, with no answer in between, may be the host's trouble,
 * or one Looker user's with two pairs, so accounts that have not failed are still tried.
 */
const mayHang = (host: Host): boolean => host.timedOut.size > 1;

function learn(host: Host, account: Account, outcome: LogoutOutcome): void {
  if (outcome === "not_tried") return;
  if (outcome === "unreached") host.unreached++;
  else if (outcome === "timed_out") host.timedOut.add(account);
  else {
    host.unreached = 0;
    host.timedOut.clear();
  }
  if (outcome === "ended" || outcome === "unconfirmed") {
    // An answer, if not the one that was hoped for: such an account is well enough to be asked again.
    account.failures = 0;
    account.share = Math.min(placesPerHost, account.share + 1);
  } else {
    account.failures++;
    account.share = Math.max(1, Math.floor(account.share / 2));
  }
}
