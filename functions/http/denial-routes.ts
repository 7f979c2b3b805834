/** A denied client id is allowed again: HTTP ↔ use case. */
import { firstNotOperated, scopesOfSecret } from "../domain/authorize.ts";
import { Problem } from "../domain/problem.ts";
import type { Scope, Scopes } from "../domain/scope.ts";
import { allowClient, type Denial } from "../use-cases/denials.ts";
import type { OperatePorts } from "../use-cases/revoke-slots.ts";
import { json, type ProxyResult } from "./answer.ts";
import { readBody, refuseQuery } from "./api-event.ts";
import { notListed, type ScopedRequest } from "./api-handler.ts";

/** `DELETE /scopes/{scope}/denials/{client_id}`. */
export const deleteDenial =
  (ports: OperatePorts, scopes: Scopes) =>
  async (request: ScopedRequest): Promise<ProxyResult> => {
    const { event, scope, principal, audit } = request;
    // Every scope of the secret logs in again, so an operator of one alone does not decide for the others.
    const foreign = firstNotOperated(scopes, scope, principal);
    if (foreign)
      throw notListed(
        audit,
        "operators",
        foreign.operators.map(({ text }) => text),
        {
          reason: "not_in_operators_of_all",
          detail: `This secret is also used by ${foreign.name}. The call is for operators of all its scopes.`,
        },
      );
    refuseQuery(event);
    readBody(event, []);
    const { clientId } = event;
    // Characters that a path never has to escape.
    if (clientId === undefined || !/^[\w.~-]{1,256}$/.test(clientId))
      throw new Problem("bad_request", { detail: "client_id: must be a Looker client id." });
    const wasDenied = await allowClient(request.timings.of(ports), request, clientId);
    return json(200, { denied: false, was_denied: wasDenied });
  };

/** The reach of a denial. */
export const denialFields = (scopes: Scopes, { secretId }: Scope, denial: Denial | undefined): object =>
  denial
    ? {
        denial: {
          scopes: scopesOfSecret(scopes, secretId).map(({ name }) => name),
          in_use: denial.inUse,
        },
      }
    : {};
