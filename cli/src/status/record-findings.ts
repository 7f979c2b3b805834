/**
 * Findings by the answers of saved questions. Pure. The columns are those of infra/saved-queries.ts. Another version may lack one, and
 * then nothing is found by it.
 */
import type { AnswerRow } from "../deployment/run-query.ts";
import type { Finding } from "./finding.ts";

/** The latest row of each scope counts: an older failure has been mended since. */
export function loginFindings(rows: readonly AnswerRow[]): Finding[] {
  const latest = new Map<string, AnswerRow>();
  for (const row of rows) {
    const { scope = "", last = "" } = row;
    if (last >= (latest.get(scope)?.last ?? "")) latest.set(scope, row);
  }
  return [...latest.values()].flatMap(({ scope = "", mint_failure: failure, why, requests, last = "" }) => {
    if (failure === undefined) return [];
    const reason = why === undefined ? "" : ` (${why})`;
    return [
      {
        what: "logins" as const,
        subject: scope,
        text: `${failure}${reason}, ${requests} ${requests === "1" ? "request" : "requests"}`,
        lead: "the last",
        since: last,
        wrong: true,
        runbook: failure === "looker_rejected_credentials" ? "rejected-credentials" : "looker-unavailable",
      },
    ];
  });
}

/** As the alarm SweeperStopped has it. */
const sweeperStopsAfterMs = 5 * 60_000;

/** `since`: of the stack, because a new one has not swept yet. */
export function sweeperFindings(rows: readonly AnswerRow[], now: number, createdAt: number): Finding[] {
  const lastOf = (all: readonly AnswerRow[]) =>
    all
      .map(({ last = "" }) => last)
      .sort()
      .at(-1);
  const ended = lastOf(rows.filter(({ code }) => code === "ok"));
  const failed = rows.filter(({ code }) => code !== "ok").find(({ last = "" }) => last > (ended ?? ""));
  const stopped = { what: "sweeper" as const, wrong: true, runbook: "sweeper-stopped" };
  if (failed?.last !== undefined)
    return [
      { ...stopped, text: `the last run failed (${failed.reason ?? failed.code})`, since: failed.last },
    ];
  if (ended !== undefined) {
    const late = now - Date.parse(ended) > sweeperStopsAfterMs;
    return late
      ? [{ ...stopped, text: "last run", since: ended }]
      : [{ what: "sweeper", text: "last run", since: ended, wrong: false }];
  }
  if (now - createdAt < sweeperStopsAfterMs)
    return [{ what: "sweeper", text: "has not run yet: the stack is new", wrong: false }];
  return [{ ...stopped, text: "no run in the past 15m" }];
}

/** Steps of one rotation follow each other within minutes. */
const rotationStopsAfterMs = 3_600_000;

/** The schedule that retires old pairs runs every five minutes. `onTime` is asked about three of its runs. */
const retirementStopsAfterMs = 15 * 60_000;

/** `steps`: the latest first. `since`: of the stack, as of {@link sweeperFindings}. */
export function rotationFindings(
  steps: readonly AnswerRow[],
  onTime: readonly AnswerRow[],
  now: number,
  createdAt: number,
): Finding[] {
  const isStopped = onTime.length === 0 && now - createdAt > retirementStopsAfterMs;
  return [
    // Without this run nobody knows whether a rotation is overdue.
    ...(isStopped
      ? [
          {
            what: "rotation" as const,
            text: "the check for overdue rotations and old pairs had no run in the past 15m",
            wrong: true,
            runbook: "rotation-overdue",
          },
        ]
      : []),
    ...latestBy(steps.filter(isOfRotation), ({ secret = "" }) => secret).flatMap((row) =>
      stepFinding(row, now),
    ),
    ...latestBy(
      steps.filter((row) => !isOfRotation(row)),
      pairOf,
    ).flatMap(retirementFinding),
    ...onTime.flatMap(({ overdue_now: overdue = "0", unretired_now: unretired = "0" }) => [
      ...counted(overdue, "overdue by two days, or switched off", "rotation-overdue"),
      ...counted(unretired, "replaced two days ago, and perhaps still at Looker", "pair-not-retired"),
    ]),
  ];
}

const isOfRotation = ({ step }: AnswerRow) => step !== "retire";
const pairOf = ({ secret = "", client_id: clientId = "" }: AnswerRow) => `${secret} ${clientId}`;

function latestBy(rows: readonly AnswerRow[], key: (row: AnswerRow) => string): AnswerRow[] {
  const latest = new Map<string, AnswerRow>();
  for (const row of rows) if (!latest.has(key(row))) latest.set(key(row), row);
  return [...latest.values()];
}

function stepFinding(
  { secret = "", step = "", outcome, reason, time = "" }: AnswerRow,
  now: number,
): Finding[] {
  const of = { what: "rotation" as const, subject: secret, since: time };
  const failed = { ...of, wrong: true, runbook: "rotation-failed" };
  if (outcome === "failed") return [{ ...failed, text: `${step} failed (${reason ?? "?"})` }];
  if (step === "finishSecret" || step === "") return [];
  const stopped = now - Date.parse(time) > rotationStopsAfterMs;
  return stopped
    ? [{ ...failed, text: `stopped after ${step}` }]
    : [{ ...of, text: `running, ${step} was done`, wrong: false }];
}

function retirementFinding({
  secret = "",
  outcome,
  reason,
  client_id: pair,
  time = "",
}: AnswerRow): Finding[] {
  const of = { what: "rotation" as const, subject: secret, since: time };
  if (outcome === "failed")
    return [
      {
        ...of,
        text: `an old pair could not be deleted (${reason ?? "?"})`,
        wrong: true,
        runbook: "pair-not-retired",
      },
    ];
  return outcome === "denied" ? [{ ...of, text: `retiring the pair ${pair}, denied`, wrong: false }] : [];
}

const counted = (count: string, text: string, runbook: string): Finding[] =>
  Number(count) > 0
    ? [
        {
          what: "rotation",
          subject: `${count} ${count === "1" ? "secret or pair" : "secrets or pairs"}`,
          text,
          wrong: true,
          runbook,
        },
      ]
    : [];
