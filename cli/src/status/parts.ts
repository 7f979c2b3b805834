/** The parts of `looker-token status`. If one fails, the others go on. */
import { parsePermissions } from "@looker-token-broker/client/broker";
import type { Broker } from "../broker.ts";
import { alarmsOf } from "../deployment/alarms.ts";
import { awsNow } from "../deployment/aws-clients.ts";
import { AwsFailure } from "../deployment/aws-failure.ts";
import type { Place } from "../deployment/place.ts";
import { type Question, questionsOf } from "../deployment/questions.ts";
import { type AnswerRow, runQuery } from "../deployment/run-query.ts";
import { stackResources } from "../deployment/stack.ts";
import { exitCodes } from "../exit-codes.ts";
import { type Failure, failureOf } from "../failure.ts";
import { listingOf } from "../listing.ts";
import { permissionsOf } from "../permissions.ts";
import { failed, inEachScope, succeeded } from "../targets.ts";
import { span } from "../time.ts";
import { alarmFindings } from "./alarm-findings.ts";
import { brokerFindings } from "./broker-findings.ts";
import type { Finding, Unseen } from "./finding.ts";
import { loginFindings, rotationFindings, sweeperFindings } from "./record-findings.ts";

/** A part of the status. */
export interface Part {
  readonly findings: readonly Finding[];
  readonly unseen: readonly Unseen[];
  readonly notes?: readonly string[];
}

export async function part(
  what: string,
  signal: AbortSignal,
  look: (signal: AbortSignal) => Promise<Part>,
  withinMs = patienceMs,
): Promise<Part> {
  const patience = AbortSignal.timeout(withinMs);
  try {
    return await look(AbortSignal.any([signal, patience]));
  } catch (error) {
    if (patience.aborted && !signal.aborted) return { findings: [], unseen: [tookTooLong(what, withinMs)] };
    const failure = failureOf(error);
    if (failure.exitCode === exitCodes.stopped) throw error;
    return { findings: [], unseen: [unseenBy(what, failure)] };
  }
}

/** For a look at twenty thousand leases, and for a query. One slow part must not hide the others for longer. */
const patienceMs = 45_000;

const tookTooLong = (what: string, withinMs: number): Unseen => ({
  what,
  code: "timed_out",
  message: `There was no answer within ${span(withinMs / 1_000)}.`,
  exitCode: exitCodes.unavailable,
});

const unseenBy = (what: string, { code, message, exitCode }: Failure): Unseen => ({
  what,
  code,
  message,
  exitCode,
});

export async function askBroker(broker: Broker, signal: AbortSignal): Promise<Part> {
  const { grants } = parsePermissions(await permissionsOf(broker));
  const operates = ({ may }: (typeof grants)[number]) => may.includes("operate");
  const operated = grants.filter(operates).map(({ scope }) => scope);
  if (operated.length === 0) {
    const message = "You operate no scope.";
    const unseen = {
      what: "leases, freezes and accounts",
      code: "not_allowed",
      message,
      exitCode: exitCodes.refused,
    };
    return { findings: [], unseen: [unseen] };
  }
  const all = await inEachScope(operated, (scope) => listingOf(broker, scope, { signal }));
  return {
    findings: brokerFindings(
      succeeded(all).map(({ value }) => value),
      broker.now(),
    ),
    unseen: [
      ...failed(all).map(({ scope, failure }) => unseenBy(`scope ${scope}`, failure)),
      ...grants.filter((each) => !operates(each)).map(({ scope }) => notOperated(scope)),
    ],
    // A scope of other people is in no answer to this caller.
    notes: [`Freezes, leases and accounts: of the scopes that you operate (${operated.join(", ")}).`],
  };
}

const notOperated = (scope: string): Unseen => ({
  what: `scope ${scope}`,
  code: "not_allowed",
  message: "You do not operate it.",
  exitCode: exitCodes.refused,
});

const minuteMs = 60_000;

export async function askRecords(place: Place, createdAt: number, signal: AbortSignal): Promise<Part> {
  const listed = stackResources(place, signal);
  const [questions, resources] = await Promise.all([questionsOf(place, signal, listed), listed]);
  const now = awsNow(place);
  const rotates = resources.has("AWS::SecretsManager::RotationSchedule");
  const rowsOf = (name: string, minutes: number, until: AbortSignal) =>
    answerTo(questions, name, minutes * minuteMs, { place, now, signal: until });
  const parts = await Promise.all([
    part("logins", signal, async (until) => seen(loginFindings(await rowsOf("do-logins-work", 30, until)))),
    part("sweeper", signal, async (until) =>
      seen(sweeperFindings(await rowsOf("does-the-sweeper-run", 15, until), now, createdAt)),
    ),
    ...(rotates
      ? [
          part("rotation", signal, async (until) => {
            const [steps, onTime] = await Promise.all([
              rowsOf("what-did-rotation-do", 3 * 24 * 60, until),
              rowsOf("is-rotation-on-time", 15, until),
            ]);
            return seen(rotationFindings(steps, onTime, now, createdAt));
          }),
        ]
      : []),
  ]);
  return {
    findings: parts.flatMap(({ findings }) => findings),
    unseen: parts.flatMap(({ unseen }) => unseen),
  };
}

const seen = (findings: readonly Finding[]): Part => ({ findings, unseen: [] });

async function answerTo(
  questions: readonly Question[],
  name: string,
  rangeMs: number,
  { place, now, signal }: { place: Place; now: number; signal: AbortSignal },
): Promise<AnswerRow[]> {
  const question = questions.find((each) => each.name === name);
  if (!question)
    throw new AwsFailure({
      exitCode: exitCodes.unavailable,
      code: "no_question",
      message: `This deployment has no question ${name}. Perhaps it is of an older version.`,
    });
  const { query, logGroups } = question;
  return await runQuery(place, { query, logGroups, from: now - rangeMs, to: now, signal });
}

export async function askAlarms(place: Place, signal: AbortSignal): Promise<Part> {
  const names = (await stackResources(place, signal)).get("AWS::CloudWatch::Alarm") ?? [];
  return seen(alarmFindings(await alarmsOf(place, names, signal)));
}
