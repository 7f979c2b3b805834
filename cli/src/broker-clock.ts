/** What time it is for the broker: this machine's own clock may be wrong, and what is said about lives must not be. */

export interface BrokerClock {
  /** Of an answer's Date header. */
  learn(date: number | undefined): void;
  /** Milliseconds since 1970. Never ahead of the broker, and by this machine's clock until an answer told. */
  now(): number;
}

/** `monotonic`: milliseconds since some moment. It may stand still while the machine sleeps; the next answer makes up for it. */
export function brokerClock(wall: () => number, monotonic: () => number): BrokerClock {
  let difference: number | undefined;
  return {
    learn(date) {
      if (date === undefined) return;
      // Each Date is cut to its second and has been under way: the latest is the nearest to the truth.
      difference = Math.max(difference ?? Number.NEGATIVE_INFINITY, date - monotonic());
    },
    now: () => (difference === undefined ? wall() : monotonic() + difference),
  };
}
