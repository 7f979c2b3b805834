/** An operator's use cases over the fakes, and four leases to choose from. */
import { clockSkewMs } from "../../../functions/domain/lease.ts";
import { allowClient } from "../../../functions/use-cases/denials.ts";
import type { IssuedToken } from "../../../functions/use-cases/issue.ts";
import {
  countLeases,
  findLease,
  freezeScope,
  type ListPosition,
  listLeases,
  type RevocationRequest,
  revokeLeases,
  unfreezeScope,
} from "../../../functions/use-cases/operate.ts";
import type { AuditFields } from "../../../functions/use-cases/record.ts";
import { inMemoryBroker, sales, secretId } from "./in-memory-broker.ts";
import { numberedCaller, operatePorts } from "./in-memory-operator.ts";

export const operator = "arn:aws:iam::111122223333:role/oncall";
export const roleArn = (name: string) => `arn:aws:iam::111122223333:role/${name}`;
export const minutes = 60_000;

export function setUp() {
  const broker = inMemoryBroker();
  const ports = operatePorts(broker);
  const job = (budgetMs = 24_000) => {
    const audit: AuditFields = {};
    return { scope: sales, deadline: broker.clock.now() + budgetMs, audit };
  };
  return {
    ...broker,
    broker,
    ports,
    revoke: (request: RevocationRequest) => revokeLeases(ports, job(), request),
    count: (request: RevocationRequest) => countLeases(ports, job(), request),
    freeze: (reason = "incident 7") =>
      freezeScope(ports, job(), { by: operator, at: broker.clock.now(), reason }),
    unfreeze: () => unfreezeScope(ports, job()),
    allow: (clientId: string) => allowClient(ports, job(), clientId),
    find: (tokenSha256: string) => findLease(ports, job(), tokenSha256),
    list: (from: ListPosition = { partition: 0, after: undefined }) => listLeases(ports, job(), from),
    control: () => broker.table.scopeControls.read("sales"),
  };
}

/** The latest time that is certainly before `at` by all clocks. */
export const apart = (at = 0) => at - clockSkewMs;

/** Two successors of one role, then another role, then that role's successor with another client id, minutes apart. */
export async function withFour() {
  const all = setUp();
  const keys = [
    numberedCaller(1),
    numberedCaller(2),
    numberedCaller(1, "report-nightly"),
    numberedCaller(2, "report-nightly"),
  ] as const;
  const tokens: IssuedToken[] = [];
  const issuedAt: number[] = [];
  for (const [index, key] of keys.entries()) {
    if (index === 3) {
      all.stored.set(secretId, {
        clientId: "clientTwo",
        clientSecret: "secret-of-two",
        versionId: "version-2",
      });
      all.clock.jump(301_000);
    }
    issuedAt.push(all.clock.now());
    tokens.push(await all.issue({ key }));
    all.clock.jump(minutes);
  }
  const [a, b, c, d] = tokens;
  if (!a || !b || !c || !d) throw new Error("four tokens were to be made");
  const live = () => tokens.map(({ accessToken }) => all.looker.live.has(accessToken));
  return { ...all, keys, issuedAt, live, a, b, c, d };
}
