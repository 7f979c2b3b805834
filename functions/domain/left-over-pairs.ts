/** Pairs left at Looker by an earlier run of a rotation, told apart from the pairs of everybody else. Pure. */
import type { CreatedPair } from "./rotation.ts";

/** A pair as Looker lists it. */
export interface ListedPair {
  readonly id: string;
  readonly clientId: string;
  readonly createdAt?: number | undefined;
  readonly purpose?: string | undefined;
}

export interface LeftOver<Pair> {
  /** The broker's own, and nobody was ever given their secret. */
  readonly remove: readonly Pair[];
  /** The broker's own, of a version that was stored: somebody may have used them. */
  readonly retire: readonly { readonly pair: Pair; readonly versionId: string }[];
  /** One of them is perhaps the broker's own. Where Looker's clock is wrong, there may be one alone. */
  readonly ambiguous: readonly Pair[];
}

/** The largest difference of Looker's clock and the broker's, with the time of a request. */
const createdWithinMs = 60_000;

/**
 * Looker shows this text with the pair. The ARN is the secret's alone: another broker with the same names, in another account,
 * marks other pairs.
 */
export const purposeOf = (broker: string, secretArn: string, versionId: string): string =>
  `looker-token-broker ${broker} ${secretArn} ${versionId}`;

/** The version of the secret for this pair. */
export function markedVersion(purpose: string | undefined, secretArn: string): string | undefined {
  const words = purpose?.split(" ") ?? [];
  return words[0] === "looker-token-broker" && words.at(-2) === secretArn ? words.at(-1) : undefined;
}

/** @param run.versionId the version about to be made, without a value yet */
export function leftOverPairs<Pair extends ListedPair>(
  listed: readonly Pair[],
  run: {
    readonly versionId: string;
    readonly secretArn: string;
    readonly created: CreatedPair | undefined;
    /** In use, or retiring already. */
    readonly isTaken: (clientId: string) => boolean;
  },
): LeftOver<Pair> {
  const { created, versionId, secretArn } = run;
  const remove: Pair[] = [];
  const retire: { pair: Pair; versionId: string }[] = [];
  const fresh: Pair[] = [];
  for (const pair of listed) {
    if (run.isTaken(pair.clientId)) continue;
    const isNoted = created?.pairId === pair.id;
    const madeFor = isNoted ? created.versionId : markedVersion(pair.purpose, secretArn);
    if (madeFor === versionId) remove.push(pair);
    else if (madeFor !== undefined) retire.push({ pair, versionId: madeFor });
    else if (created && isFresh(pair, created)) fresh.push(pair);
  }
  const candidates = fresh.filter((pair) => created && isOfItsTime(pair, created));
  return candidates.length === 1
    ? { remove: [...remove, ...candidates], retire, ambiguous: [] }
    : { remove, retire, ambiguous: candidates.length > 1 ? candidates : fresh };
}

/** The run was killed before it noted the pair: new and unmarked. */
const isFresh = ({ id, purpose }: ListedPair, { pairId, before }: CreatedPair): boolean =>
  pairId === undefined && purpose === undefined && !before.includes(id);

const isOfItsTime = ({ createdAt }: ListedPair, { at }: CreatedPair): boolean =>
  createdAt !== undefined && Math.abs(createdAt - at) <= createdWithinMs;
