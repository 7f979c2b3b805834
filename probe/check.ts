/** A check as data: what is tried, and which answer is no surprise. */
import { type Answer, type Depth, depthOf, depths, describeAnswer, type ProbeRequest } from "./request.ts";
import type { Send } from "./send.ts";

export interface Check {
  readonly what: string;
  readonly request: ProbeRequest;
  /** Asked first, for an expectation that compares. */
  readonly baseline?: ProbeRequest;
  readonly expect: Expectation;
}

export interface Expectation {
  readonly words: string;
  /** What is wrong with the answer, in a few words ("" where the answer says it); undefined: nothing. */
  surprise(answer: Answer, baseline: Answer): string | undefined;
}

/** What could be checked, and with which flag. */
export interface NotTried {
  readonly what: string;
  readonly flag: string;
}

export interface Result {
  readonly what: string;
  readonly expected: string;
  readonly seen: string;
  readonly outcome: "expected" | "surprise" | "not tried";
}

export interface Section {
  readonly title: string;
  readonly results: readonly Result[];
}

export const isCheck = (each: Check | NotTried): each is Check => "request" in each;

export async function runCheck(send: Send, check: Check | NotTried): Promise<Result> {
  if (!isCheck(check)) return notTried(check);
  const { what, request, baseline, expect } = check;
  const compared = baseline ? await send(baseline) : undefined;
  const answer = await send(request);
  const seen =
    compared && describeAnswer(compared) !== describeAnswer(answer)
      ? `${describeAnswer(answer)}, beside ${describeAnswer(compared)}`
      : describeAnswer(answer);
  return result(what, expect.words, seen, expect.surprise(answer, compared ?? answer));
}

export const notTried = ({ what, flag }: NotTried): Result => ({
  what,
  expected: "",
  seen: `not tried: give ${flag}`,
  outcome: "not tried",
});

export const result = (
  what: string,
  expected: string,
  seen: string,
  surprise: string | undefined,
): Result => ({
  what,
  expected,
  seen: surprise ? `${seen}: ${surprise}` : seen,
  outcome: surprise === undefined ? "expected" : "surprise",
});

const surpriseUnless = (fine: boolean, answer: Answer): string | undefined =>
  fine ? undefined : depthOf(answer) === "let in" ? "let in" : "";

/** The first lock: nothing of the broker's has run. */
export const gatewayRefuses: Expectation = {
  words: "403 by API Gateway",
  surprise: (answer) => {
    const depth = depthOf(answer);
    if (depth === "refused by the broker") return "API Gateway let it through";
    return surpriseUnless(answer.status === 403 && depth === "refused by API Gateway", answer);
  },
};

/** Either lock. */
export const refused: Expectation = {
  words: "403",
  surprise: (answer) => surpriseUnless(answer.status === 403 && depthOf(answer) !== "let in", answer),
};

export const answersWith = (status: number, code?: string): Expectation => ({
  words: [status, code].filter((word) => word !== undefined).join(" "),
  surprise: ({ status: seen, json }) => (seen === status && json.code === code ? undefined : ""),
});

/** An odd spelling of a path is refused, or comes as far as the plain one. */
export const noFurther: Expectation = {
  words: "no further than the plain path",
  surprise: (answer, plain) => {
    const [odd, usual] = [depthOf(answer), depthOf(plain)];
    if (odd === "failed" || usual === "failed") return "";
    return rank(odd) > rank(usual) ? `${odd}, the plain path is ${usual}` : undefined;
  },
};

const rank = (depth: Depth) => depths.indexOf(depth);

/** Two refusals that differ in nothing but the request and the scope's name. */
export const sameRefusal = (name: string, otherName: string): Expectation => ({
  words: "403, the same as for no such scope",
  surprise: (answer, baseline) => {
    const refusal = refused.surprise(answer, answer) ?? refused.surprise(baseline, baseline);
    if (refusal !== undefined) return refusal;
    // The runner's own IAM policy may allow one name and not the other; the broker has then told it nothing.
    if (depthOf(answer) !== depthOf(baseline)) return undefined;
    return comparable(answer, name) === comparable(baseline, otherName) ? undefined : "the answers differ";
  },
});

function comparable({ status, headers, json }: Answer, scopeName: string): string {
  const body = JSON.stringify({ ...json, request_id: "" }).replaceAll(`/${scopeName}/`, "/{scope}/");
  return JSON.stringify([status, headers["content-type"], body]);
}
