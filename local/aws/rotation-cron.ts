/**
 * `cron(Minutes Hours Day-of-month Month Day-of-week Year)` of a rotation schedule. Windows open on the hour, so the minutes are 0.
 * `L`, `W` and `#` are not known here.
 * https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_schedule.html
 */
export interface RotationCron {
  /** Several windows may open on one day. */
  readonly isHourly: boolean;
  opensAt(hour: Date): boolean;
}

type Field = (value: number) => boolean;

const MONTHS = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split(" ");
const WEEKDAYS = "SUN MON TUE WED THU FRI SAT".split(" ");
const HOUR_MS = 3_600_000;
/** A leap day comes within eight years. */
const LONGEST_WAIT_HOURS = 8 * 366 * 24;

export function rotationCron(expression: string): RotationCron | undefined {
  const [, inner = ""] = /^cron\((.+)\)$/.exec(expression) ?? [];
  const [minutes, hours = "", days = "", months = "", weekdays = "", years = "", ...more] = inner.split(" ");
  const inHour = fieldOf(hours, 23);
  const inDay = fieldOf(days, 31);
  const inMonth = fieldOf(months, 12, MONTHS);
  const inWeekday = fieldOf(weekdays, 7, WEEKDAYS);
  const inYear = fieldOf(years, 2199);
  if (minutes !== "0" || more.length > 0 || !inHour || !inDay || !inMonth || !inWeekday || !inYear)
    return undefined;
  return {
    isHourly: !/^\d+$/.test(hours),
    opensAt: (hour) =>
      inHour(hour.getUTCHours()) &&
      inDay(hour.getUTCDate()) &&
      inMonth(hour.getUTCMonth() + 1) &&
      inWeekday(hour.getUTCDay() + 1) &&
      inYear(hour.getUTCFullYear()),
  };
}

/** The next opening of a window after `from`. */
export function nextOpening(cron: RotationCron, from: Date): Date | undefined {
  const hour = new Date(Math.floor(from.getTime() / HOUR_MS) * HOUR_MS);
  for (let hours = 0; hours < LONGEST_WAIT_HOURS; hours++) {
    hour.setTime(hour.getTime() + HOUR_MS);
    if (cron.opensAt(hour)) return hour;
  }
  return undefined;
}

/** `*`, `?`, `7`, `MON`, `1-5`, `4/12`, and lists of such parts. Names count from 1. */
function fieldOf(text: string, max: number, names: readonly string[] = []): Field | undefined {
  if (text === "*" || text === "?") return () => true;
  const numberOf = (word: string) =>
    /^\d+$/.test(word) ? Number(word) : names.indexOf(word) + 1 || Number.NaN;
  const ranges = text.split(",").map((part) => {
    const [, from = "", to, step] = /^(\*|\w+)(?:-(\w+))?(?:\/(\d+))?$/.exec(part) ?? [];
    const first = from === "*" ? 0 : numberOf(from);
    return { first, last: to === undefined ? (step ? max : first) : numberOf(to), step: Number(step ?? 1) };
  });
  if (ranges.some(({ first, last, step }) => !(first <= last && last <= max && step > 0))) return undefined;
  return (value) =>
    ranges.some(({ first, last, step }) => value >= first && value <= last && (value - first) % step === 0);
}
