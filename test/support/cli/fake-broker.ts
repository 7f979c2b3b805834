/** A broker that answers as a test says, and the command that asks it: for what a real one does only when it fails. */

import { tmpdir } from "node:os";
import { onTestFinished } from "vitest";
import type { AccountCheck } from "../../../cli/src/account.ts";
import type { AccountSummary, Frozen, ListedLease } from "../../../cli/src/listing.ts";
import { type Asked, FakeServer, type Reply } from "../fake-server.ts";
import { neverChecked } from "./account-checks.ts";
import { Command } from "./command.ts";

export const leaseOf = (id: string, more: Partial<ListedLease> = {}): ListedLease => ({
  lease_id: id,
  caller: "arn:aws:iam::111122223333:role/report-service",
  unique_id: `AROA${id}`,
  state: "live",
  issued_at: new Date(Date.now() - 60_000).toISOString(),
  ends_at: new Date(Date.now() + 840_000).toISOString(),
  token_ends_at: new Date(Date.now() + 3_553_000).toISOString(),
  client_id: "salesclient",
  ...more,
});

export class FakeBroker {
  readonly cli: Command;
  readonly endpoint: string;
  readonly #server: FakeServer;
  leases: ListedLease[] = [];
  /** The leases of a token, by its SHA-256. */
  readonly tokens = new Map<string, ListedLease[]>();
  frozen: Frozen | undefined;
  accounts: Record<string, AccountCheck> = {};
  /** What is answered in place of what this broker would; undefined: nothing in its place. */
  instead: (asked: Asked) => Reply | "drop" | "silence" | undefined | Promise<Reply | undefined> = () =>
    undefined;

  private constructor(server: FakeServer) {
    this.#server = server;
    this.endpoint = `${server.url}/v1`;
    this.cli = new Command(tmpdir(), {
      LOOKER_BROKER_ENDPOINT: this.endpoint,
      AWS_REGION: "us-east-1",
      AWS_ACCESS_KEY_ID: "AKIDEXAMPLE",
      AWS_SECRET_ACCESS_KEY: "example-secret",
    });
  }

  static async start(): Promise<FakeBroker> {
    const server = await FakeServer.start((asked) => broker.#answer(asked));
    const broker = new FakeBroker(server);
    onTestFinished(() => server.stop());
    return broker;
  }

  /** `METHOD path?query` of each request of such a method, from the stage on. */
  asked(...methods: string[]): string[] {
    return this.#server.asked
      .filter(({ method }) => methods.includes(method))
      .map(({ method, path }) => `${method} ${path.replace("/v1", "")}`);
  }

  async #answer(asked: Asked): Promise<Reply | "drop"> {
    const instead = await this.instead(asked);
    if (instead === "silence") return new Promise(() => {});
    return instead ?? this.#done(asked);
  }

  #done({ method, path }: Asked): Reply {
    const { pathname, searchParams } = new URL(path, "http://broker");
    const route = `${method} ${pathname.split("/").at(-1)}`;
    const id = searchParams.get("lease_id");
    const matched = this.leases.filter(({ lease_id }) => id === null || lease_id === id);
    const scope = /scopes\/([^/]+)\//.exec(pathname)?.[1] ?? "";
    const account = this.accounts[scope] ?? neverChecked;
    const hash = searchParams.get("token_sha256");
    if (route === "GET leases" && hash !== null) return ok({ leases: this.tokens.get(hash) ?? [] });
    if (route === "GET leases")
      return ok({
        leases: this.leases,
        ...(this.frozen ? { frozen: this.frozen } : {}),
        ...(account.checked_at === null ? {} : { account: summaryOf(account.checked_at, account) }),
      });
    if (route === "GET account") return ok(account);
    if (route === "GET scopes")
      return ok({ caller: { arn: "arn" }, scopes: ["sales", "finance"].map(operated) });
    if (searchParams.has("dry_run")) return ok({ matched: matched.length });
    if (route === "DELETE freeze") {
      this.frozen = undefined;
      return ok({ frozen: null });
    }
    this.leases = this.leases.filter((lease) => !matched.includes(lease));
    const ended = { matched: matched.length, revoked: matched.length, pending: 0 };
    if (route !== "PUT freeze") return ok(ended);
    this.frozen = { by: "arn", at: new Date().toISOString(), reason: "incident 42" };
    return ok({ ...ended, frozen: this.frozen });
  }

  /** Does it, and loses the answer. */
  lose(asked: Asked): "drop" {
    this.#done(asked);
    return "drop";
  }
}

const ok = (body: object): Reply => ({ status: 200, body });

const summaryOf = (checkedAt: string, { findings }: AccountCheck): AccountSummary => ({
  checked_at: checkedAt,
  findings: findings.filter(({ accepted }) => !accepted).map(({ code }) => code),
});

const operated = (scope: string) => ({ scope, base_url: "https://l", lease_seconds: 900, may: ["operate"] });
