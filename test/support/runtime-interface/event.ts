/** What invokes a function of the local broker's template. */
import { randomUUID } from "node:crypto";
import type { RunningBroker } from "../../../local/broker.ts";
import { buildEvent, type ProxyEvent } from "../../../local/gateway/event.ts";
import { matchRoute } from "../../../local/gateway/routes.ts";
import type { LocalFunction } from "../../../local/stack/functions.ts";

export function definitionOf({ stack }: RunningBroker, functionId: string): LocalFunction {
  const definition = stack.functions.find(({ id }) => id === functionId);
  if (!definition) throw new Error(`The template has no function ${functionId}.`);
  return definition;
}

/** As API Gateway builds it for a request that this principal has signed. */
export function eventOf(
  { stack, principals, region }: RunningBroker,
  principalName: string,
  method: string,
  pathAndQuery: string,
  body?: object,
): ProxyEvent {
  const found = principals.find(({ name }) => name === principalName);
  const [path = "", rawQuery = ""] = pathAndQuery.split("?");
  const match = matchRoute(stack.routes, method, path);
  if (!found || match === undefined) throw new Error(`No ${principalName} for ${method} ${path}.`);
  const event = buildEvent(
    {
      method,
      rawPath: `/${stack.stage}${path}`,
      rawQuery,
      headers: [["host", `${stack.apiId}.execute-api.${region}.amazonaws.com`]],
      body: Buffer.from(body === undefined ? "" : JSON.stringify(body)),
      sourceIp: "203.0.113.9",
      protocol: "HTTP/1.1",
    },
    {
      match,
      path,
      principal: { ...found, allow: [...found.allow] },
      partition: "aws",
      region,
      accountId: found.accountId,
      apiId: stack.apiId,
      stage: stack.stage,
      requestId: randomUUID(),
      extendedRequestId: "JKJaXmPLvHcESHA=",
      trace: "Root=1-5759e988-bd862e3fe1be46a994272793",
      now: new Date(),
    },
  );
  if (!event) throw new Error(`${pathAndQuery} does not decode.`);
  return event;
}
