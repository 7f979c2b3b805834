import { type Permission, SERVICE_ACCOUNT_PERMISSIONS } from "./permissions.ts";

export interface LookerAccount {
  userId: string;
  displayName: string;
  /** Looker allows several pairs per user; that is what makes a rotation without downtime possible. */
  credentials: { clientId: string; clientSecret: string }[];
  admin?: boolean;
  /** {@link SERVICE_ACCOUNT_PERMISSIONS} unless told. An admin has all. */
  permissions?: readonly Permission[];
}

export interface User {
  userId: string;
  displayName: string;
  admin: boolean;
  permissions: readonly Permission[];
}

interface Credential {
  user: User;
  clientSecret: string;
  disabled: boolean;
}

export class Accounts {
  readonly #users = new Map<string, User>();
  readonly #credentials = new Map<string, Credential>();

  constructor(accounts: readonly LookerAccount[]) {
    for (const account of accounts) this.add(account);
  }

  /** A user id that is already known gets the further pairs; a client id belongs to one user for good. */
  add(account: LookerAccount): void {
    for (const { clientId } of account.credentials) {
      if (this.#credentials.has(clientId)) throw new Error(`Client id ${clientId} is already in use.`);
    }
    const user = this.#users.get(account.userId) ?? {
      userId: account.userId,
      displayName: account.displayName,
      admin: account.admin ?? false,
      permissions: account.permissions ?? SERVICE_ACCOUNT_PERMISSIONS,
    };
    this.#users.set(user.userId, user);
    for (const { clientId, clientSecret } of account.credentials) {
      this.#credentials.set(clientId, { user, clientSecret, disabled: false });
    }
  }

  users(): User[] {
    return [...this.#users.values()];
  }

  user(userId: string): User | undefined {
    return this.#users.get(userId);
  }

  userOfClient(clientId: string): User | undefined {
    return this.#credentials.get(clientId)?.user;
  }

  pairsOf(userId: string): { clientId: string; disabled: boolean }[] {
    return [...this.#credentials].flatMap(([clientId, { user, disabled }]) =>
      user.userId === userId ? [{ clientId, disabled }] : [],
    );
  }

  /** Looker's answer does not tell an unknown client from a wrong secret or a disabled pair; nor does this. */
  verify(clientId: string, clientSecret: string): User | undefined {
    const credential = this.#credentials.get(clientId);
    if (credential === undefined || credential.disabled) return undefined;
    return credential.clientSecret === clientSecret ? credential.user : undefined;
  }

  /** False for an unknown client. Live tokens stay: what Looker does to them is not documented. */
  changeSecret(clientId: string, clientSecret: string): boolean {
    const credential = this.#credentials.get(clientId);
    if (credential !== undefined) credential.clientSecret = clientSecret;
    return credential !== undefined;
  }

  setDisabled(clientId: string, disabled: boolean): boolean {
    const credential = this.#credentials.get(clientId);
    if (credential !== undefined) credential.disabled = disabled;
    return credential !== undefined;
  }
}
