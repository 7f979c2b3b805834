/** A box for a token that was found somewhere. The token is hashed here, and never leaves the page. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { ListedLease } from "../../listing.ts";
import { pastedToken } from "../../pasted-token.ts";
import { Arn } from "./arn.tsx";
import { ask, Failed } from "./ask.ts";
import type { EndDialogJob } from "./end-dialog.tsx";
import { age, Moment, remaining, useNow } from "./moments.tsx";
import { rowOf } from "./rows.ts";

interface Found {
  readonly hash: string;
  readonly leases: readonly { readonly scope: string; readonly lease: ListedLease }[];
  /** Scopes that could not be asked, each with its reason. */
  readonly missing: readonly string[];
}

type Show = (answer: Found | string) => void;

interface Props {
  readonly ahead: number;
  /** How often something was ended. Then the answer is asked for anew. */
  readonly changes: number;
  onEnd(job: EndDialogJob): void;
}

export function TokenBox({ ahead, changes, onEnd }: Props) {
  const box = useRef<HTMLInputElement>(null);
  const [answer, setAnswer] = useState<Found | string | undefined>();

  const turns = useRef(0);
  /** Begins a question. Its answer is shown until the next one begins, for answers may overtake each other. */
  const begin = (): Show => {
    const turn = ++turns.current;
    return (next) => {
      if (turn === turns.current) setAnswer(next);
    };
  };

  const find = async (text: string) => {
    // Cleared before anything else is done with it.
    if (box.current) box.current.value = "";
    const show = begin();
    const pasted = pastedToken(text);
    if ("refused" in pasted) return show(pasted.refused);
    show("Looking …");
    await findByHash("token" in pasted ? await sha256(pasted.token) : pasted.tokenSha256, show);
  };

  const findByHash = async (hash: string, show: Show) => {
    try {
      const leases: Found["leases"][number][] = [];
      const missing: string[] = [];
      for await (const message of ask("whose", { token_sha256: hash })) {
        if (message.kind === "found") leases.push(message);
        if (message.kind === "scope_failed") missing.push(`${message.scope}: ${message.error.message}`);
      }
      show({ hash, leases, missing });
    } catch (error) {
      show(error instanceof Failed ? error.message : String(error));
    }
  };

  const hash = typeof answer === "object" ? answer.hash : undefined;
  // Not when the hash changes: then the answer has just come.
  useEffect(() => {
    if (hash !== undefined) findByHash(hash, begin());
  }, [changes]);

  return (
    <section class="token" aria-labelledby="whose">
      <h2 id="whose">Whose token is this?</h2>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          find(box.current?.value ?? "");
        }}
      >
        <label for="token">A Looker token that was found</label>
        <input
          id="token"
          ref={box}
          type="password"
          autocomplete="off"
          spellcheck={false}
          aria-describedby="token-stays"
          onPaste={(event) => {
            event.preventDefault();
            find(event.clipboardData?.getData("text") ?? "");
          }}
        />
        <button type="submit">Find</button>
        <p id="token-stays" class="dim">
          Paste it. It stays in this page and is forgotten at once: the broker is asked by its SHA-256 only.
        </p>
      </form>
      <div aria-live="polite">
        {answer !== undefined && <Answer answer={answer} ahead={ahead} onEnd={onEnd} />}
      </div>
    </section>
  );
}

function Answer({ answer, ahead, onEnd }: Omit<Props, "changes"> & { answer: Found | string }) {
  const now = useNow(ahead);
  if (typeof answer === "string") return <p>{answer}</p>;
  const { hash, leases, missing } = answer;
  return (
    <>
      {leases.map(({ scope, lease }) => {
        const row = rowOf(scope, lease);
        return (
          <article class="found" key={row.key}>
            <p>
              <strong>{row.name}</strong> in scope <strong>{scope}</strong>
              {lease.session ? `, session ${lease.session}` : ""}: {lease.state}. The token was made{" "}
              {age(row.issuedAt, now)} ago, at <Moment at={row.issuedAt} />.
              {lease.token_ends_at !== null && <Work until={Date.parse(lease.token_ends_at)} now={now} />}
            </p>
            <p class="dim">
              <Arn text={lease.caller} />, lease {lease.lease_id}
            </p>
            <button type="button" class="danger" onClick={() => onEnd({ kind: "revoke", row })}>
              End this token …
            </button>
          </article>
        );
      })}
      {leases.length === 0 && (
        <>
          <p>
            {missing.length === 0
              ? "No lease of your scopes has this token. Either Looker has confirmed its end, or it is of another scope, or it is not the broker's."
              : "No lease with this token was found."}{" "}
            Ask the records:
          </p>
          <pre>looker-token ask who-got-this-token --token-sha256 {hash}</pre>
          <p>To end it at Looker itself, paste it into the command, which shows how:</p>
          <pre>looker-token whose</pre>
        </>
      )}
      {missing.map((each) => (
        <p class="trouble" key={each}>
          Not asked. {each}
        </p>
      ))}
    </>
  );
}

function Work({ until, now }: { until: number; now: number }) {
  if (until <= now) return <> Looker itself has ended it.</>;
  return (
    <>
      {" "}
      It can work at Looker for {remaining(until, now)}, until <Moment at={until} />.
    </>
  );
}

async function sha256(text: string): Promise<string> {
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
