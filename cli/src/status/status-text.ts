/** All findings on one screen. Pure. */
import type { Paint } from "../colour.ts";
import { safeText } from "../safe-text.ts";
import { span } from "../time.ts";
import { wrappedClosely } from "../wrapped.ts";
import type { Finding, Unseen } from "./finding.ts";

export interface Status {
  readonly stack: string;
  readonly region: string | undefined;
  /** Milliseconds since 1970. */
  readonly askedAt: number;
  readonly findings: readonly Finding[];
  readonly unseen: readonly Unseen[];
  readonly notes: readonly string[];
}

const columns = 79;
/** Of 24 lines, with room for the head, for what was not seen and for the prompt. */
const mostLines = 18;

export function statusText(
  { stack, region, askedAt, findings, unseen, notes }: Status,
  paint: Paint,
): string {
  const wrong = findings.filter((each) => each.wrong);
  const right = findings.filter((each) => !each.wrong);
  const verdict =
    wrong.length > 0
      ? paint("yellow", `${wrong.length} ${wrong.length === 1 ? "thing is" : "things are"} wrong`)
      : unseen.length > 0
        ? paint("yellow", "nothing wrong was seen, but not all could be looked at")
        : paint("green", "nothing is wrong");
  const head = `${paint("bold", stack)}${region === undefined ? "" : ` in ${region}`}: ${verdict}\n`;
  const lines = [
    ...wrong.flatMap((each) => findingLines(each, askedAt, paint)),
    ...unseen.flatMap(({ what, message }) => folded("not seen", `${what}: ${message}`, paint)),
    ...right.flatMap((each) => findingLines(each, askedAt, paint)),
    ...notes.flatMap((note) => folded("", note, paint)),
  ];
  if (lines.length <= mostLines) return `${head}${lines.join("")}`;
  const left = lines.length - mostLines + 1;
  return `${head}${lines.slice(0, mostLines - 1).join("")}… ${left} more lines: looker-token status --json has all.\n`;
}

function findingLines(
  { what, subject, text, lead, since, runbook, wrong }: Finding,
  now: number,
  paint: Paint,
): string[] {
  const ago = since === undefined ? "" : ` ${span((now - Date.parse(since)) / 1_000)} ago`;
  const where = runbook === undefined ? "" : ` (runbook: ${runbook})`;
  const of = subject === undefined ? "" : `${subject}: `;
  // A freeze's reason comes last, so its time goes before it.
  const told =
    what === "frozen"
      ? `${of}${ago.trim()} ${text}`
      : `${of}${text}${lead === undefined ? "" : `, ${lead}`}${ago}${where}`;
  return folded(what, told, paint, wrong);
}

const indent = 10;

function folded(what: string, text: string, paint: Paint, wrong = false): string[] {
  return wrappedClosely(safeText(text), columns - indent).map((line, at) => {
    const head = (at === 0 ? what : "").padEnd(indent);
    return `${at === 0 && wrong ? paint("yellow", head) : head}${line}\n`;
  });
}
