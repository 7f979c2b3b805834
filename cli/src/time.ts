/** Times and spans, as people write and read them. */
import { UsageError } from "./usage-error.ts";

const units = { s: 1, m: 60, h: 3_600, d: 86_400 } as const;

/** The two largest units: `45s`, `14m 59s`, `2h 5m`. */
export function span(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const [days, hours] = [Math.floor(whole / units.d), Math.floor(whole / units.h) % 24];
  const [minutes, rest] = [Math.floor(whole / units.m) % 60, whole % 60];
  if (days > 0) return `${days}d ${hours}h`;
  if (hours > 0) return `${hours}h ${minutes}m`;
  return minutes > 0 ? `${minutes}m ${rest}s` : `${rest}s`;
}

/** As the broker takes it: RFC 3339, with its offset, since without one it is another instant to each reader. */
const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;

/** `90s`, `30m`, `2h` or `1d`, in seconds. */
function spanSeconds(text: string): number | undefined {
  const [, amount, unit] = /^(\d{1,4})([smhd])$/.exec(text) ?? [];
  return amount === undefined ? undefined : Number(amount) * units[unit as keyof typeof units];
}

export function agoSeconds(option: string, text: string): number {
  const seconds = spanSeconds(text);
  if (!seconds) throw new UsageError(`--${option} takes how long ago, as 30m (1 to 9999 of s, m, h, d).`);
  return seconds;
}

/** A point in time, or how long ago it was: `90s`, `30m`, `2h`, `1d`; by the broker's clock, once that is known. */
export function issuedBefore(text: string): (now: number) => string {
  const seconds = spanSeconds(text);
  if (seconds !== undefined) return (now) => new Date(now - seconds * 1_000).toISOString();
  if (time.test(text) && !Number.isNaN(Date.parse(text))) return () => text;
  throw new UsageError(
    "--issued-before takes a time with seconds and its offset, as 2026-11-24T13:00:00Z or 2026-11-24T14:00:00+01:00, or how long ago, as 30m (up to 9999 of s, m, h, d).",
  );
}

export function wholeSeconds(option: string, text: string, least = 0): number {
  if (!/^\d{1,6}$/.test(text) || Number(text) < least)
    throw new UsageError(
      `--${option} takes a whole number of seconds${least > 0 ? ` from ${least} on` : ""}.`,
    );
  return Number(text);
}
