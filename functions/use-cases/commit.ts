import type { Versioned } from "../domain/control.ts";
import type { Step } from "../domain/slot.ts";
import { type Clock, type Ids, type Rows, Unavailable } from "./ports.ts";

/** Tries before a contended or failing row is given up, where no token hangs on it. */
const maxAttempts = 8;

/**
 * Applies a transition with optimistic locking. When the condition fails, the row is read again and the *transition* is
 * applied again: an old image is never written back. When an answer is lost, the next read settles it: a row that shows
 * one of this call's write ids was written by it, and a row that does not is written conditionally, which fences the
 * lost write should it still be under way.
 *
 * @param start the row as it was just read, if it was
 * @param mustLand a token hangs on it: it is tried until the deadline, and at least once; the first read too
 * @throws {Unavailable} when the row cannot be read or the outcome stays unknown
 */
export async function commit<Key, Row extends Versioned, Outcome>(
  rows: Rows<Key, Row>,
  key: Key,
  step: (row: Row, now: number) => Step<Row, Outcome>,
  {
    clock,
    ids,
    start,
    deadline,
    mustLand = false,
  }: { clock: Clock; ids: Ids; start?: Row | undefined; deadline: number; mustLand?: boolean },
): Promise<Outcome> {
  const mine = new Map<string | undefined, Outcome>();
  let row = start ?? (await (mustLand ? reread(rows, key, { clock, deadline, mustLand }) : rows.read(key)));
  let failure: unknown;
  // Past the deadline, what a token hangs on is tried as long as nothing but contention stands against it: the process may
  // have been frozen until long after.
  const goesOn = (attempt: number) =>
    clock.now() < deadline
      ? mustLand || attempt <= maxAttempts
      : mustLand && failure === undefined && attempt <= maxAttempts;
  for (let attempt = 1; goesOn(attempt); attempt++) {
    if (mine.has(row.writeId)) return mine.get(row.writeId) as Outcome;
    const { next, outcome } = step(row, clock.now());
    if (!next) return outcome;
    const writeId = ids.next();
    mine.set(writeId, outcome);
    try {
      if (await rows.write(key, { ...next, version: row.version + 1, writeId }, row.version)) return outcome;
    } catch (error) {
      failure = error;
      if (!(error instanceof Unavailable)) throw error;
    }
    if (attempt > 1) await clock.sleep(backoff(attempt, writeId));
    row = await reread(rows, key, { clock, deadline, mustLand });
  }
  // The last write may have been the one that counted.
  if (mine.has(row.writeId)) return mine.get(row.writeId) as Outcome;
  throw new Unavailable("dynamodb", { cause: failure });
}

/** Reads that may fail behind a write whose outcome is open: giving up there leaves a token that perhaps nobody holds. */
const maxRereads = 3;

async function reread<Key, Row extends Versioned>(
  rows: Rows<Key, Row>,
  key: Key,
  { clock, deadline, mustLand }: { clock: Clock; deadline: number; mustLand: boolean },
): Promise<Row> {
  for (let tried = 1; ; tried++) {
    try {
      return await rows.read(key);
    } catch (error) {
      if (!(error instanceof Unavailable) || (!mustLand && tried >= maxRereads) || clock.now() >= deadline)
        throw error;
      await clock.sleep(Math.min(50 * tried, 300));
    }
  }
}

/** 20 ms, 40 ms, … up to 320 ms, spread by the write id so that contenders do not march in step. */
function backoff(attempt: number, writeId: string): number {
  return Math.round(10 * 2 ** Math.min(attempt - 1, 5) * (1 + (writeId.charCodeAt(0) % 16) / 16));
}
