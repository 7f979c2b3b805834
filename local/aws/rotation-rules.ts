/** When Secrets Manager rotates by itself: https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_schedule.html */
import { isJsonObject } from "../json-object.ts";
import { type Input, optionalText, ServiceError } from "./json-protocol.ts";
import { nextOpening, rotationCron } from "./rotation-cron.ts";

export interface RotationRules {
  readonly AutomaticallyAfterDays?: number;
  readonly ScheduleExpression?: string;
  readonly Duration?: string;
}

/** In epoch seconds. AWS rotates at any time in it, this stand-in as it opens. */
export interface RotationWindow {
  readonly opensAt: number;
  readonly closesAt: number;
}

const HOUR_SECONDS = 3_600;
const DAY_SECONDS = 24 * HOUR_SECONDS;

/** @throws in moto's words, where it has them: AWS's are not published. */
export function rotationRulesOf(input: Input, nowSeconds: number): RotationRules | undefined {
  const given = input.RotationRules ?? undefined;
  if (given === undefined) return undefined;
  if (!isJsonObject(given)) throw new ServiceError("SerializationException", null);
  const days = given.AutomaticallyAfterDays ?? undefined;
  const expression = optionalText(given, "ScheduleExpression");
  const duration = optionalText(given, "Duration");
  if (days !== undefined && !isWholeNumber(days, 1, 1000))
    throw invalid("RotationRules.AutomaticallyAfterDays must be within 1-1000.");
  if ((days === undefined) === (expression === undefined))
    throw invalid("RotationRules needs AutomaticallyAfterDays or ScheduleExpression, and not both.");
  if (duration !== undefined && !/^([1-9]|1\d|2[0-4])h$/.test(duration))
    throw invalid("RotationRules.Duration must be between 1h and 24h.");
  const rules: RotationRules = {
    ...(days !== undefined && { AutomaticallyAfterDays: Number(days) }),
    ...(expression !== undefined && { ScheduleExpression: expression }),
    ...(duration !== undefined && { Duration: duration }),
  };
  if (!windowAfter(rules, nowSeconds)) throw invalid("RotationRules.ScheduleExpression is not valid.");
  return rules;
}

/** The next window after the moment that the rules count from. Undefined: the expression is not understood. */
export function windowAfter(rules: RotationRules, fromSeconds: number): RotationWindow | undefined {
  const { AutomaticallyAfterDays, ScheduleExpression = "", Duration } = rules;
  const [, value, unit] = /^rate\((\d+) (hour|day)s?\)$/.exec(ScheduleExpression) ?? [];
  const window = (opensAt: number, lastsSeconds: number): RotationWindow => {
    const seconds = Duration === undefined ? lastsSeconds : Number.parseInt(Duration, 10) * HOUR_SECONDS;
    return { opensAt, closesAt: opensAt + seconds - 1 };
  };

  const days = AutomaticallyAfterDays ?? (unit === "day" ? Number(value) : undefined);
  if (days !== undefined)
    return isWholeNumber(days, 1, unit === undefined ? 1000 : 999)
      ? window(midnight(fromSeconds + days * DAY_SECONDS), DAY_SECONDS)
      : undefined;
  if (unit === "hour") {
    const every = Number(value) * HOUR_SECONDS;
    // "You can rotate a secret as often as every four hours." Windows are counted from midnight.
    if (every < 4 * HOUR_SECONDS) return undefined;
    const today = midnight(fromSeconds);
    return window(today + (Math.floor((fromSeconds - today) / every) + 1) * every, HOUR_SECONDS);
  }
  const cron = rotationCron(ScheduleExpression);
  const opening = cron && nextOpening(cron, new Date(fromSeconds * 1000));
  if (!opening) return undefined;
  const opensAt = opening.getTime() / 1000;
  return window(opensAt, cron.isHourly ? HOUR_SECONDS : midnight(opensAt) + DAY_SECONDS - opensAt);
}

const midnight = (seconds: number) => Math.floor(seconds / DAY_SECONDS) * DAY_SECONDS;
const isWholeNumber = (value: unknown, min: number, max: number) =>
  Number.isInteger(value) && Number(value) >= min && Number(value) <= max;
const invalid = (message: string) => new ServiceError("InvalidParameterException", message);
