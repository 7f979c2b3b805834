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

/** A point in time as the broker takes it, from that or from how long ago it was: `90s`, `30m`, `2h`, `1d`. */
export function issuedBefore(text: string, now: number): string {
  const [, amount, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  if (amount !== undefined)
    return new Date(now - Number(amount) * units[unit as keyof typeof units] * 1_000).toISOString();
  // Without an offset it is another instant to each reader.
  if (/^\d{4}-\d{2}-\d{2}T.*(?:Z|[+-]\d{2}:\d{2})$/.test(text)) return text;
  throw new UsageError(
    "--issued-before takes a time with its offset, as 2026-11-24T13:00:00Z, or how long ago, as 30m (s, m, h, d).",
  );
}

export function wholeSeconds(option: string, text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new UsageError(`--${option} takes a whole number of seconds.`);
  return Number(text);
}
