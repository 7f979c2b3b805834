/** Looker, and what stands before it. */
import type { LoginOutcome, LogoutOutcome, Looker } from "../../functions/use-cases/ports.ts";
import { CallLost, type Instance } from "./simulation.ts";
import { type Holder, largeCrowd, type MadeToken, nameOf, type World } from "./world.ts";

/** As the adapter gives up. */
const loginTimeoutMs = 8_000;
const logoutTimeoutMs = 8_000;

export function lookerFor(world: World, instance: Instance, holder: Holder | undefined): Looker {
  const { simulation, scenario } = world;

  const answerLogin = (baseUrl: string, clientId: string, calledAt: number, key: Holder["key"]) => {
    // The call's own time-out fires when the instance thaws, before anything is sent.
    if (simulation.now - calledAt > loginTimeoutMs) throw new CallLost("timed out");
    const { lookerState } = world;
    if (lookerState === "unreached") return { outcome: { kind: "unreached", reason: "down" } as const };
    if (lookerState === "failed") return { outcome: { kind: "failed", reason: "status_502" } as const };
    const secretId = holder?.secretId ?? "";
    const accepted = world.isRight(secretId, clientId, baseUrl);
    world.attempts.push({ baseUrl, clientId, at: simulation.now, accepted, minter: instance });
    if (!accepted) return { outcome: { kind: "rejected" } as const };
    const token = `token-${world.tokens.length + 1}`;
    const usable = ++world.logins !== scenario.unusableLogin || simulation.isCalm;
    const made: MadeToken = {
      ...{ token, key, baseUrl, secretId, clientId, minter: instance, usable, crowd: false },
      madeAtStop: simulation.clock,
      madeAt: simulation.now,
      lookerEndsAt: simulation.now + scenario.lookerLifeMs,
    };
    world.addToken(made);
    simulation.noteTokenMade();
    simulation.tell(instance, () => `Looker made ${token} for ${nameOf(key)} by ${clientId} at ${baseUrl}`);
    const outcome: LoginOutcome = usable
      ? { kind: "token", accessToken: token, expiresInSeconds: scenario.lookerLifeMs / 1_000 }
      : { kind: "failed", reason: "token_type", unusableToken: token };
    return { outcome, made };
  };

  /** What is in hand is stored while the lock lasts, and then it is ended; only a full row leaves no room for it. */
  const endInHand = (made: MadeToken) => {
    made.endedInHand = (made.endedInHand ?? 0) + 1;
    const { superseded, outbox } = world.slotAt(made.key);
    const isFull = superseded.length + outbox.length >= world.parts.maxTracked;
    const timeIsLeft = simulation.timeAt(instance) < (world.locks.get(instance)?.until ?? 0) - 1_000;
    if (made.usable && made.trackedAtStop === undefined && timeIsLeft && !isFull)
      world.broken.push(`what is in hand is stored while time is left: ${made.token}`);
  };

  return {
    login: async (baseUrl, { clientId }) => {
      if (!holder) throw new Error("only a request for a token logs in");
      const { key } = holder;
      const name = nameOf(key);
      const underWay = (world.loginsUnderWay.get(name) ?? 0) + 1;
      world.loginsUnderWay.set(name, underWay);
      if (underWay > 1) world.overlappingLogins++;
      // From at once to nearly the time-out.
      const answerAfterMs = [5, 300, 2_000, 7_000][world.tokens.length % 4];
      const calledAt = simulation.now;
      if (simulation.timeAt(instance) + loginTimeoutMs > (world.locks.get(instance)?.until ?? 0))
        world.broken.push(`a login ends before its lock does: ${instance.name}`);
      let made: MadeToken | undefined;
      try {
        return await simulation.call(instance, { label: `logs in as ${clientId}`, answerAfterMs }, () => {
          const answer = answerLogin(baseUrl, clientId, calledAt, key);
          made = answer.made;
          return answer.outcome;
        });
      } catch (error) {
        if (!(error instanceof CallLost)) throw error;
        if (made) made.answerLost = true;
        return { kind: "unknown", reason: "lost" };
      } finally {
        world.loginsUnderWay.set(name, (world.loginsUnderWay.get(name) ?? 1) - 1);
      }
    },

    logout: async (_baseUrl, token) => {
      const made = world.byToken.get(token);
      if (made?.minter === instance) endInHand(made);
      const trouble = made && world.isUnwell(made) ? scenario.unwell : undefined;
      const answerAfterMs =
        trouble?.logouts === "hang"
          ? logoutTimeoutMs
          : trouble && trouble.crowd > largeCrowd
            ? logoutTimeoutMs - 1_000
            : 0;
      const answerLogout = (): LogoutOutcome => {
        if (world.lookerState !== "up") return world.lookerState;
        if (trouble) return trouble.logouts === "hang" ? "timed_out" : trouble.logouts;
        if (made && made.loggedOutAt === undefined) {
          made.loggedOutAt = simulation.now;
          made.loggedOutBy = instance;
          simulation.tell(instance, () => `Looker ended ${token}`);
        }
        return "ended";
      };
      try {
        return await simulation.call(instance, { label: `logs ${token} out`, answerAfterMs }, answerLogout);
      } catch (error) {
        if (!(error instanceof CallLost)) throw error;
        return "timed_out";
      }
    },
  };
}
