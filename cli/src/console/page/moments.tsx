/** Times of day with their zone, and spans that run. */
import { useEffect, useState } from "preact/hooks";
import { span } from "../../time.ts";

/** In UTC, as the command, the records and AWS have it. Under the pointer it is this machine's time. */
export function Moment({ at }: { at: number }) {
  const date = new Date(at);
  const [day = "", time = ""] = date.toISOString().split("T");
  return (
    <time dateTime={date.toISOString()} title={date.toLocaleString(undefined, { timeZoneName: "short" })}>
      {day} {time.slice(0, 8)} UTC
    </time>
  );
}

/** The broker's time, anew each second. */
export function useNow(ahead: number): number {
  const [, tick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => tick((count) => count + 1), 1_000);
    return () => clearInterval(timer);
  }, []);
  return performance.now() + ahead;
}

export const age = (from: number, now: number): string => span((now - from) / 1_000);

export function remaining(end: number | undefined, now: number): string {
  if (end === undefined) return "–";
  return end <= now ? "over" : span((end - now) / 1_000);
}
