/** The template's KMS keys. */
import type { PolicyDocument } from "./policy-document.ts";
import type { ResolvedResource } from "./resources.ts";

export interface LocalKey {
  readonly arn: string;
  /** With the `alias/` in front. */
  readonly aliases: readonly string[];
  readonly policy?: PolicyDocument;
}

export function readKey(
  { physical, properties }: ResolvedResource,
  aliases: readonly ResolvedResource[],
): LocalKey {
  const { KeyPolicy: policy } = properties as { KeyPolicy?: PolicyDocument };
  return {
    arn: physical.attributes.Arn ?? "",
    aliases: aliases
      .filter(({ properties: { TargetKeyId: target } }) =>
        [physical.ref, physical.attributes.Arn].includes(String(target)),
      )
      .map((alias) => alias.physical.ref),
    ...(policy === undefined ? {} : { policy }),
  };
}
