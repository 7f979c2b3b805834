/** An operator denies a client id to logins, and takes that back. It reaches all scopes and callers of the secret. */
import {
  allowClientId,
  denyClientId,
  hasWorked,
  isDenied,
  isInUse,
  maxDeniedClientIds,
  type SecretControl,
} from "../domain/control.ts";
import { Problem } from "../domain/problem.ts";
import { commit } from "./commit.ts";
import type { OperateJob, OperatePorts } from "./revoke-slots.ts";

/** No login is made with the client id any more, or would be. */
export interface Denial {
  /** By the newest version of the secret that worked: callers get no new leases until there is another pair. */
  readonly inUse: boolean;
}

/** @returns undefined if there is no room for another denial. */
export async function deny(
  ports: OperatePorts,
  { scope, deadline, audit }: OperateJob,
  clientId: string,
): Promise<Denial | undefined> {
  return await commit(
    ports.table.secretControls,
    scope.secretId,
    (control, now) => {
      noteClientId(audit, control, clientId);
      const next = denyClientId(control, clientId, now);
      return { next, outcome: denialOf(next ?? control, clientId) };
    },
    { ...ports, deadline },
  );
}

/** As {@link deny} would answer. Writes nothing. */
export async function foreseeDenial(
  { table, clock }: OperatePorts,
  { scope, audit }: OperateJob,
  clientId: string,
): Promise<Denial | undefined> {
  const control = await table.secretControls.read(scope.secretId);
  noteClientId(audit, control, clientId);
  return denialOf(denyClientId(control, clientId, clock.now()) ?? control, clientId);
}

/**
 * The way back. A caller who may do it operates every scope of the secret.
 * @returns whether the client id was denied before
 */
export async function allowClient(ports: OperatePorts, job: OperateJob, clientId: string): Promise<boolean> {
  const { scope, deadline, audit } = job;
  const outcome = await commit(
    ports.table.secretControls,
    scope.secretId,
    (control, now) => {
      noteClientId(audit, control, clientId);
      return allowClientId(control, clientId, now);
    },
    { ...ports, deadline },
  );
  if (outcome === "retired")
    throw new Problem("bad_request", {
      reason: "pair_retired",
      detail:
        "client_id: the rotation of the secret has retired this pair, and that stays. Rotate the secret, or store another pair.",
    });
  audit.outcome = "allowed";
  return outcome === "allowed";
}

export const noRoomDetail = `the client id could not be denied: ${maxDeniedClientIds} of this secret are. Freeze the scope, or replace the secret.`;

const denialOf = (control: SecretControl, clientId: string): Denial | undefined =>
  isDenied(control, clientId) ? { inUse: isInUse(control, clientId) } : undefined;

/** Only if Looker has taken it. Anything else may be a pasted secret. */
function noteClientId(audit: OperateJob["audit"], control: SecretControl, clientId: string): void {
  if (hasWorked(control, clientId)) audit.client_id = clientId;
}
