/** What the stand-in Looker was asked, and what it holds back. */
import type { LedgerEntry } from "../../local/looker/ledger.ts";
import { type Stand, untilSeen } from "./broker-stand.ts";

export const events = ({ looker }: Stand, event: LedgerEntry["event"]): LedgerEntry[] =>
  looker.ledger().filter((entry) => entry.event === event);

/** Until that many requests to `path` wait in Looker's hold. */
export const untilHeld = ({ looker }: Stand, path: string, count = 1): Promise<true> =>
  untilSeen(
    () =>
      looker.control.inFlight().filter((each) => each.path === path && each.fault === "hold").length >= count,
    `${count} held ${path}`,
  );
