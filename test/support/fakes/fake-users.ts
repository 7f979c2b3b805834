/** A Looker that answers questions about one account. */
import type { LookerAccount, LookerRole } from "../../../functions/domain/account.ts";
import type { Asked, LookerUsers } from "../../../functions/use-cases/ports.ts";

export type Question = "me" | "account" | "roles";

export interface FakeUsers extends LookerUsers {
  /** Each question with its token, in order. */
  readonly asked: [Question, string][];
  /** The account's state. */
  is: { account: LookerAccount; roles: readonly LookerRole[] };
  /** In the place of an answer. May wait. */
  onAsk: ((question: Question) => Asked<never> | undefined | Promise<Asked<never> | undefined>) | undefined;
}

export const set = (...names: string[]) => ({ all: false, builtIn: false, names });
export const everything = { all: true, builtIn: true, names: [] };

export const minimalAccount: LookerAccount = {
  id: "12",
  displayName: "Sales API",
  isDisabled: false,
  isIamAdmin: false,
  mayManageCredentials: false,
  credentials: [{ id: "1", clientId: "clientOne", isDisabled: false }],
};
export const minimalRole: LookerRole = {
  name: "Sales API",
  permissions: set("access_data"),
  models: set("sales"),
};

/** @param works whether Looker takes this token */
export function fakeUsers(works: (token: string) => boolean = () => true): FakeUsers {
  const answer = async <Value>(
    question: Question,
    token: string,
    value: () => Value,
  ): Promise<Asked<Value>> => {
    users.asked.push([question, token]);
    const programmed = await users.onAsk?.(question);
    if (programmed) return programmed;
    return works(token) ? { kind: "ok", value: value() } : { kind: "refused", status: 401 };
  };
  const users: FakeUsers = {
    asked: [],
    is: { account: minimalAccount, roles: [minimalRole] },
    onAsk: undefined,
    me: (_, token) => answer("me", token, () => users.is.account),
    account: (_, token) => answer("account", token, () => users.is.account),
    roles: (_, token) => answer("roles", token, () => users.is.roles),
  };
  return users;
}
