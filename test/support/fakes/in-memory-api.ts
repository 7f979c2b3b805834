/** The callers' HTTP interface over fakes: API Gateway's events in, answers and audit lines out. */
import { resources } from "../../../functions/contract.ts";
import { getScopes, postLogout, postToken } from "../../../functions/http/caller-routes.ts";
import { apiEvent, type Call, documentedFunction } from "./api-function.ts";
import { inMemoryBroker, scopes } from "./in-memory-broker.ts";
import { recorded } from "./recorded.ts";

export function inMemoryApi(broker = inMemoryBroker()) {
  const { audit, lines, mints, leaseEnds } = recorded(broker.clock.now);
  const send = documentedFunction({
    routes: {
      [`POST ${resources.token}`]: { verb: "token", lock: "callers", handle: postToken(broker.first) },
      [`POST ${resources.logout}`]: { verb: "logout", lock: "callers", handle: postLogout(broker.first) },
      [`GET ${resources.scopes}`]: { verb: "scopes", lock: "any", handle: getScopes(scopes) },
    },
    audit,
  });
  return {
    broker,
    lines,
    mints,
    leaseEnds,
    send,
    call: (call: Call = {}) => send(apiEvent(call), call.context),
    token: (call: Call = {}) => send(apiEvent(call)),
    logOut: (call: Call = {}) => send(apiEvent({ ...call, resource: resources.logout })),
  };
}
