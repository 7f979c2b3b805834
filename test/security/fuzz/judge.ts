/** What must hold whatever the event was. */
import { findLeaks } from "../../support/canary.ts";
import { validateAnswer } from "../../support/openapi/document.ts";
import type { Case } from "./cases.ts";
import { bystanderIsSwept } from "./world.ts";

export interface Outcome {
  readonly answer: unknown;
  /** Set where the handler threw. */
  readonly thrown: unknown;
  /** All that the process wrote. */
  readonly written: string;
  readonly unhandled: readonly unknown[];
}

interface ProxyAnswer {
  readonly statusCode: number;
  readonly headers: Record<string, string>;
  readonly body: string;
}

/** Anything else is for a terminal or a log viewer to interpret. */
const printable = /^[\x20-\x7e]*$/;

/** @returns what is wrong; empty if nothing is */
export function judge(tried: Case, { answer, thrown, written, unhandled }: Outcome): string[] {
  const sweeps = tried.entry === "sweep";
  const lines = written.split("\n").slice(0, -1);
  const audit = lines.filter((line) => kindOf(line) === "audit");
  return [
    ...(unhandled.length > 0 ? [`${unhandled.length} unhandled rejections: ${unhandled.map(named)}`] : []),
    ...(thrown !== undefined && !(sweeps && tried.fault) ? [`the handler threw: ${named(thrown)}`] : []),
    ...(audit.length === 1 ? [] : [`${audit.length} audit lines`]),
    ...lines.filter((line) => kindOf(line) === undefined).map(() => "a line that is no record"),
    ...lines
      .filter((line) => !printable.test(line))
      .map((line) => `a line that is not plain: ${JSON.stringify(line)}`),
    ...lines.filter((line) => line.length > 8_000).map((line) => `a line of ${line.length} characters`),
    ...leaks("what was written", written),
    ...(Object.keys(Object.prototype).length > 0 ? ["Object.prototype was polluted"] : []),
    ...(sweeps ? sweepFaults(tried) : thrown === undefined ? answerFaults(tried, answer, audit[0]) : []),
  ];
}

const named = (error: unknown) => (error instanceof Error ? `${error.name}: ${error.message}` : typeof error);

function kindOf(line: string): unknown {
  try {
    return JSON.parse(line).kind;
  } catch {
    return undefined;
  }
}

const leaks = (where: string, text: string) =>
  findLeaks(text).map(({ secret, form }) => `${where} shows ${secret} (${form})`);

function sweepFaults({ state, fault }: Case): string[] {
  return state !== "empty" && state !== "leased" && !fault && !bystanderIsSwept()
    ? ["a row that nobody changed was not swept"]
    : [];
}

function answerFaults(
  { event, fault, rowChanges }: Case,
  given: unknown,
  audit: string | undefined,
): string[] {
  const { statusCode, headers, body } = given as ProxyAnswer;
  if (typeof statusCode !== "number" || typeof headers !== "object" || typeof body !== "string")
    return ["the answer is none that API Gateway takes"];
  const { status, code = "ok" } = JSON.parse(audit ?? "{}");
  const answered = JSON.parse(body);
  const { httpMethod, resource } = Object(event) as Record<string, unknown>;
  const asSent = { ...headers, "x-amzn-RequestId": "11111111-2222-3333-4444-555555555555" };
  const route = [httpMethod, resource].map((part) => (typeof part === "string" ? part : ""));
  // A row that somebody edited fails its owner: promised is that it serves nothing, not that it works.
  const mayFail = fault !== undefined || rowChanges.length > 0;
  return [
    ...(rowChanges.length > 0 && statusCode < 300
      ? []
      : validateAnswer(route[0] ?? "", route[1] ?? "", statusCode, asSent, body)),
    ...(statusCode >= 500 && !mayFail ? [`status ${statusCode} while nothing failed`] : []),
    ...(statusCode === 500 && (rowChanges.length === 0 || JSON.parse(audit ?? "{}").error !== "Unreadable")
      ? ["an error that nobody foresaw"]
      : []),
    ...Object.values(headers).flatMap((header) =>
      typeof header === "string" && printable.test(header) ? [] : ["a header that is not plain"],
    ),
    ...(status === statusCode ? [] : [`the audit line says ${status}, the answer ${statusCode}`]),
    ...((answered.code ?? "ok") === code ? [] : [`the audit line says ${code}`]),
    ...leaks("the answer", withoutOwn(answered)),
  ];
}

/** Without what the caller is told: its token, and two texts that are its own or another operator's. */
function withoutOwn(answered: Record<string, unknown>): string {
  const { access_token: _, request_id: __, ...rest } = answered;
  const frozen = rest.frozen as { reason?: unknown } | null | undefined;
  return JSON.stringify({ ...rest, ...(frozen ? { frozen: { ...frozen, reason: "" } } : {}) });
}
