/** Mistakes in secrets with several uses: by two scopes, or by a scope and its rotation. */
import { type ScopeSecret, secretArnShape } from "./scope-secret.ts";

interface SecretOwner extends ScopeSecret {
  readonly name: string;
  readonly baseUrl: string;
}

/** A secret in one of its uses. */
interface UsedSecret {
  readonly scope: SecretOwner;
  readonly secretId: string;
  /** As written, for people. */
  readonly field: "secret" | "secret.rotation.administrator";
}

/**
 * One secret belongs to one Looker URL, because a second URL would be sent the first one's client secret. All scopes must
 * spell the secret the same way: its lock-out guard is kept under this spelling, so two spellings would be two guards.
 */
export function sharedSecretErrors(scopes: readonly SecretOwner[]): string[] {
  const all = scopes.flatMap(secretsOf);
  return all.flatMap((used) => {
    // At the latest, it is found itself.
    const twin = all.find((other) => isSame(other.secretId, used.secretId)) ?? used;
    return [...contradictions(used, twin), ...rotationErrors(used, scopes)];
  });
}

const secretsOf = (scope: SecretOwner): UsedSecret[] => {
  const administratorId = scope.rotation?.administratorId;
  const own: UsedSecret = { scope, secretId: scope.secretId, field: "secret" };
  if (administratorId === undefined) return [own];
  return [own, { scope, secretId: administratorId, field: "secret.rotation.administrator" }];
};

const nameOf = (secretId: string) => secretArnShape.exec(secretId)?.[1] ?? secretId;
const isSame = (one: string, other: string) =>
  one.startsWith("arn:") && other.startsWith("arn:") ? one === other : nameOf(one) === nameOf(other);

function contradictions(used: UsedSecret, twin: UsedSecret): string[] {
  const where = placeOf(used);
  const other = `the ${twin.field} of scope ${JSON.stringify(twin.scope.name)}`;
  const errors: string[] = [];
  if (twin.scope.baseUrl !== used.scope.baseUrl)
    errors.push(
      `${where}: is also ${other}, which has another lookerUrl ` +
        `(${twin.scope.baseUrl}, not ${used.scope.baseUrl}). One secret belongs to one Looker`,
    );
  if (twin.secretId !== used.secretId)
    errors.push(`${where}: is ${other} too. Write it the same way in both`);
  if (twin.field !== used.field)
    errors.push(`${where}: is ${other}. Callers must not get an administrator's tokens`);
  return errors;
}

/** A scope without a rotation follows another scope of its secret. */
function rotationErrors({ scope, secretId, field }: UsedSecret, scopes: readonly SecretOwner[]): string[] {
  const { rotation } = scope;
  if (field !== "secret" || rotation === undefined) return [];
  const first = scopes.find((other) => other.rotation && isSame(other.secretId, secretId)) ?? scope;
  const isEqual =
    first.rotation?.everyDays === rotation.everyDays &&
    first.rotation.administratorId === rotation.administratorId;
  if (isEqual) return [];
  return [
    `${placeOf({ scope, field })}.rotation: differs from the rotation of the same secret in scope ${JSON.stringify(first.name)}. A secret has one rotation`,
  ];
}

const placeOf = ({ scope, field }: Pick<UsedSecret, "scope" | "field">) =>
  `scope ${JSON.stringify(scope.name)}: ${field}`;
