/** The question before something is ended, frozen or given back. */
import { useEffect, useRef, useState } from "preact/hooks";
import { type Denial, denialQuestion } from "../../denial.ts";
import { everything, type Filter } from "../../filter.ts";
import type { Frozen } from "../../listing.ts";
import { leases } from "../../outcome.ts";
import type { Message } from "../messages.ts";
import { Arn } from "./arn.tsx";
import { ask, Failed } from "./ask.ts";
import { Progress } from "./ending-progress.tsx";
import { Moment } from "./moments.tsx";
import type { Row } from "./rows.ts";

export type EndDialogJob =
  | { readonly kind: "revoke"; readonly row: Row }
  | { readonly kind: "revoke_scope"; readonly scope: string }
  | { readonly kind: "freeze"; readonly scope: string }
  | { readonly kind: "unfreeze"; readonly scope: string; readonly frozen: Frozen };

interface Props {
  readonly job: EndDialogJob;
  /** Something has changed at the broker. */
  onChange(): void;
  onClose(): void;
}

export function EndDialog({ job, onChange, onClose }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [answer, setAnswer] = useState<AsyncGenerator<Message, void> | undefined>();
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} aria-labelledby="question" onClose={onClose}>
      <h2 id="question">{titleOf(job)}</h2>
      {job.kind === "revoke" && (
        <p class="dim">
          <Arn text={job.row.lease.caller} />
        </p>
      )}
      {answer ? (
        <Progress answer={answer} onChange={onChange} onClose={() => dialog.current?.close()} />
      ) : (
        <Question job={job} onAnswer={setAnswer} onCancel={() => dialog.current?.close()} />
      )}
    </dialog>
  );
}

function titleOf(job: EndDialogJob): string {
  if (job.kind === "revoke") return `End leases of ${job.row.name} in ${job.row.scope}`;
  if (job.kind === "revoke_scope") return `End all leases of ${job.scope}`;
  return job.kind === "freeze" ? `Freeze ${job.scope}` : `Unfreeze ${job.scope}`;
}

interface QuestionProps {
  readonly job: EndDialogJob;
  onAnswer(answer: AsyncGenerator<Message, void>): void;
  onCancel(): void;
}

function Question({ job, onAnswer, onCancel }: QuestionProps) {
  const scope = job.kind === "revoke" ? job.row.scope : job.scope;
  const choices = job.kind === "revoke" ? choicesOf(job.row) : [];
  const [choice, setChoice] = useState(0);
  const [typed, setTyped] = useState("");
  const [reason, setReason] = useState("");
  const filter = choices[choice]?.filter ?? everything;
  const isOfWholeScope = job.kind === "freeze" || job.kind === "revoke_scope";
  const { count, denial: foreseen } = useCount(scope, filter);
  const denial = denialQuestion(filter, [foreseen], [scope]);
  const isTyped = typed === scope && (job.kind !== "freeze" || reason.trim() !== "");
  // What is not typed is ended by one key: not before its number is shown, or cannot be had.
  const isReady = isOfWholeScope ? isTyped : count !== undefined;

  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    if (!isReady) return;
    if (job.kind === "unfreeze") onAnswer(ask("unfreeze", { scope }));
    else if (job.kind === "freeze") onAnswer(ask("freeze", { scope, reason, typed }));
    else onAnswer(ask("revoke", { scope, filter, ...(isOfWholeScope ? { typed } : {}) }));
  };
  return (
    <form onSubmit={submit} onKeyDown={refuseRepeated}>
      {choices.length > 0 && (
        <fieldset>
          <legend>Which leases?</legend>
          {choices.map(({ name }, at) => (
            <label class="choice" key={name}>
              <input type="radio" name="choice" checked={choice === at} onChange={() => setChoice(at)} />
              <span>{name}</span>
            </label>
          ))}
        </fieldset>
      )}
      {job.kind === "unfreeze" && (
        <p>
          Frozen by {job.frozen.by}, <Moment at={Date.parse(job.frozen.at)} />:{" "}
          <strong>{job.frozen.reason}</strong>
        </p>
      )}
      <p class="count" aria-live="polite">
        {hitText(job, count)}
      </p>
      {denial.length > 0 && <p class="trouble">{denial.join(" ")}</p>}
      {job.kind === "revoke" && (
        <p class="dim">
          A caller whose leases end may fetch new ones at once. To keep it out, freeze the scope.
        </p>
      )}
      {job.kind === "freeze" && (
        <label>
          Reason, for the operator who will unfreeze it
          <input
            maxLength={256}
            value={reason}
            onInput={({ currentTarget }) => setReason(currentTarget.value)}
          />
        </label>
      )}
      {isOfWholeScope && (
        <label>
          <span>
            This is for all of the scope. Type its name, <strong>{scope}</strong>
          </span>
          <input
            autocomplete="off"
            autocapitalize="off"
            spellcheck={false}
            value={typed}
            onInput={({ currentTarget }) => setTyped(currentTarget.value)}
          />
        </label>
      )}
      <p class="actions">
        <button type="button" onClick={onCancel}>
          Cancel
        </button>
        <button type="submit" class={job.kind === "unfreeze" ? "main" : "danger"} disabled={!isReady}>
          {verbOf(job, count)}
        </button>
      </p>
    </form>
  );
}

/** Enter held down on the button of a row would go on to answer the question that it opened. */
function refuseRepeated(event: KeyboardEvent): void {
  if (event.repeat && event.key === "Enter") event.preventDefault();
}

function choicesOf({ lease, name }: Row): { name: string; filter: Filter }[] {
  return [
    ...(lease.lease_id === null
      ? []
      : [{ name: `This lease, ${lease.lease_id}`, filter: { lease_id: lease.lease_id } }]),
    { name: `All leases of ${name} in this scope`, filter: { caller: lease.caller } },
    ...(lease.client_id === null
      ? []
      : [
          {
            name: `All leases made with client id ${lease.client_id}, which is then denied`,
            filter: { client_id: lease.client_id },
          },
        ]),
  ];
}

/** A number, or why there is none. */
type Count = number | string | undefined;

function useCount(scope: string, filter: Filter): { count: Count; denial?: Denial | undefined } {
  const [count, setCount] = useState<Count>();
  const [denial, setDenial] = useState<Denial | undefined>();
  const asked = JSON.stringify(filter);
  useEffect(() => {
    let isStale = false;
    setCount(undefined);
    setDenial(undefined);
    const load = async () => {
      try {
        for await (const message of ask("count", { scope, filter: JSON.parse(asked) }))
          if (message.kind === "count" && !isStale) {
            setCount(message.matched);
            setDenial(message.denial);
          }
      } catch (error) {
        if (!isStale) setCount(error instanceof Failed ? error.message : String(error));
      }
    };
    load();
    return () => {
      isStale = true;
    };
  }, [scope, asked]);
  return { count, denial };
}

function hitText({ kind }: EndDialogJob, count: Count): string {
  if (count === undefined) return "Counting …";
  if (typeof count === "string") return `Not counted: ${count}`;
  if (kind === "unfreeze")
    return `It ends nothing, and callers get leases again. The scope has ${leases(count)} now.`;
  const ends = `It ends ${leases(count)}.`;
  return kind === "freeze" ? `${ends} Then callers get no lease until it is unfrozen.` : ends;
}

function verbOf({ kind }: EndDialogJob, count: Count): string {
  if (kind === "unfreeze") return "Unfreeze";
  if (kind === "freeze") return typeof count === "number" ? `Freeze, and end ${leases(count)}` : "Freeze";
  return typeof count === "number" ? `End ${leases(count)}` : "End them";
}
