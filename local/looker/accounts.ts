import { type NewPair, Pairs } from "./pairs.ts";
import { type Permission, SERVICE_ACCOUNT_PERMISSIONS } from "./permissions.ts";
import { ADMIN_ROLE, type LookerRole, type Role, Roles } from "./roles.ts";
import { MODEL_NAMES } from "./sample-lookml.ts";

export interface LookerAccount extends AccountRights {
  userId: string;
  displayName: string;
  /** Looker allows several pairs per user. So a rotation needs no downtime. */
  credentials: (Pick<NewPair, "clientId" | "clientSecret" | "purpose"> & {
    /** Epoch in milliseconds. Now, unless told. */
    createdAt?: number;
  })[];
  groupIds?: readonly string[];
  /** Of a person, for Looker's pages. */
  signIn?: { email: string; password: string };
  /** Every account but an admin's, unless told. */
  serviceAccount?: boolean;
}

export interface AccountRights {
  /** Adds the role Admin to `roles`, if those are given. */
  admin?: boolean;
  /** One role with `permissions` and `models`, unless told. */
  roles?: readonly LookerRole[];
  /** {@link SERVICE_ACCOUNT_PERMISSIONS} unless told. */
  permissions?: readonly Permission[];
  /** Those of the sample by name, unless told. */
  models?: readonly string[];
  /** An admin has set `can_manage_api3_creds`. */
  canManageCredentials?: boolean;
  /** Logins are refused. Live tokens stay, because the effect on them is not documented. */
  disabled?: boolean;
  /** Administrator of the instance by Google Cloud's IAM. */
  iamAdmin?: boolean;
}

export interface User {
  readonly userId: string;
  readonly displayName: string;
  readonly email: string | null;
  readonly admin: boolean;
  readonly roles: readonly Role[];
  readonly groupIds: readonly string[];
  readonly serviceAccount: boolean;
  readonly canManageCredentials: boolean;
  readonly disabled: boolean;
  readonly iamAdmin: boolean;
}

export class Accounts {
  readonly pairs = new Pairs();
  readonly #roles = new Roles();
  readonly #accounts = new Map<string, { account: LookerAccount; user: User }>();
  readonly #now: () => number;

  constructor(accounts: readonly LookerAccount[], now: () => number) {
    this.#now = now;
    for (const account of accounts) this.add(account);
  }

  /** A user id that is already known gets the further pairs. A client id belongs to one user for good. */
  add(account: LookerAccount): void {
    const { userId, credentials } = account;
    for (const { clientId } of credentials) {
      if (this.pairs.isUsed(clientId)) throw new Error(`Client id ${clientId} is already in use.`);
    }
    if (!this.#accounts.has(userId)) this.#set(account);
    for (const pair of credentials) this.pairs.add({ userId, createdAt: this.#now(), ...pair });
  }

  /** As an admin would. Permissions or models replace the roles. False for an unknown user. */
  change(userId: string, rights: AccountRights): boolean {
    const known = this.#accounts.get(userId);
    if (known === undefined) return false;
    const { roles, ...account } = known.account;
    const replaced = rights.permissions !== undefined || rights.models !== undefined;
    this.#set({ ...account, ...(replaced || roles === undefined ? {} : { roles }), ...rights });
    return true;
  }

  users(): User[] {
    return [...this.#accounts.values()].map(({ user }) => user);
  }

  user(userId: string): User | undefined {
    return this.#accounts.get(userId)?.user;
  }

  userOfClient(clientId: string): User | undefined {
    const pair = this.pairs.find(clientId);
    return pair && this.user(pair.userId);
  }

  /** Undefined for an unknown client, a wrong secret, a disabled pair and a disabled user: Looker's answer is the same for all. */
  verify(clientId: string, clientSecret: string): User | undefined {
    const pair = this.pairs.find(clientId);
    if (pair === undefined || pair.disabled || pair.clientSecret !== clientSecret) return undefined;
    const user = this.user(pair.userId);
    return user?.disabled ? undefined : user;
  }

  /** Of Looker's pages. */
  verifyPassword(email: string, password: string): User | undefined {
    const known = [...this.#accounts.values()].find(({ account: { signIn } }) => signIn?.email === email);
    return known?.account.signIn?.password === password && !known.user.disabled ? known.user : undefined;
  }

  /** False for an unknown client. Live tokens stay, because the effect on them is not documented. */
  changeSecret(clientId: string, clientSecret: string): boolean {
    const pair = this.pairs.find(clientId);
    if (pair !== undefined) pair.clientSecret = clientSecret;
    return pair !== undefined;
  }

  setDisabled(clientId: string, disabled: boolean): boolean {
    const pair = this.pairs.find(clientId);
    if (pair !== undefined) pair.disabled = disabled;
    return pair !== undefined;
  }

  #set(account: LookerAccount): void {
    const { userId, displayName, admin = false } = account;
    const user: User = {
      userId,
      displayName,
      email: account.signIn?.email ?? null,
      admin,
      roles: rolesOf(account).map((role) => this.#roles.withId(role)),
      groupIds: account.groupIds ?? [],
      serviceAccount: account.serviceAccount ?? !admin,
      canManageCredentials: account.canManageCredentials ?? false,
      disabled: account.disabled ?? false,
      iamAdmin: account.iamAdmin ?? false,
    };
    this.#accounts.set(userId, { account, user });
  }
}

function rolesOf({ admin, roles, permissions, models }: LookerAccount): readonly LookerRole[] {
  if (admin) return [ADMIN_ROLE, ...(roles ?? [])];
  if (roles !== undefined) return roles;
  return [
    {
      name: "Service account",
      permissions: permissions ?? SERVICE_ACCOUNT_PERMISSIONS,
      models: models ?? MODEL_NAMES,
    },
  ];
}
