/** Apps that people may sign in to with OAuth. An admin registers them. */
import type { User } from "./accounts.ts";

export interface OAuthApp {
  readonly clientGuid: string;
  /** The only one. It is compared character by character. */
  redirectUri: string;
  displayName: string;
  description: string;
  /** Otherwise Looker refuses its sign-ins, and calls with its tokens. */
  enabled: boolean;
  /** Only members of this group may sign in. */
  groupId: string | null;
  /** Epoch in milliseconds. */
  tokensInvalidBefore: number;
  /** People have consented, or an admin has for them. */
  readonly activatedUsers: Set<string>;
}

export type AppDetails = Omit<OAuthApp, "clientGuid" | "tokensInvalidBefore" | "activatedUsers">;

export class OAuthApps {
  readonly #apps = new Map<string, OAuthApp>();

  /** Undefined if the GUID is taken. */
  register(clientGuid: string, details: AppDetails): OAuthApp | undefined {
    if (this.#apps.has(clientGuid)) return undefined;
    const app = { ...details, clientGuid, tokensInvalidBefore: 0, activatedUsers: new Set<string>() };
    this.#apps.set(clientGuid, app);
    return app;
  }

  all(): OAuthApp[] {
    return [...this.#apps.values()];
  }

  find(clientGuid: string): OAuthApp | undefined {
    return this.#apps.get(clientGuid);
  }

  findEnabled(clientGuid: unknown): OAuthApp | undefined {
    const app = typeof clientGuid === "string" ? this.find(clientGuid) : undefined;
    return app?.enabled ? app : undefined;
  }

  delete(clientGuid: string): void {
    this.#apps.delete(clientGuid);
  }
}

export function admits({ groupId }: OAuthApp, user: User): boolean {
  return !user.disabled && (groupId === null || user.groupIds.includes(groupId));
}
