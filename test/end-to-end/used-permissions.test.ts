/**
 * The permissions that the functions use, measured at the AWS proxy while each of them does all of its work. A permission is used
 * if IAM would refuse one of the calls without it. The AWS proxy stands in for DynamoDB, KMS and Secrets Manager, so logs,
 * traces and the keys of secrets are left to test/security/iam.
 */
import { beforeAll, expect, test } from "vitest";
import type { ArrivedCall } from "../../local/aws/call.ts";
import type { BrokerOptions } from "../../local/broker.ts";
import type { PolicyStatement } from "../../local/stack/policy-document.ts";
import type { LocalStack } from "../../local/stack/template.ts";
import { callerOf, untilSeen } from "../support/broker-stand.ts";
import { templatePolicies } from "../support/iam/enforce.ts";
import { dayMs, minuteMs, onRotation, selfRotated } from "./rotation/rotation-stage.ts";
import { type Row, rowsOf } from "./rows.ts";

const measured = ["dynamodb", "kms", "secretsmanager"];

/** Every call of the run, each kind once, with the engine's names of keys. */
const calls = new Map<string, ArrivedCall>();
const refused: ArrivedCall[] = [];
let engineKeys: ReadonlyMap<string, string>;

const authorize: BrokerOptions["authorize"] = (stack, keys) => {
  engineKeys = keys;
  const decide = templatePolicies(stack, keys);
  return async (call) => {
    const { at: _, sessionArn: __, ...kind } = call;
    calls.set(JSON.stringify(kind), call);
    const decision = await decide(call);
    if (!decision.allow) refused.push(call);
    return decision;
  };
};

const stage = onRotation({ authorize });
const runs = (id: string) => stage.stand.broker.runSchedules(id);

/** Instances keep tokens that they have opened. A new one has to open them again. */
async function endInstances(functionId: string): Promise<void> {
  const { broker } = stage.stand;
  await Promise.all(broker.instances(functionId).map(({ number }) => broker.kill(functionId, number)));
}

async function callersAndOperators(): Promise<void> {
  const { control } = stage.stand.looker;
  const caller = callerOf(stage.stand, "service-01");
  const operator = callerOf(stage.stand, "platform-engineer");
  await callerOf(stage.stand, "finance-service").token("finance");
  await caller.token("sales", { session: "nightly" });
  await caller.token("sales");
  await endInstances("issue-token");
  await caller.token("sales");
  await caller.logout("sales");
  await caller.token("sales");
  control.addFault({ route: "logout", kind: "status", status: 503 });
  await operator.send("PUT", "/scopes/sales/freeze", JSON.stringify({ reason: "a drill" }));
  control.clearFaults();
  await operator.send("DELETE", "/scopes/sales/freeze");
}

/** A pending logout is due, and a revocation whose function died after its first write. */
async function sweep(): Promise<void> {
  const rows = rowsOf(stage.stand);
  try {
    const at = { due_shard: "due#0", due_at: 0 };
    for (const row of await rows.all()) {
      const job = { epoch: row.epoch, at: 0, next_partition: 0 };
      const outbox = row.outbox?.map((token: Row) => ({ ...token, retry_at: 0 }));
      if (row.pk === "scope#sales" && row.sk === "#control") await rows.put({ ...row, ...at, job });
      else if (outbox?.length > 0) await rows.put({ ...row, ...at, outbox });
    }
  } finally {
    rows.close();
  }
  await runs("sweep");
}

/** The first one is killed with a token in hand, and the second one finds its lease. */
async function checks(): Promise<void> {
  const { control } = stage.stand.looker;
  control.addFault({ route: "users", kind: "hold", times: 1 });
  const killed = runs("check-account");
  await untilSeen(() => control.inFlight().some(({ fault }) => fault === "hold"), "the held question");
  await endInstances("check-account");
  await killed;
  control.release();
  await runs("check-account");
}

async function rotations(): Promise<void> {
  const { control } = stage.stand.looker;
  control.changeSettings({ ownPairsByApi: true });
  control.changeUser(stage.userId(selfRotated), { canManageCredentials: true });
  for (const secretId of [undefined, selfRotated])
    await stage.untilRotated(await stage.rotate(secretId), secretId);
  // A day later the old pairs are denied. Some minutes later the function looks for their last leases.
  for (const ms of [dayMs, 5 * minuteMs]) {
    await stage.timePasses(ms);
    await stage.retire();
  }
}

beforeAll(async () => {
  await callersAndOperators();
  await sweep();
  await checks();
  await rotations();
}, 120_000);

interface Permission {
  readonly action: string;
  readonly resource: string;
}

/** One for each action and resource of the role's statements. */
const permissionsOf = (statements: readonly PolicyStatement[]): Permission[] =>
  statements.flatMap(({ Action, Resource }) =>
    [Action].flat().flatMap((action) => [Resource].flat().map((resource) => ({ action, resource }))),
  );

const without = (statements: readonly PolicyStatement[], { action, resource }: Permission) =>
  statements.flatMap((statement) =>
    permissionsOf([statement])
      .filter((each) => each.action !== action || each.resource !== resource)
      .map((each) => ({ ...statement, Action: each.action, Resource: each.resource })),
  );

function roleOf(name: string, { functions, roles }: LocalStack) {
  const role = roles.find(({ arn }) => arn === functions.find(({ id }) => id === name)?.roleArn);
  if (!role) throw new Error(`The template has no role of ${name}.`);
  return role;
}

/** Those whose absence would be seen in no call. */
async function unusedOf(name: string): Promise<Permission[]> {
  const { stack } = stage.stand.broker;
  const role = roleOf(name, stack);
  const own = [...calls.values()].filter(({ principalArn }) => principalArn === role.arn);
  const needed = await Promise.all(
    permissionsOf(role.statements)
      .filter(({ action }) => measured.includes(action.split(":")[0] ?? ""))
      .map(async (permission) => {
        const statements = without(role.statements, permission);
        const roles = stack.roles.map((each) => (each === role ? { ...role, statements } : each));
        const decide = templatePolicies({ ...stack, roles }, engineKeys);
        const decisions = await Promise.all(own.map((call) => decide(call)));
        return { permission, isNeeded: decisions.some(({ allow }) => !allow) };
      }),
  );
  return needed.filter(({ isNeeded }) => !isNeeded).map(({ permission }) => permission);
}

test("no function asks for more than its role allows", () => {
  expect(refused).toEqual([]);
});

test.each(["issue-token", "logout", "operate", "sweep", "check-account", "rotate-secret"])(
  "%s uses each permission of its role, on each resource",
  async (name) => {
    expect(await unusedOf(name)).toEqual([]);
  },
);
