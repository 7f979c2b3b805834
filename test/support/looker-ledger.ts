/** What the stand-in Looker was asked, and what it holds back. */
import type { LedgerEntry } from "../../local/looker/ledger.ts";
import { type Stand, untilSeen } from "./broker-stand.ts";

export const events = ({ looker }: Stand, event: LedgerEntry["event"]): LedgerEntry[] =>
  looker.ledger().filter((entry) => entry.event === event);

/** Until a request to `path` is at Looker, which lets it wait: `hold` for its release, `hang` for ever and without effect. */
export const untilHeld = ({ looker }: Stand, path: string, kind: "hold" | "hang" = "hold"): Promise<true> =>
  untilSeen(
    () => looker.control.inFlight().some((each) => each.path === path && each.fault === kind),
    `${path} in a ${kind}`,
  );
