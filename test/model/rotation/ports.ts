/** All that an invocation is given of the world. Each call stops before its effect and before its answer. */

import type { Versioned } from "../../../functions/domain/control.ts";
import type { MintPorts } from "../../../functions/use-cases/mint-job.ts";
import type { Asked, ClientSecret, LoginOutcome, Rows } from "../../../functions/use-cases/ports.ts";
import type { OperatePorts } from "../../../functions/use-cases/revoke-slots.ts";
import type { RotationPorts } from "../../../functions/use-cases/rotation-job.ts";
import { CallLost, type Instance } from "../simulation.ts";
import type { Pair, Token } from "./looker-accounts.ts";
import type { World } from "./world.ts";

export type FunctionPorts = RotationPorts & OperatePorts & MintPorts;

const listed = ({ id, clientId, createdAt, purpose }: Pair) => ({
  ...{ id, clientId, createdAt, isDisabled: false },
  ...(purpose !== undefined && { purpose }),
});

/** @param isCallers whether tokens of its logins are given to callers */
export function portsFor(world: World, instance: Instance, isCallers = false): FunctionPorts {
  const { simulation } = world;
  return {
    clock: {
      now: () => simulation.timeAt(instance),
      sleep: (milliseconds) => simulation.wait(instance, "sleeps", milliseconds),
    },
    ids: { next: () => world.newId() },
    table: tableFor(world, instance),
    sealer: world.sealer,
    ...lookerFor(world, instance, isCallers),
    versions: versionsFor(world, instance),
    secrets: cachedSecrets(world, instance),
  };
}

function lookerFor(
  world: World,
  instance: Instance,
  isCallers: boolean,
): Pick<FunctionPorts, "looker" | "users" | "pairs"> {
  const { accounts, simulation } = world;
  const send = async <Answer>(
    label: string,
    lost: Answer,
    effect: () => Answer,
    away: Answer,
  ): Promise<Answer> => {
    try {
      // A late question does no harm.
      return await simulation.call(instance, { label, isWrite: true }, () => {
        const answer = accounts.isAway ? away : effect();
        simulation.tell(instance, () => `${label} → ${JSON.stringify(answer)}`);
        return answer;
      });
    } catch (error) {
      if (error instanceof CallLost) return lost;
      throw error;
    }
  };
  const ask = async <Value>(label: string, token: string, answer: (by: Token) => Asked<Value>) =>
    await send<Asked<Value>>(
      label,
      { kind: "unknown", reason: "timeout" },
      () => {
        const by = accounts.owner(token);
        return by ? answer(by) : { kind: "refused", status: 401 };
      },
      { kind: "failed", reason: "status_503" },
    );
  const refused = { kind: "refused", status: 404 } as const;
  return {
    looker: {
      login: (_, { clientId, clientSecret }) =>
        send<LoginOutcome>(
          `logs in with ${clientId}`,
          { kind: "unknown", reason: "timeout" },
          () => {
            const token = accounts.logIn(clientId, clientSecret, instance.name, isCallers);
            return token
              ? { kind: "token", accessToken: token.token, expiresInSeconds: 3_600 }
              : { kind: "rejected" };
          },
          { kind: "unreached", reason: "ECONNREFUSED" },
        ),
      logout: (_, token) => send("logs out", "timed_out", () => accounts.logOut(token), "unreached" as const),
    },
    users: {
      me: (_, token) =>
        ask("asks who it is", token, ({ userId }) => ({
          kind: "ok",
          value: { id: userId, isDisabled: false },
        })),
    },
    pairs: {
      ownerOf: (_, token, clientId) =>
        ask(`asks whose ${clientId} is`, token, (by) => {
          const pair = accounts.find(clientId);
          if (!pair || !accounts.mayManage(by, pair.userId)) return refused;
          return { kind: "ok", value: { id: pair.userId, isDisabled: false } };
        }),
      list: (_, token, userId) =>
        ask("lists pairs", token, (by) =>
          accounts.mayManage(by, userId)
            ? { kind: "ok", value: accounts.pairsOf(userId).map(listed) }
            : refused,
        ),
      create: (_, token, userId) =>
        ask("makes a pair", token, (by) => {
          if (!accounts.mayManage(by, userId)) return refused;
          if (accounts.isFull(userId)) return { kind: "refused", status: 422 };
          const pair = accounts.create(userId, "broker");
          return { kind: "ok", value: { ...listed(pair), clientSecret: pair.clientSecret } };
        }),
      mark: (_, token, { userId, pairId, purpose }) =>
        ask("marks a pair", token, (by) => {
          const pair = accounts.pairs.find(({ id }) => id === pairId);
          if (!pair || !accounts.mayManage(by, userId)) return refused;
          pair.purpose = purpose;
          return { kind: "ok", value: listed(pair) };
        }),
      remove: (_, token, { userId, pairId }) =>
        ask("deletes a pair", token, (by) => {
          const pair = accounts.pairs.find(({ id }) => id === pairId);
          if (!pair || !accounts.mayManage(by, userId)) return refused;
          accounts.remove(pair);
          return { kind: "ok", value: undefined };
        }),
    },
  };
}

function versionsFor(world: World, instance: Instance): RotationPorts["versions"] {
  const { simulation, secrets, core } = world;
  const ask = async <Answer>(
    secretId: string,
    label: string,
    isWrite: boolean,
    effect: (name: string) => Answer,
  ) => {
    try {
      return await simulation.call(instance, { label, isWrite }, () => {
        const answer = effect(secretId);
        simulation.tell(instance, () => `${label} → ${JSON.stringify(answer)}`);
        return answer;
      });
    } catch (error) {
      if (error instanceof CallLost) throw new core.Unavailable("secretsmanager");
      throw error;
    }
  };
  const found = (secretId: string) => {
    const secret = secrets.get(secretId);
    if (!secret) throw new core.UnusableSecret("not_found");
    return secret;
  };
  return {
    describe: (secretId) => ask(secretId, "describes the secret", false, (id) => found(id).describe()),
    read: (secretId, { versionId, stage }) =>
      ask(secretId, `reads ${secretId} ${versionId ?? stage}`, false, (id) => {
        const which = versionId ?? found(id).at(stage) ?? "";
        const value = found(id).values.get(which);
        return value && { ...pairOf(value), versionId: which, others: {} };
      }),
    putPending: (secretId, { versionId, pair }) =>
      ask(secretId, `stores ${pair.clientId}`, true, (id) =>
        found(id).put(versionId, pairOf(pair), "AWSPENDING"),
      ),
    moveStage: (secretId, stage, from, to) =>
      ask(secretId, `moves ${stage}`, true, (id) => found(id).move(stage, from, to)),
  };
}

const pairOf = ({ clientId, clientSecret }: { clientId: string; clientSecret: string }) => ({
  clientId,
  clientSecret,
});

/** As instances keep the secret: five minutes, and ten seconds where somebody asks anew. */
function cachedSecrets(world: World, instance: Instance): MintPorts["secrets"] {
  const cache = new Map<string, ClientSecret>();
  const notOlderThan =
    (ageMs: number) =>
    async (secretId: string, outdatedAt = Number.NEGATIVE_INFINITY) => {
      const known = cache.get(secretId);
      const now = world.simulation.now;
      if (known && now - known.readAt < ageMs && known.readAt > outdatedAt) return known;
      const pair = await versionsFor(world, instance).read(secretId, { stage: "AWSCURRENT" });
      if (!pair) throw new world.core.UnusableSecret("not_found");
      const secret = { ...pairOf(pair), versionId: pair.versionId, readAt: now };
      cache.set(secretId, secret);
      return secret;
    };
  return { current: notOlderThan(300_000), reread: notOlderThan(10_000) };
}

function tableFor(world: World, instance: Instance): FunctionPorts["table"] {
  const { simulation, table, core } = world;
  const ask = async <Answer>(
    label: string,
    isWrite: boolean,
    effect: () => Promise<Answer>,
  ): Promise<Answer> => {
    try {
      return await simulation.call(instance, { label, isWrite }, effect);
    } catch (error) {
      if (error instanceof CallLost) throw new core.Unavailable("dynamodb");
      throw error;
    }
  };
  const rows = <Key, Row extends Versioned>(name: string, inner: Rows<Key, Row>): Rows<Key, Row> => ({
    read: (key) => ask(`reads ${name}`, false, () => inner.read(key)),
    write: (key, row, expected) =>
      ask(`writes ${name}`, true, async () => {
        const held = await inner.write(key, row, expected);
        const shown = () => ("rotation" in row ? `: ${JSON.stringify(row.rotation)}` : "");
        simulation.tell(instance, () => `${held ? "wrote" : "may not write"} ${name}${shown()}`);
        return held;
      }),
  });
  return {
    slotPartitions: table.slotPartitions,
    slots: rows("slot", table.slots),
    scopeControls: rows("scope control", table.scopeControls),
    secretControls: rows("secret control", table.secretControls),
    sessionBudgets: rows("session budget", table.sessionBudgets),
    accountChecks: rows("account check", table.accountChecks),
    readForIssue: (key) => ask("reads slot and control", false, () => table.readForIssue(key)),
    readControls: (scope, secretId) =>
      ask("reads controls", false, () => table.readControls(scope, secretId)),
    // Sixteen queries: only the first stops.
    querySlots: (scope, partition, options) =>
      partition === 0
        ? ask("queries slots", false, () => table.querySlots(scope, partition, options))
        : table.querySlots(scope, partition, options),
    queryOwnSlots: (caller, after) => table.queryOwnSlots(caller, after),
    queryDue: (now) => table.queryDue(now),
  };
}
