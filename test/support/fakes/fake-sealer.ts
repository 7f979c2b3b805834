import { isDeepStrictEqual } from "node:util";
import {
  type SealContext,
  type Sealer,
  Unavailable,
  Unreadable,
} from "../../../functions/use-cases/ports.ts";

export interface FakeSealer extends Sealer {
  readonly table: string;
  /** How often each was asked. */
  seals: number;
  unseals: number;
  /** While set, nothing is answered. */
  down: boolean;
}

/** Binds as KMS does: the ciphertext opens only with the very context under which it was made. */
export function fakeSealer(table = "table"): FakeSealer {
  const ask = () => {
    if (sealer.down) throw new Unavailable("kms");
  };
  const sealer: FakeSealer = {
    table,
    seals: 0,
    unseals: 0,
    down: false,
    async seal(token, identity) {
      sealer.seals++;
      ask();
      const context: SealContext = { table, ...identity };
      return new TextEncoder().encode(Buffer.from(JSON.stringify({ context, token })).toString("base64"));
    },
    async unseal(sealed, identity) {
      sealer.unseals++;
      ask();
      const { context, token } = open(sealed);
      if (!isDeepStrictEqual(context, { table, ...identity })) throw new Unreadable("another context");
      return token;
    },
  };
  return sealer;
}

function open(sealed: Uint8Array): { context: unknown; token: string } {
  try {
    return JSON.parse(Buffer.from(new TextDecoder().decode(sealed), "base64").toString("utf8"));
  } catch {
    throw new Unreadable("not a ciphertext");
  }
}
