/** The first request: is there a broker, does it know the runner, and is the scope one of the runner's? */
import { CannotRun } from "./cannot-run.ts";
import type { Caller, GrantedScope } from "./context.ts";
import { type Answer, describeAnswer } from "./request.ts";
import type { Send } from "./send.ts";

interface Introduction {
  readonly caller: Caller;
  readonly scopes: readonly GrantedScope[];
}

export async function whoAmI(send: Send, endpoint: string, region: string): Promise<Introduction> {
  const answer = await send({ method: "GET", path: "/scopes" });
  const { caller, scopes } = answer.json as { caller?: Caller; scopes?: GrantedScope[] };
  const { arn, account, unique_id } = caller ?? {};
  const known =
    typeof arn === "string" &&
    /^\d{12}$/.test(account ?? "") &&
    /^A(?:ROA|IDA)[A-Z0-9]+$/.test(unique_id ?? "") &&
    Array.isArray(scopes);
  if (answer.status !== 200 || !caller || !known || !scopes)
    throw new CannotRun(whyNot(answer, endpoint, region));
  return { caller, scopes };
}

/** Messages are looked at and never repeated: some repeat what was signed. */
function whyNot(answer: Answer, endpoint: string, region: string): string {
  if (answer.status === 0)
    return `${endpoint} cannot be reached (${answer.failure}): check --endpoint, and the network, DNS or VPC endpoint on the way.`;
  const message = String(answer.json.message ?? answer.json.Message ?? "");
  const errorType = answer.headers["x-amzn-errortype"] ?? "";
  if (/valid region/.test(message))
    return `The API is not in the region ${region}: give its own with --region.`;
  if (/^Signature (?:expired|not yet current)/.test(message))
    return "This machine's clock is wrong by more than five minutes: set it right.";
  if (
    /security token/.test(message) ||
    /^(?:UnrecognizedClient|ExpiredToken|InvalidSignature)/.test(errorType)
  )
    return "AWS does not accept these credentials: sign in again, or set AWS_PROFILE.";
  if (/^AccessDenied/.test(errorType))
    return "The runner's IAM policy does not allow GET /scopes: attach the scope's policy from the stack's outputs.";
  if (/^(?:MissingAuthenticationToken|Forbidden)/.test(errorType))
    return `There is no broker at ${endpoint}: give the endpoint with its stage, as the stack's output has it.`;
  return `${endpoint} did not say who the runner is, it answered ${describeAnswer(answer)}: check --endpoint, or the broker's logs.`;
}
