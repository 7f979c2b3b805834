/** Durations as people read them. */

/** At least one. */
export const seconds = (milliseconds: number): string => `${Math.max(1, Math.round(milliseconds / 1_000))} s`;

export function duration(milliseconds: number): string {
  const minutes = Math.round(milliseconds / 60_000);
  if (minutes < 120) return `${minutes} minutes`;
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `${hours} hours` : `${Math.round(hours / 24)} days`;
}
