/** One scope: whether it is served, what is held, and what its account may do too much. */
import { useState } from "preact/hooks";
import { type AccountCheck, findingCount, openFindings } from "../../account.ts";
import { nextStepFor } from "../../next-step.ts";
import { span } from "../../time.ts";
import { Arn } from "./arn.tsx";
import { ask, Failed } from "./ask.ts";
import type { EndDialogJob } from "./end-dialog.tsx";
import { Moment } from "./moments.tsx";
import { countsOf } from "./rows.ts";
import type { ScopeView } from "./view.ts";

interface Props {
  readonly view: ScopeView;
  readonly ahead: number;
  readonly isChosen: boolean;
  onChoose(): void;
  onJob(job: EndDialogJob): void;
}

export function ScopeCard({ view, isChosen, onChoose, onJob }: Props) {
  const { scope, frozen, leases, account, asOf, error } = view;
  const counts = countsOf(leases);
  const found = account?.findings.length ?? 0;
  const isWhole = asOf !== undefined;
  // The first page of the list tells of a freeze.
  const isKnown = isWhole || frozen !== undefined || leases.length > 0;
  return (
    <li class={frozen ? "scope frozen" : "scope"}>
      <h3>
        <button
          type="button"
          aria-pressed={isChosen}
          onClick={onChoose}
          title="Show the leases of this scope only"
        >
          {scope}
        </button>
        {isKnown && (
          <span class={frozen ? "state frozen" : "state live"}>{frozen ? "frozen" : "served"}</span>
        )}
      </h3>
      <p>
        {counts.length === 0
          ? isWhole
            ? "No leases"
            : error === undefined
              ? "Looking …"
              : "Not known"
          : counts.map(([state, count]) => `${count.toLocaleString("en-GB")} ${state}`).join(", ")}
        {isWhole || counts.length === 0 ? "" : " so far"}
        <span class="dim">, a lease lasts {span(view.leaseSeconds)}</span>
      </p>
      {frozen && (
        <p class="why">
          <strong>{frozen.reason}</strong>
          <br />
          <span class="dim">
            by <Arn text={frozen.by} />, <Moment at={Date.parse(frozen.at)} />
          </span>
        </p>
      )}
      {found > 0 ? (
        <Findings scope={scope} count={found} />
      ) : (
        isKnown && (
          <p class="dim">{account ? "No findings about its account" : "Its account is not checked yet"}</p>
        )
      )}
      <p class="actions">
        {frozen ? (
          <button type="button" onClick={() => onJob({ kind: "unfreeze", scope, frozen })}>
            Unfreeze …
          </button>
        ) : (
          <button type="button" onClick={() => onJob({ kind: "freeze", scope })}>
            Freeze …
          </button>
        )}
        <button type="button" onClick={() => onJob({ kind: "revoke_scope", scope })}>
          End all leases …
        </button>
      </p>
    </li>
  );
}

function Findings({ scope, count }: { scope: string; count: number }) {
  const [check, setCheck] = useState<AccountCheck | string | undefined>();
  const load = async () => {
    try {
      for await (const message of ask("account", { scope }))
        if (message.kind === "account") setCheck(message.check);
    } catch (error) {
      setCheck(error instanceof Failed ? error.message : String(error));
    }
  };
  return (
    <details onToggle={({ currentTarget }) => void (currentTarget.open && load())}>
      <summary>{findingCount(count)} about its account</summary>
      {typeof check === "string" && <p class="trouble">{check}</p>}
      {typeof check === "object" && (
        <dl>
          {openFindings(check).map(({ code, detail }) => (
            <div key={code}>
              <dt>{code}</dt>
              <dd>{detail}</dd>
              <dd class="dim">{nextStepFor(code)}</dd>
            </div>
          ))}
        </dl>
      )}
    </details>
  );
}
