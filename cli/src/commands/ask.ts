/** `looker-token ask`: a saved question about a deployment's records, answered by CloudWatch Logs Insights. */
import { fullArnOf } from "../caller.ts";
import { answerText } from "../deployment/answer-text.ts";
import { awsNow } from "../deployment/aws-clients.ts";
import { filledQuery, flagOf } from "../deployment/fill-question.ts";
import { placeOf } from "../deployment/place.ts";
import { type Question, questionNamed, questionsOf } from "../deployment/questions.ts";
import { type AnswerRow, mostRows, runQuery } from "../deployment/run-query.ts";
import { exitCodes } from "../exit-codes.ts";
import { interruptible } from "../interruption.ts";
import type { OptionValues } from "../options.ts";
import type { Terminal } from "../terminal.ts";
import { agoSeconds } from "../time.ts";
import { UsageError } from "../usage-error.ts";
import { wrapped } from "../wrapped.ts";

const defaultRange = "2h";

export async function ask(
  io: Terminal,
  values: OptionValues,
  operands: readonly string[],
  given: Readonly<Record<string, string>> = {},
): Promise<number> {
  const [name] = operands;
  const since = values.since ?? defaultRange;
  const rangeMs = agoSeconds("since", since) * 1_000;
  if (values.json && values["print-query"])
    throw new UsageError("--json and --print-query: leave one of them out.");
  if (name === undefined && Object.keys(given).length > 0)
    throw new UsageError("Values belong to a question.", { hint: "`looker-token ask` lists the questions." });
  const place = placeOf(values);
  return await interruptible(async (signal) => {
    const questions = await questionsOf(place, signal);
    if (name === undefined) return list(io, values, questions);
    const question = questionNamed(questions, name);
    const query = filledQuery(question, withCallerRead(io, values, given));
    if (values["print-query"]) {
      io.print(`${query}\n`);
      return exitCodes.ok;
    }
    const [to, begun] = [awsNow(place), performance.now()];
    const range = { from: to - rangeMs, to };
    const onWait = () => {
      if (performance.now() - begun > 3_000) io.progress("CloudWatch is reading …");
    };
    const rows = await runQuery(place, { query, logGroups: question.logGroups, ...range, signal, onWait });
    io.endProgress();
    if (values.json) io.print(`${JSON.stringify(answerJson(question, range, rows), null, 2)}\n`);
    else show(io, question, since, rows);
    return exitCodes.ok;
  });
}

/** Records name a caller without path and session. Another ARN of it would find nothing. */
function withCallerRead(io: Terminal, { json }: OptionValues, given: Readonly<Record<string, string>>) {
  const { caller } = given;
  const arn = caller === undefined ? undefined : fullArnOf(caller);
  if (arn === undefined || arn === caller) return given;
  if (!json) io.note(`--caller was read as ${arn}.\n`);
  return { ...given, caller: arn };
}

const iso = (time: number) => new Date(time).toISOString();

const answerJson = (
  { name }: Question,
  { from, to }: { from: number; to: number },
  rows: readonly AnswerRow[],
) => ({
  question: name,
  from: iso(from),
  to: iso(to),
  rows,
});

function show(io: Terminal, { answer }: Question, since: string, rows: readonly AnswerRow[]): void {
  // As programs do by POSIX: the variable counts where there is no terminal.
  const columns = (io.isShown && (process.stdout.columns || 80)) || Number(process.env.COLUMNS) || undefined;
  io.print(rows.length === 0 ? `Nothing in the past ${since}.\n` : answerText(rows, io.paint, columns));
  if (rows.length >= mostRows)
    io.note(`Only the first ${mostRows} rows are shown. Ask with a shorter --since.\n`);
  // For a person. A script reads the rows alone.
  if (io.isWatched && answer !== "") io.note(`\n${wrapped(answer, 80).join("\n")}\n`);
}

function list(io: Terminal, values: OptionValues, questions: readonly Question[]): number {
  if (values.json) {
    const listed = questions.map(({ name, asks, answer, placeholders }) => ({
      name,
      asks,
      answer,
      values: placeholders.map((each) => ({ flag: `--${flagOf(each.name)}`, description: each.description })),
    }));
    io.print(`${JSON.stringify({ questions: listed }, null, 2)}\n`);
    return exitCodes.ok;
  }
  const texts = questions.map(({ name, asks, placeholders }) => {
    const flags = placeholders.map((each) => `--${flagOf(each.name)} …`);
    return `${io.paint("bold", [name, ...flags].join(" "))}\n${wrapped(asks, 76)
      .map((line) => `    ${line}\n`)
      .join("")}`;
  });
  io.print(
    texts.length === 0 ? "This deployment has no questions: is it of an older version?\n" : texts.join(""),
  );
  return exitCodes.ok;
}
