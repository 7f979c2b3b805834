/** Durations as people read them. */

/** Of less than ten seconds to a tenth, and never none. */
export const seconds = (milliseconds: number): string =>
  `${milliseconds < 9_950 ? Math.max(0.1, Math.round(milliseconds / 100) / 10) : Math.round(milliseconds / 1_000)} s`;

export function duration(milliseconds: number): string {
  const minutes = Math.round(milliseconds / 60_000);
  if (minutes < 120) return `${minutes} minutes`;
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `${hours} hours` : `${Math.round(hours / 24)} days`;
}
