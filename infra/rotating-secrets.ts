/** The secrets of a broker's scopes that Secrets Manager rotates. */
import type { ScopeDefinitions } from "../functions/domain/scope.ts";
import type { RotationDefinition, SecretReference } from "../functions/domain/scope-secret.ts";

export interface RotatingSecret extends SecretReference {
  readonly secretName: string;
  readonly rotation: RotationDefinition;
}

/** Each once, after `canonicalSecrets`. Scopes may share a secret: any of them may have its rotation, and any its key. */
export function rotatingSecrets(definitions: ScopeDefinitions): RotatingSecret[] {
  const secrets = Object.values(definitions).map(({ secret }) => secret);
  const names = new Set(secrets.filter(({ rotation }) => rotation).map(({ secretName }) => secretName));
  return [...names].flatMap((secretName) => {
    const uses = secrets.filter((secret) => secret.secretName === secretName);
    const rotation = uses.find((secret) => secret.rotation)?.rotation;
    const key = uses.find(({ encryptionKeyArn }) => encryptionKeyArn)?.encryptionKeyArn;
    if (secretName === undefined || rotation === undefined) return [];
    return [{ secretName, rotation, ...(key === undefined ? {} : { encryptionKeyArn: key }) }];
  });
}
