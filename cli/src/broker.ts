/** The broker, as the options and the environment name it, with the long waiting that it leaves to its clients. */
import {
  type BrokerRequest,
  type ConnectionOptions,
  callBroker,
  connect,
  isScopeName,
  scopeNameRule,
  TokenBrokerError,
  withRetries,
} from "@looker-token-broker/client/broker";
import { checkAnswer } from "./answer-shape.ts";
import { brokerClock } from "./broker-clock.ts";
import { findLocalBroker, keysOf, localPrincipal, type RequiredGrant } from "./broker-file.ts";
import { throwLostAnswer } from "./lost-answer.ts";
import type { OptionValues } from "./options.ts";
import { safeJson } from "./safe-text.ts";
import type { Terminal } from "./terminal.ts";
import { UsageError } from "./usage-error.ts";
import { withNotes } from "./waiting-note.ts";

export interface Broker {
  readonly endpoint: string;
  readonly region: string;
  /** The body of the answer. For what can be repeated: a lost answer is asked for again. */
  // biome-ignore lint/suspicious/noExplicitAny: JSON, as docs/reference/openapi.yaml has it; each command states what it reads.
  ask(request: BrokerRequest): Promise<any>;
  /**
   * For what a repetition would do to more than was meant, or would answer differently: sent again only where it was
   * certainly not done. Throws {@link LostAnswer} where it may have been.
   */
  // biome-ignore lint/suspicious/noExplicitAny: as above.
  askOnce(request: BrokerRequest): Promise<any>;
  /** The broker's clock, milliseconds since 1970. */
  now(): number;
}

/** API Gateway answers within 29 s: https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html */
const onceMs = 30_000;

export function brokerOf(io: Terminal, values: OptionValues, grant: RequiredGrant): Broker {
  const connection = connect(connectionOptions(values, grant));
  const clock = brokerClock(Date.now, () => performance.now());
  const send = async (request: BrokerRequest) => {
    const { body, date } = await callBroker(connection, request).catch(withoutRetry);
    checkAnswer(request, body);
    clock.learn(date);
    return safeJson(body);
  };
  return {
    endpoint: connection.endpoint.href,
    region: connection.region,
    ask: ({ timeoutMs, ...request }) =>
      withNotes(io, (onRetry) =>
        withRetries((attemptMs) => send({ ...request, timeoutMs: attemptMs }), {
          timeoutMs,
          signal: request.signal,
          onRetry,
        }),
      ),
    askOnce: (request) =>
      withNotes(io, (onRetry) =>
        withRetries(() => send({ ...request, timeoutMs: onceMs }).catch(throwLostAnswer), {
          timeoutMs: onceMs,
          signal: request.signal,
          onRetry,
        }),
      ),
    now: clock.now,
  };
}

/** Somebody sits there: a wrong endpoint is told now, not after half a minute. */
function withoutRetry(error: unknown): never {
  if (!(error instanceof TokenBrokerError) || error.code !== "unreachable") throw error;
  const { code, summary, hint, cause } = error;
  throw new TokenBrokerError(code, summary, { hint, cause, retryable: false });
}

export function connectionOptions(values: OptionValues, grant: RequiredGrant): ConnectionOptions {
  if (!values.local) {
    if (values.as !== undefined)
      throw new UsageError("--as names a principal of the local broker.", { hint: "Add --local." });
    return { endpoint: values.endpoint, region: values.region };
  }
  if (values.endpoint !== undefined || values.region !== undefined)
    throw new UsageError("--local finds endpoint and region by itself.", {
      hint: "Leave --endpoint and --region out.",
    });
  const broker = findLocalBroker(process.cwd());
  return {
    endpoint: broker.endpoint,
    region: broker.region,
    credentials: keysOf(localPrincipal(broker, values.as, grant)),
  };
}

export function scopeOf(values: OptionValues): string {
  const scope = values.scope ?? process.env.LOOKER_BROKER_SCOPE;
  if (!scope)
    throw new UsageError("Which scope?", { hint: "Pass --scope NAME, or set LOOKER_BROKER_SCOPE." });
  if (!isScopeName(scope)) throw new UsageError(scopeNameRule, { hint: "Correct the name of the scope." });
  return scope;
}
