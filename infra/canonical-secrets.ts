/** One identity for each secret, however the scopes spell it. */
import { Token } from "aws-cdk-lib";
import type { ScopeDefinitions } from "../functions/domain/scope.ts";
import type { SecretDefinition, SecretReference } from "../functions/domain/scope-secret.ts";

/**
 * A secret of the broker's own account goes by its name. What is known of a secret (rejected versions, denied client ids) is
 * kept under its identity: with two spellings, a client id that was denied under one could be used again under the other.
 *
 * In a stack without an account this cannot be told at synthesis; there the functions refuse to start (functions/wiring.ts).
 */
export function canonicalSecrets(
  scopes: ScopeDefinitions,
  { account, region }: { account: string; region: string },
): ScopeDefinitions {
  if (Token.isUnresolved(account) || Token.isUnresolved(region)) return scopes;
  const canonical = <Reference extends SecretReference>(secret: Reference): Reference => {
    const [, , , arnRegion, arnAccount, , name] = secret.secretArn?.split(":") ?? [];
    if (name === undefined || arnRegion !== region || arnAccount !== account) return secret;
    const { secretArn: _, ...others } = secret;
    // Secrets Manager ends an ARN with a hyphen and six random characters.
    return { ...others, secretName: name.slice(0, -7) } as Reference;
  };
  const withAdministrator = (secret: SecretDefinition): SecretDefinition => {
    const { rotation } = secret;
    if (rotation?.administrator === undefined) return secret;
    return { ...secret, rotation: { ...rotation, administrator: canonical(rotation.administrator) } };
  };
  return Object.fromEntries(
    Object.entries(scopes).map(([name, scope]) => [
      name,
      { ...scope, secret: withAdministrator(canonical(scope.secret)) },
    ]),
  );
}
