/** A question to the console's server, and its answer line by line. */
import type { Message, MessageError, QuestionName, Questions } from "../messages.ts";

/** A refusal or a failure of the console, or of the broker behind it. */
export class Failed extends Error {
  override readonly name = "Failed";
  readonly code: string;

  constructor({ code, message, hint = "" }: MessageError) {
    super([message, hint].filter(Boolean).join(" "));
    this.code = code;
  }
}

const unanswered: MessageError = {
  code: "console_gone",
  message: "The console has ended, or does not answer.",
  hint: "Start looker-token console again.",
};

/** @throws {Failed} also where the answer breaks off, because then its end is not known. */
export async function* ask<Name extends QuestionName>(
  name: Name,
  question: Questions[Name],
): AsyncGenerator<Message, void> {
  for await (const line of lines(await post(name, question))) {
    const message: Message = JSON.parse(line);
    if (message.kind === "failed") throw new Failed(message.error);
    if (message.kind === "done") return;
    yield message;
  }
  throw new Failed(unanswered);
}

/** Another program may have the port by then. It gets no question and no cookie, and the page believes none of its answers. */
let hasEnded = false;

async function post(name: string, question: object): Promise<Response> {
  if (hasEnded) throw new Failed(unanswered);
  let response: Response;
  try {
    response = await fetch(name, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(question),
    });
  } catch {
    hasEnded = true;
    throw new Failed(unanswered);
  }
  if (response.ok) return response;
  throw new Failed({ code: `status_${response.status}`, message: await response.text() });
}

async function* lines(response: Response): AsyncGenerator<string, void> {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    // A connection that broke off has no more lines either.
    const { done, value } = (await reader?.read().catch(() => undefined)) ?? { done: true, value: undefined };
    if (done) return;
    const parts = (rest + value).split("\n");
    rest = parts.pop() ?? "";
    yield* parts;
  }
}
