/** What a Looker that also serves people is spared. Both wrap the port, for one request or one sweep. */
import type { Looker } from "./ports.ts";

/** Logouts under way at once against one host. */
const parallelLogoutsPerHost = 16;
/** Logouts in a row that a host may fail before it is left alone. */
const failuresToOpen = 5;

/** Bounds the logouts under way at once, host by host. What had to wait until there is no time left is not tried. */
export function withHostLimit(looker: Looker, timeIsLeft: () => boolean): Looker {
  const underWay = new Map<string, { count: number; waiting: (() => void)[] }>();
  return {
    ...looker,
    async logout(baseUrl, token) {
      const host = underWay.get(baseUrl) ?? { count: 0, waiting: [] };
      underWay.set(baseUrl, host);
      if (host.count >= parallelLogoutsPerHost) await new Promise<void>((go) => host.waiting.push(go));
      else host.count++;
      try {
        return timeIsLeft() ? await looker.logout(baseUrl, token) : "not_tried";
      } finally {
        // The place is handed on, or given back.
        const next = host.waiting.shift();
        if (next) next();
        else host.count--;
      }
    },
  };
}

/** A circuit for each host: one that does not confirm is left alone from then on, and its tokens stay due. */
export function withCircuit(looker: Looker): Looker {
  const failures = new Map<string, number>();
  return {
    ...looker,
    async logout(baseUrl, token) {
      if ((failures.get(baseUrl) ?? 0) >= failuresToOpen) return "not_tried";
      const outcome = await looker.logout(baseUrl, token);
      failures.set(baseUrl, outcome === "ended" ? 0 : (failures.get(baseUrl) ?? 0) + 1);
      return outcome;
    },
  };
}
