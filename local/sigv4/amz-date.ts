/** ISO 8601 "basic format", as the X-Amz-Date header has it: `20260301T120000Z`. */

export function parseAmzDate(value: string): Date | undefined {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(value);
  if (!match) return undefined;
  const [, year, month, day, hour, minute, second] = match;
  const date = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  // Also when the date rolled over (February 30th): the signer would write another one.
  return Number.isNaN(date.getTime()) || formatAmzDate(date) !== value ? undefined : date;
}

export const formatAmzDate = (date: Date) => date.toISOString().replace(/[-:]|\.\d{3}/g, "");
