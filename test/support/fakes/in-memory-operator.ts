/** Operators and the sweeper over the fakes: the use cases, and the operator's HTTP interface. */

import { resources } from "../../../functions/contract.ts";
import { getAccount } from "../../../functions/http/account-routes.ts";
import { deleteDenial } from "../../../functions/http/denial-routes.ts";
import { deleteFreeze, deleteLeases, getLeases, putFreeze } from "../../../functions/http/operator-routes.ts";
import type { AuditFields } from "../../../functions/use-cases/record.ts";
import type { OperatePorts } from "../../../functions/use-cases/revoke-slots.ts";
import { sweep } from "../../../functions/use-cases/sweep.ts";
import { apiEvent, type Call, documentedFunction, roleIdentity } from "./api-function.ts";
import {
  account,
  scopes as allScopes,
  type CallerKey,
  callerKey,
  type InMemoryBroker,
  inMemoryBroker,
} from "./in-memory-broker.ts";
import { recorded } from "./recorded.ts";

export const oncall = roleIdentity("oncall", { uniqueId: "AROAONCALL0000000000" });

/** A caller of its own for each number: successors of one role, or of the role of another name. */
export function numberedCaller(number: number, role = "report-service", scope = "sales"): CallerKey {
  const uniqueId = `AROA${role.replaceAll("-", "").toUpperCase()}${String(number).padStart(8, "0")}`;
  return { ...callerKey(uniqueId, scope), callerArn: `arn:aws:iam::${account}:role/${role}` };
}

export function operatePorts(broker: InMemoryBroker): OperatePorts {
  return { ...broker.instance(), table: broker.table };
}

export async function sweepNow(broker: InMemoryBroker, { budgetMs = 52_000 } = {}) {
  const audit: AuditFields = {};
  const swept = await sweep(operatePorts(broker), { deadline: broker.clock.now() + budgetMs, audit });
  return { ...swept, audit };
}

type Query = Readonly<Record<string, string | readonly string[]>>;

/** As the gateway hands it over: each parameter with all of its values, and with the last of them. */
export const queryEvent = (query: Query = {}) => ({
  multiValueQueryStringParameters: Object.fromEntries(
    Object.entries(query).map(([name, value]) => [name, typeof value === "string" ? [value] : value]),
  ),
  queryStringParameters: Object.fromEntries(
    Object.entries(query).map(([name, value]) => [name, typeof value === "string" ? value : value.at(-1)]),
  ),
});

export function inMemoryOperator(broker = inMemoryBroker(), scopes = allScopes) {
  const ports = operatePorts(broker);
  const { audit, lines, leaseEnds } = recorded(broker.clock.now);
  const send = documentedFunction({
    scopes,
    routes: {
      [`GET ${resources.account}`]: { verb: "account", lock: "operators", handle: getAccount(ports) },
      [`GET ${resources.leases}`]: { verb: "list", lock: "operators", handle: getLeases(ports) },
      [`DELETE ${resources.leases}`]: {
        verb: "revoke",
        lock: "operators",
        handle: deleteLeases(ports, scopes),
      },
      [`PUT ${resources.freeze}`]: { verb: "freeze", lock: "operators", handle: putFreeze(ports) },
      [`DELETE ${resources.freeze}`]: { verb: "unfreeze", lock: "operators", handle: deleteFreeze(ports) },
      [`DELETE ${resources.denial}`]: {
        verb: "allow",
        lock: "operators",
        handle: deleteDenial(ports, scopes),
      },
    },
    audit,
  });
  const call = (given: Call = {}) => send(apiEvent({ identity: oncall, ...given }));
  return {
    broker,
    ports,
    lines,
    leaseEnds,
    call,
    list: (query: Query = {}, more: Call = {}) =>
      call({ method: "GET", resource: resources.leases, event: queryEvent(query), ...more }),
    account: (more: Call = {}) => call({ method: "GET", resource: resources.account, ...more }),
    revoke: (query: Query, more: Call = {}) =>
      call({ method: "DELETE", resource: resources.leases, event: queryEvent(query), ...more }),
    freeze: (reason: unknown = "incident 7", more: Call = {}) =>
      call({ method: "PUT", resource: resources.freeze, body: { reason }, ...more }),
    unfreeze: (more: Call = {}) => call({ method: "DELETE", resource: resources.freeze, ...more }),
    allow: (clientId: unknown = "clientOne", more: Call = {}) =>
      call({ method: "DELETE", resource: resources.denial, clientId, ...more }),
  };
}
