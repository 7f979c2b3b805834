/** Mistakes in scopes that take the broker's account and region to see. */
import { Annotations, Stack, Token } from "aws-cdk-lib";
import type { Construct } from "constructs";
import { parseScopes, type ScopeDefinitions, type Scopes } from "../functions/domain/scope.ts";
import type { SecretReference } from "../functions/domain/scope-secret.ts";
import { canonicalSecrets } from "./canonical-secrets.ts";
import { rotatingSecrets } from "./rotating-secrets.ts";
import { isPlainObject } from "./setting-checks.ts";
import { errorsIn } from "./written-scopes.ts";

export interface CheckedScopes {
  /** Each secret with one identity. Written next to the bundles. */
  readonly definitions: ScopeDefinitions;
  readonly scopes: Scopes;
}

interface Place {
  readonly account: string;
  readonly region: string;
}

/** Every error in the scopes, each once. */
export function scopeErrors(written: unknown, place: Place): string[] {
  const asWritten = errorsIn(written);
  if (!isPlainObject(written)) return [...asWritten];
  // The secrets of sound scopes are looked at even if another scope has a mistake.
  const sound = Object.fromEntries(
    Object.entries(written).filter(([name, scope]) => errorsIn({ [name]: scope }).length === 0),
  ) as ScopeDefinitions;
  const definitions = canonicalSecrets(sound, place);
  const all = [
    ...asWritten,
    ...(asWritten.length === 0 ? errorsIn(definitions) : []),
    ...unreadableSecrets(definitions, place.region),
    ...foreignRotations(definitions, place.account),
    ...tooManyRotations(definitions),
    ...contradictoryKeys(definitions),
  ];
  return [...new Set(all)];
}

/** Of scopes without errors. Warns of those that share a secret. */
export function checkedScopes(written: ScopeDefinitions, broker: Construct): CheckedScopes {
  const definitions = canonicalSecrets(written, Stack.of(broker));
  const scopes = parseScopes(definitions);
  warnOfSharedSecrets(scopes, broker);
  return { definitions, scopes };
}

/** A secret as a scope names it. `place`: the scope with the field, for people. */
interface NamedSecret {
  readonly scope: string;
  readonly place: string;
  readonly secret: SecretReference;
}

function namedSecrets(definitions: ScopeDefinitions): NamedSecret[] {
  return Object.entries(definitions).flatMap(([name, { secret }]) => {
    const scope = `scope ${JSON.stringify(name)}`;
    const administrator = secret.rotation?.administrator;
    return [
      { scope, place: `${scope}: secret`, secret },
      ...(administrator
        ? [{ scope, place: `${scope}: secret.rotation.administrator`, secret: administrator }]
        : []),
    ];
  });
}

/** After `canonicalSecrets` an ARN is of another account. In a stack without an account, the functions refuse one of their own. */
function unreadableSecrets(definitions: ScopeDefinitions, region: string): string[] {
  return namedSecrets(definitions).flatMap(({ place, secret }) => {
    if (secret.secretArn === undefined) return [];
    const [, , , arnRegion, account] = secret.secretArn.split(":");
    if (!Token.isUnresolved(region) && arnRegion !== region)
      return [
        `${place}.secretArn: is in ${arnRegion}. Functions in ${region} read secrets of their own region`,
      ];
    if (secret.encryptionKeyArn === undefined)
      return [
        `${place}.encryptionKeyArn: is missing. The secret is of account ${account}, and a secret of another account needs a customer managed key`,
      ];
    return [];
  });
}

/** Secrets Manager lets an account rotate its own secrets alone. */
function foreignRotations(definitions: ScopeDefinitions, account: string): string[] {
  return Object.entries(definitions).flatMap(([name, { secret }]) => {
    if (secret.rotation === undefined || secret.secretArn === undefined) return [];
    const owner = secret.secretArn.split(":")[4];
    const advice = Token.isUnresolved(account)
      ? "Use secretName, or give the stack an account"
      : "The owner of the secret must rotate it there";
    return [
      `scope ${JSON.stringify(name)}: secret.rotation: is for secrets of the broker's account, and this one is of account ${owner}. ${advice}`,
    ];
  });
}

/**
 * Of the 20,480 characters of a function's policy a permission takes some 500 and the secret's name.
 * https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
 */
function tooManyRotations(definitions: ScopeDefinitions): string[] {
  const secrets = rotatingSecrets(definitions);
  const characters = secrets.reduce((sum, { secretName }) => sum + 550 + secretName.length, 0);
  if (characters <= 20_480) return [];
  return [
    `scopes: ${secrets.length} secrets rotate. The policy of a function has room for about 35: deploy a second broker for the others`,
  ];
}

/** A secret has one key. The role would be granted both. */
function contradictoryKeys(definitions: ScopeDefinitions): string[] {
  const first = new Map<string, { scope: string; key: string }>();
  return namedSecrets(definitions).flatMap(({ scope, place, secret }) => {
    const id = secret.secretArn ?? secret.secretName ?? "";
    const key = secret.encryptionKeyArn;
    if (key === undefined) return [];
    const twin = first.get(id);
    if (!twin) first.set(id, { scope, key });
    if (!twin || twin.key === key) return [];
    return [
      `${place}.encryptionKeyArn: differs from the key of the same secret in ${twin.scope} (${twin.key}). A secret has one key`,
    ];
  });
}

/** Allowed, for scopes that differ only in their callers. */
function warnOfSharedSecrets(scopes: Scopes, broker: Construct): void {
  const all = [...scopes.values()];
  for (const secretId of new Set(all.map((scope) => scope.secretId))) {
    const sharing = all.filter((scope) => scope.secretId === secretId);
    if (sharing.length > 1)
      Annotations.of(broker).addWarningV2(
        `looker-token-broker:shared-secret:${secretId}`,
        `The scopes ${sharing.map(({ name }) => name).join(", ")} share the secret ${secretId}. ` +
          "A client id that is denied in one of them is denied in all, and their tokens can do the same in Looker.",
      );
  }
}
