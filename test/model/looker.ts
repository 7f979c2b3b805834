/** Looker, and what stands before it. */
import type { LoginOutcome, LogoutOutcome, Looker } from "../../functions/use-cases/ports.ts";
import { CallLost, type Instance } from "./simulation.ts";
import { type Holder, type MadeToken, nameOf, type World } from "./world.ts";

/** As the adapter gives up. */
const loginTimeoutMs = 8_000;
const logoutTimeoutMs = 8_000;
/** More tokens than this meet a Looker that is slow besides. */
const largeCrowd = 100;

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
    const made: MadeToken = {
      ...{ token, key, baseUrl, secretId, clientId, minter: instance, crowd: false },
      madeAtStop: simulation.clock,
      madeAt: simulation.now,
      lookerEndsAt: simulation.now + scenario.lookerLifeMs,
    };
    world.addToken(made);
    simulation.noteTokenMade();
    simulation.tell(instance, () => `Looker made ${token} for ${nameOf(key)} by ${clientId} at ${baseUrl}`);
    const outcome: LoginOutcome =
      ++world.logins === scenario.unusableLogin && !simulation.isCalm
        ? { kind: "failed", reason: "token_type", unusableToken: token }
        : { kind: "token", accessToken: token, expiresInSeconds: scenario.lookerLifeMs / 1_000 };
    return { outcome, made };
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
