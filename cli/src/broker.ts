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
import { localPrincipal, type Need, readBrokerFile } from "./broker-file.ts";
import { throwOn } from "./lost-answer.ts";
import type { Values } from "./options.ts";
import { UsageError } from "./usage-error.ts";

export interface Broker {
  readonly endpoint: string;
  readonly region: string;
  /** The body of the answer. For what can be repeated: a lost answer is asked for again. */
  // biome-ignore lint/suspicious/noExplicitAny: JSON, as docs/reference/openapi.yaml has it; each command states what it reads.
  ask(request: BrokerRequest & { budgetMs?: number }): Promise<any>;
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

export function brokerOf(values: Values, need: Need): Broker {
  const connection = connect(connectionOptions(values, need));
  const clock = brokerClock(Date.now, () => performance.now());
  const send = async (request: BrokerRequest) => {
    const { body, date } = await callBroker(connection, request).catch(atOnce);
    checkAnswer(request, body);
    clock.learn(date);
    return body;
  };
  return {
    endpoint: connection.endpoint.href,
    region: connection.region,
    ask: ({ budgetMs, ...request }) =>
      withRetries((timeoutMs) => send({ ...request, timeoutMs }), { budgetMs, signal: request.signal }),
    askOnce: (request) =>
      withRetries(() => send({ ...request, timeoutMs: onceMs }).catch(throwOn), {
        budgetMs: onceMs,
        signal: request.signal,
      }),
    now: clock.now,
  };
}

/** Somebody sits there: a wrong endpoint is told now, not after half a minute. */
function atOnce(error: unknown): never {
  if (!(error instanceof TokenBrokerError) || error.code !== "unreachable") throw error;
  throw new TokenBrokerError(error.code, error.message, { hint: error.hint, retryable: false });
}

export function connectionOptions(values: Values, need: Need): ConnectionOptions {
  if (!values.local) {
    if (values.as !== undefined)
      throw new UsageError("--as names a principal of the local broker: add --local.");
    return { endpoint: values.endpoint, region: values.region };
  }
  if (values.endpoint !== undefined || values.region !== undefined)
    throw new UsageError("--local finds endpoint and region by itself: leave --endpoint and --region out.");
  const broker = readBrokerFile(process.cwd());
  const { access_key_id, secret_access_key, session_token } = localPrincipal(broker, values.as, need);
  return {
    endpoint: broker.endpoint,
    region: broker.region,
    credentials: {
      accessKeyId: access_key_id,
      secretAccessKey: secret_access_key,
      ...(session_token === undefined ? {} : { sessionToken: session_token }),
    },
  };
}

export function scopeOf(values: Values): string {
  const scope = values.scope ?? process.env.LOOKER_BROKER_SCOPE;
  if (!scope) throw new UsageError("Which scope? Pass --scope NAME, or set LOOKER_BROKER_SCOPE.");
  if (!isScopeName(scope)) throw new UsageError(scopeNameRule);
  return scope;
}
