/** The account that manages the pairs of the service account: an administrator's, or the service account itself. */
import type { LookerUser } from "../domain/account.ts";
import { UnusableSecret } from "./ports.ts";
import {
  RotationFailure,
  type RotationJob,
  type RotationPorts,
  type RotationReason,
} from "./rotation-job.ts";
import { type Conversation, withLogin } from "./rotation-login.ts";
import type { StoredPair } from "./rotation-ports.ts";

/** The pair that is current. @throws {RotationFailure} */
export async function currentPair(
  { versions }: Pick<RotationPorts, "versions">,
  secretId: string,
  malformed: RotationReason = "secret_malformed",
): Promise<StoredPair> {
  try {
    const pair = await versions.read(secretId, { stage: "AWSCURRENT" });
    if (pair) return pair;
    throw new RotationFailure(malformed, { detail: "no_value" });
  } catch (error) {
    if (!(error instanceof UnusableSecret)) throw error;
    throw new RotationFailure(malformed, { detail: error.reason });
  }
}

/** @param current the service account's pair, denied or not. It stands in for an administrator */
export async function withAdministrator<Result>(
  ports: RotationPorts,
  job: RotationJob,
  current: StoredPair,
  work: (looker: Conversation) => Promise<Result>,
): Promise<Result> {
  const { secretId, administratorId } = job.secret;
  const as =
    administratorId === undefined
      ? { secretId, pair: current, evenDenied: true }
      : {
          secretId: administratorId,
          pair: await currentPair(ports, administratorId, "administrator_malformed"),
        };
  return await withLogin(ports, job, { ...as, rejected: "administrator_rejected" }, work);
}

/** The account of the current pair. Without an administrator it is the one that is logged in. */
export async function serviceAccount(
  { users, pairs }: RotationPorts,
  { secret }: RotationJob,
  looker: Conversation,
  current: StoredPair,
): Promise<LookerUser> {
  return await looker.ask((baseUrl, token) =>
    secret.administratorId === undefined
      ? users.me(baseUrl, token)
      : pairs.ownerOf(baseUrl, token, current.clientId),
  );
}
