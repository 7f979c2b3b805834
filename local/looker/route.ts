import type { User } from "./accounts.ts";
import type { ApiRequest } from "./authentication.ts";
import type { LookerInstance } from "./instance.ts";
import type { LedgerEntry } from "./ledger.ts";
import type { Permission } from "./permissions.ts";
import { json, lookerError, type Reply } from "./replies.ts";
import { permissionsOf } from "./roles.ts";
import type { Session } from "./sessions.ts";

/** A request with a live token. */
export interface Call extends ApiRequest {
  readonly session: Session;
  readonly user: User;
  /** The `{…}` of the route, decoded. */
  readonly parameters: Readonly<Record<string, string>>;
}

export interface Route {
  /** Without it Looker answers 404, as if there were no such thing. */
  readonly needs?: Permission;
  answer(looker: LookerInstance, call: Call): Reply | NotedReply;
}

/** An answer whose ledger entry says more than that the API was called. */
export interface NotedReply {
  readonly reply: Reply;
  readonly noted: Partial<Pick<LedgerEntry, "event" | "clientId" | "userId" | "tokenSha256" | "pair">>;
}

export type Routes = Readonly<Record<string, Route>>;

export function mayUse(user: User, permission: Permission): boolean {
  return user.roles.some((role) => permissionsOf(role).includes(permission));
}

/** Answers the same to everybody who may ask. */
export function constant(value: unknown, needs?: Permission): Route {
  return { ...(needs === undefined ? {} : { needs }), answer: () => json(200, value) };
}

/** One of a list, by its `key`. */
export function oneOf<T>(items: readonly T[], key: keyof T, parameter: string, needs: Permission): Route {
  return {
    needs,
    answer: (_, { parameters }) => {
      const found = items.find((item) => item[key] === parameters[parameter]);
      return found === undefined ? lookerError(404) : json(200, found);
    },
  };
}

/** Undefined for a body that is not JSON. */
export function jsonBody({ body }: ApiRequest): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
