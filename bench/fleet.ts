/**
 * A fleet in one process: instances with a memory of their own, one request at a time each, over one table whose calls take
 * real time. It measures what the protocol costs, not the machine's HTTP.
 */
import { randomIds, systemClock } from "../functions/adapters/system.ts";
import type { Scope } from "../functions/domain/scope.ts";
import { issueToken } from "../functions/use-cases/issue.ts";
import type { MintPorts } from "../functions/use-cases/mint-job.ts";
import type { ClientSecrets, Clock, Looker, Sealer, SlotKey } from "../functions/use-cases/ports.ts";
import { fakeSealer } from "../test/support/fakes/fake-sealer.ts";
import { memorySlotTable } from "../test/support/fakes/memory-slot-table.ts";

/** Medians as seen within a region, milliseconds; what matters are the ratios to them. */
export const delays = { table: 5, kms: 5, login: 500, logout: 20 };

export const scope: Scope = {
  name: "sales",
  baseUrl: "https://looker.example",
  secretId: "looker/sales",
  callers: [],
  operators: [],
  leaseSeconds: 900,
  mintsPerTenMinutes: 10,
  sessionMintsPerTenMinutes: 60,
};

export const keyOf = (uniqueId: string): SlotKey & { callerArn: string } => ({
  scope: scope.name,
  account: "111122223333",
  uniqueId,
  callerArn: `arn:aws:iam::111122223333:role/${uniqueId}`,
});

export interface Counts {
  table: number;
  kms: number;
  login: number;
  logout: number;
}

/** The shared outside: one table, one Looker, one KMS key. */
export function outside(logoutMs = delays.logout, clock: Clock = systemClock) {
  const counts: Counts = { table: 0, kms: 0, login: 0, logout: 0 };
  const table = memorySlotTable(clock);
  table.before = async () => {
    counts.table++;
    await clock.sleep(delays.table);
  };
  const looker: Looker = {
    async login() {
      counts.login++;
      await clock.sleep(delays.login);
      return { kind: "token", accessToken: `token-${counts.login}`, expiresInSeconds: 3_600 };
    },
    async logout() {
      counts.logout++;
      await clock.sleep(logoutMs);
      return "ended";
    },
  };
  const secrets: ClientSecrets = {
    current: async () => ({
      clientId: "client",
      clientSecret: "secret",
      versionId: "v1",
      readAt: clock.now(),
    }),
    reread: async () => ({
      clientId: "client",
      clientSecret: "secret",
      versionId: "v1",
      readAt: clock.now(),
    }),
  };
  return { counts, table, looker, secrets };
}

/** As the KMS adapter: each instance opens a ciphertext once. */
export function sealerOf(counts: Counts, clock: Clock = systemClock): Sealer {
  const kms = fakeSealer();
  const known = new Map<string, string>();
  return {
    async seal(token, context) {
      counts.kms++;
      await clock.sleep(delays.kms);
      const sealed = await kms.seal(token, context);
      known.set(Buffer.from(sealed).toString("base64"), token);
      return sealed;
    },
    async unseal(sealed, context) {
      const key = Buffer.from(sealed).toString("base64");
      const found = known.get(key);
      if (found !== undefined) return found;
      counts.kms++;
      await clock.sleep(delays.kms);
      const token = await kms.unseal(sealed, context);
      known.set(key, token);
      return token;
    },
  };
}

/** Sends all requests at once to a cold fleet, and once more when the lease is there. */
export async function crowdOf(
  requests: number,
  instances: number,
): Promise<{ counts: Counts; coldMs: number; hotMs: number }> {
  const { counts, table, looker, secrets } = outside();
  const fleet = Array.from(
    { length: instances },
    (): MintPorts => ({
      clock: systemClock,
      ids: randomIds,
      table,
      looker,
      secrets,
      sealer: sealerOf(counts),
    }),
  );
  const send = async () => {
    let left = requests;
    const startedAt = performance.now();
    await Promise.all(
      fleet.map(async (ports) => {
        while (left-- > 0) {
          const deadline = Date.now() + 28_000;
          const key = keyOf("CALLER");
          await issueToken(ports, {
            scope,
            key,
            callerArn: key.callerArn,
            minTtlSeconds: 60,
            deadline,
            audit: {},
          });
        }
      }),
    );
    return performance.now() - startedAt;
  };
  const coldMs = await send();
  const cold = { ...counts };
  return { counts: cold, coldMs, hotMs: await send() };
}
