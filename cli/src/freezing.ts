/** Freezing a scope and giving it back, as commands and the console ask for it. */
import type { Broker } from "./broker.ts";
import type { Ending } from "./end-leases.ts";
import { clockSkewMs, everything } from "./filter.ts";
import { type Frozen, listingOf } from "./listing.ts";
import { LostAnswer } from "./lost-answer.ts";

/** The first request of a freeze, and the check after a lost answer. */
export function freezing(broker: Broker, reason: string): Pick<Ending, "filter" | "begin" | "settle"> {
  const begun = broker.now();
  return {
    filter: everything,
    begin: (scope, signal) =>
      broker.askOnce({ method: "PUT", path: `/scopes/${scope}/freeze`, body: { reason }, signal }),
    async settle(scope, lost, signal) {
      const frozen = await frozenNow(broker, scope, lost, signal);
      if (frozen?.reason === reason && Date.parse(frozen.at) >= begun - clockSkewMs) return { frozen };
      throw new LostAnswer(
        lost.reason,
        `By its list, ${scope} is ${frozen ? "under another freeze" : "not frozen"}.`,
      );
    },
  };
}

/** @returns the freeze that it ended, and null if there was none. Undefined if that is not known. */
export async function unfreezeIn(broker: Broker, scope: string): Promise<Frozen | null | undefined> {
  try {
    const request = { method: "DELETE", path: `/scopes/${scope}/freeze` } as const;
    return ((await broker.askOnce(request)) as { was?: Frozen | null }).was;
  } catch (error) {
    if (!(error instanceof LostAnswer)) throw error;
    // Not sent again: somebody may have frozen it anew.
    if (await frozenNow(broker, scope, error))
      throw new LostAnswer(error.reason, `By its list, ${scope} is still frozen.`);
    return undefined;
  }
}

/** By the list. Throws the first failure where that cannot be had. */
async function frozenNow(
  broker: Broker,
  scope: string,
  lost: LostAnswer,
  signal?: AbortSignal,
): Promise<Frozen | undefined> {
  const { frozen } = await listingOf(broker, scope, signal ? { signal } : {}).catch(() => {
    throw lost;
  });
  return frozen;
}
