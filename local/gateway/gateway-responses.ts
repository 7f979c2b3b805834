/**
 * What an API's owner makes of the answers that API Gateway gives by itself.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-gatewayResponse-definition.html
 */
import type { GatewayResponses } from "../stack/gateway-responses.ts";
import type { GatewayReply, Refusal } from "./refusals.ts";
import { responseTypes } from "./response-types.ts";

/** What a template may name beside the refusal itself. */
export interface RequestVariables {
  readonly requestId: string;
  readonly extendedRequestId: string;
  readonly apiId: string;
  readonly stage: string;
}

/**
 * "Simple variable substitution", no VTL. `messageString` is the message with its quotes.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-variables-for-access-logging.html
 */
const variables: Record<string, (refusal: Refusal, request: RequestVariables) => string> = {
  "$context.error.message": ({ message }) => message,
  "$context.error.messageString": ({ message }) => JSON.stringify(message),
  "$context.error.responseType": ({ responseType }) => responseType ?? "",
  "$context.requestId": (_, { requestId }) => requestId,
  "$context.extendedRequestId": (_, { extendedRequestId }) => extendedRequestId,
  "$context.apiId": (_, { apiId }) => apiId,
  "$context.stage": (_, { stage }) => stage,
};

/** Every use of a variable, known here or not. */
const variable = /\$\w*(?:\.\w+)*/g;

/** At the start, since a gateway response that is passed over would show in no answer but a failed one. */
export function checkGatewayResponses(responses: GatewayResponses): void {
  for (const [type, { status, templates }] of Object.entries(responses)) {
    if (!responseTypes.some((known) => known === type))
      throw new Error(`${type} is no gateway response type`);
    if (status !== undefined && !(Number.isInteger(status) && status >= 100 && status <= 599))
      throw new Error(`${type}: ${status} is no status code`);
    if (Object.keys(templates).length > 1)
      throw new Error(`${type}: templates of several content types are not supported here`);
    for (const [used] of Object.values(templates).flatMap((text) => [...text.matchAll(variable)]))
      if (!Object.hasOwn(variables, used))
        throw new Error(`${type}: the template variable ${used} is not supported here`);
  }
}

/**
 * The refusal as the client gets it: by the gateway response of its own type, else by DEFAULT_4XX or DEFAULT_5XX, else as
 * it is. `x-amzn-ErrorType` stays either way.
 */
export function customize(
  refusal: Refusal,
  responses: GatewayResponses,
  request: RequestVariables,
): GatewayReply {
  const { responseType } = refusal;
  if (responseType === undefined) return refusal;
  const response = responses[responseType] ?? responses[refusal.status < 500 ? "DEFAULT_4XX" : "DEFAULT_5XX"];
  if (!response) return refusal;
  const [template] = Object.entries(response.templates);
  const set: [string, string][] = [
    ...Object.entries(response.headers),
    ...(template ? [["Content-Type", template[0]] satisfies [string, string]] : []),
  ];
  const isSet = (name: string) => set.some(([other]) => other.toLowerCase() === name.toLowerCase());
  return {
    // Not the status that the guide gives for the type: README.md, "Captured from AWS".
    status: response.status ?? refusal.status,
    headers: [...refusal.headers.filter(([name]) => !isSet(name)), ...set],
    body: template
      ? template[1].replaceAll(variable, (used) => variables[used]?.(refusal, request) ?? used)
      : refusal.body,
  };
}
