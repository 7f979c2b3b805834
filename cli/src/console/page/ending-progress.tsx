/** The truth about an ending, line by line as it comes in. */
import { useEffect, useRef, useState } from "preact/hooks";
import { deniedText } from "../../denial.ts";
import { outcomeOf, outcomeText, type RevocationResult } from "../../outcome.ts";
import type { Message } from "../messages.ts";
import { Failed } from "./ask.ts";

interface ProgressProps {
  readonly answer: AsyncGenerator<Message, void>;
  onChange(): void;
  onClose(): void;
}

export function Progress({ answer, onChange, onClose }: ProgressProps) {
  const [told, setTold] = useState<readonly Message[]>([]);
  const [error, setError] = useState<string | undefined>();
  const [isDone, setDone] = useState(false);
  const close = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    const listen = async () => {
      try {
        for await (const message of answer) setTold((before) => [...before, message]);
      } catch (failure) {
        setError(failure instanceof Failed ? failure.message : String(failure));
      }
      setDone(true);
      onChange();
    };
    close.current?.focus();
    listen();
  }, [answer]);
  const last = told.findLast((message) => message.kind === "progress" || message.kind === "ended");
  return (
    <>
      <div aria-live="polite">
        {told.map((message) => (
          <Line key={message.kind} message={message} />
        ))}
        {last && <Counts result={last.result} scope={last.scope} isDone={last.kind === "ended"} />}
        {!isDone && <p>Waiting for the broker and Looker …</p>}
        {last?.kind === "ended" && last.result.denial && (
          <p class="trouble">{deniedText([last.result.denial])}</p>
        )}
        {error && <p class="trouble">{error} It may have been done all the same: the list shows it.</p>}
      </div>
      <p class="actions">
        <button type="button" ref={close} onClick={onClose}>
          {isDone ? "Close" : "Close, and let it go on"}
        </button>
      </p>
    </>
  );
}

/** What is told once. */
function Line({ message }: { message: Message }) {
  if (message.kind === "frozen") return <p>Frozen: callers get no lease of {message.scope}.</p>;
  if (message.kind === "unfrozen")
    return message.was === null ? (
      <p>Unchanged: {message.scope} was not frozen.</p>
    ) : (
      <p>Unfrozen: callers get new leases of {message.scope} again.</p>
    );
  if (message.kind === "answer_lost")
    return <p class="trouble">The broker's answer was lost. The scope's list shows the outcome.</p>;
  if (message.kind === "scope_failed")
    return (
      <p class="trouble">
        {message.error.message} {message.error.hint}
      </p>
    );
  return null;
}

const named = ["revoked", "pending", "expired", "unknown", "gone"] as const;

function Counts({ result, scope, isDone }: { result: RevocationResult; scope: string; isDone: boolean }) {
  const outcome = outcomeOf(result);
  const shown = named.filter((name) => result[name] > 0 || name === "revoked" || name === "pending");
  return (
    <>
      <dl class="counts">
        {shown.map((name) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{result[name].toLocaleString("en-GB")}</dd>
          </div>
        ))}
      </dl>
      {isDone && (
        <p>
          <strong class={`outcome ${outcome}`}>{outcome}</strong> {outcomeText(result, scope)}
        </p>
      )}
    </>
  );
}
