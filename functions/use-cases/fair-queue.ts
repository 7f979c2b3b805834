/** A queue in which accounts take turns, and within an account the fewest attempts come first. */

export interface Queued {
  readonly account: string;
  /** Logouts tried so far. */
  readonly attempts: number;
}

export interface FairQueue<Item extends Queued> extends AsyncIterable<Item> {
  push(item: Item): void;
  /** Nothing more comes: the iteration ends when the queue is empty. */
  close(): void;
}

/** May be iterated by several workers at once: each item goes to one of them. */
export function fairQueue<Item extends Queued>(): FairQueue<Item> {
  /** By account, in the order of their turns; within one by attempts. */
  const accounts = new Map<string, Map<number, Item[]>>();
  let idle: (() => void)[] = [];
  let closed = false;
  const wake = () => {
    const woken = idle;
    idle = [];
    for (const go of woken) go();
  };
  const take = (): Item | undefined => {
    for (const [account, byAttempts] of accounts) {
      const fewest = Math.min(...byAttempts.keys());
      const items = byAttempts.get(fewest) as Item[];
      const item = items.shift();
      if (items.length === 0) byAttempts.delete(fewest);
      // Its next turn comes after everybody else's.
      accounts.delete(account);
      if (byAttempts.size > 0) accounts.set(account, byAttempts);
      return item;
    }
    return undefined;
  };
  return {
    push(item) {
      const byAttempts = accounts.get(item.account) ?? new Map<number, Item[]>();
      accounts.set(item.account, byAttempts);
      const items = byAttempts.get(item.attempts) ?? [];
      byAttempts.set(item.attempts, items);
      items.push(item);
      wake();
    },
    close() {
      closed = true;
      wake();
    },
    async *[Symbol.asyncIterator]() {
      for (;;) {
        const item = take();
        if (item) yield item;
        else if (closed) return;
        else await new Promise<void>((go) => idle.push(go));
      }
    },
  };
}
