/** All that the page knows of the broker, and how each look at it brings it up to date. */
import type { AccountSummary, Frozen, ListedLease } from "../../listing.ts";
import type { Message, ScopeGrantLine } from "../messages.ts";
import { ask, Failed } from "./ask.ts";

export interface ScopeView extends ScopeGrantLine {
  readonly frozen?: Frozen | undefined;
  readonly account?: AccountSummary | undefined;
  readonly leases: readonly ListedLease[];
  /** The broker's time as the list began. Undefined: the whole list has not come yet. */
  readonly asOf?: number | undefined;
  /** The last look failed: the rest is of the look before. */
  readonly error?: string | undefined;
}

export interface View {
  readonly operator: string;
  readonly endpoint: string;
  readonly scopes: readonly ScopeView[];
  /** The broker's time less this page's own clock, milliseconds. */
  readonly ahead: number;
  /** The last look failed as a whole. */
  readonly error?: string | undefined;
}

export const nothingYet: View = { operator: "", endpoint: "", scopes: [], ahead: 0 };

/**
 * One look. `publish` gets each state to show: the first list grows page by page, a later one takes the place of the list
 * before as a whole, so that no lease is missing for a moment.
 */
export async function look(before: View, used: boolean, publish: (view: View) => void): Promise<View> {
  let view = before;
  const fresh = new Map<string, ScopeView>();
  const begun = new Map<string, number>();
  const show = (next: View) => {
    view = next;
    publish(next);
  };
  try {
    for await (const message of ask("look", { used })) {
      if (message.kind === "scopes") show(withScopes(view, message));
      if (message.kind === "page") {
        const now = message.now;
        const so = fresh.get(message.scope);
        const scope = grown(so ?? scopeOf(view, message.scope), so === undefined, message);
        fresh.set(message.scope, scope);
        if (so === undefined) begun.set(message.scope, now);
        const isFirst = scopeOf(before, message.scope).asOf === undefined;
        show({ ...(isFirst ? withScope(view, scope) : view), ahead: now - performance.now() });
      }
      if (message.kind === "scope_done") {
        const scope = fresh.get(message.scope);
        if (scope) show(withScope(view, { ...scope, asOf: begun.get(message.scope) }));
      }
      if (message.kind === "scope_failed")
        show(withScope(view, { ...scopeOf(view, message.scope), error: textOf(message.error) }));
    }
    show({ ...view, error: undefined });
  } catch (error) {
    if (!(error instanceof Failed)) throw error;
    show({ ...view, error: error.message });
  }
  return view;
}

const textOf = ({ message, hint = "" }: { message: string; hint?: string }) => `${message} ${hint}`.trim();

const unknown = (scope: string): ScopeView => ({ scope, baseUrl: "", leaseSeconds: 0, leases: [] });

const scopeOf = (view: View, name: string): ScopeView =>
  view.scopes.find(({ scope }) => scope === name) ?? unknown(name);

const withScope = (view: View, scope: ScopeView): View => ({
  ...view,
  scopes: view.scopes.map((each) => (each.scope === scope.scope ? scope : each)),
});

function withScopes(view: View, { operator, endpoint, scopes }: Extract<Message, { kind: "scopes" }>): View {
  return {
    ...view,
    operator,
    endpoint,
    scopes: scopes.map((grant) => ({ ...scopeOf(view, grant.scope), ...grant })),
  };
}

function grown(scope: ScopeView, isFirst: boolean, page: Extract<Message, { kind: "page" }>): ScopeView {
  return {
    ...scope,
    leases: isFirst ? page.leases : [...scope.leases, ...page.leases],
    // The last page is the newest.
    frozen: page.frozen,
    account: page.account ?? (isFirst ? undefined : scope.account),
    error: undefined,
  };
}
