/** The page: scopes above, a box for a token, and the table of leases. */
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { Arn } from "./arn.tsx";
import { EndDialog, type EndDialogJob } from "./end-dialog.tsx";
import { LeaseSection } from "./lease-section.tsx";
import { Moment } from "./moments.tsx";
import { ScopeCard } from "./scope-card.tsx";
import { TokenBox } from "./token-box.tsx";
import { look, nothingYet, type View } from "./view.ts";

export function App() {
  const [view, lookNow] = useView();
  const [scope, setScope] = useState<string | undefined>();
  const [job, setJob] = useState<EndDialogJob | undefined>();
  const [changes, setChanges] = useState(0);
  const onChange = () => {
    setChanges((count) => count + 1);
    lookNow();
  };
  const { scopes, error } = view;
  const failed = scopes.filter((each) => each.error !== undefined);
  return (
    <>
      <header>
        <h1>looker-token console</h1>
        <p class="where">
          <span>
            <Arn text={view.endpoint} />
          </span>{" "}
          <span>
            <Arn text={view.operator} />
          </span>
        </p>
        <div class="asof">
          <AsOf view={view} />
          <button type="button" onClick={lookNow}>
            Look again
          </button>
        </div>
      </header>
      <main>
        <div role="alert">
          {error && <p class="trouble">{error} The page shows the last answer.</p>}
          {failed.map((each) => (
            <p class="trouble" key={each.scope}>
              {each.scope}: {each.error}
            </p>
          ))}
        </div>
        <TokenBox ahead={view.ahead} changes={changes} onEnd={setJob} />
        <section aria-labelledby="scopes">
          <h2 id="scopes">Scopes</h2>
          <ul class="scopes">
            {scopes.map((each) => (
              <ScopeCard
                key={each.scope}
                view={each}
                ahead={view.ahead}
                isChosen={scope === each.scope}
                onChoose={() => setScope(scope === each.scope ? undefined : each.scope)}
                onJob={setJob}
              />
            ))}
          </ul>
        </section>
        <LeaseSection view={view} scope={scope} onAllScopes={() => setScope(undefined)} onEnd={setJob} />
      </main>
      {job && <EndDialog job={job} onChange={onChange} onClose={() => setJob(undefined)} />}
    </>
  );
}

function AsOf({ view: { scopes } }: { view: View }) {
  const times = scopes.flatMap(({ asOf }) => (asOf === undefined ? [] : [asOf]));
  const isLooking = scopes.some(({ asOf, error }) => asOf === undefined && error === undefined);
  if (times.length === 0 || isLooking) return <span>Looking …</span>;
  return (
    <span>
      As of <Moment at={Math.min(...times)} />
    </span>
  );
}

const leastPauseMs = 3_000;
/** A look at ten thousand leases takes the broker's time. The page leaves it more than it takes. */
const pauseForEachMs = 4;

/** The view, kept up to date while the page is visible. */
function useView(): [View, () => void] {
  const [view, setView] = useState(nothingYet);
  const loop = useRef<{ lookNow(): void }>({ lookNow() {} });
  useEffect(() => {
    let current = nothingYet;
    let used = true;
    let isLooking = false;
    let isWanted = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const paint = onePaintAtATime(setView);
    const lookNow = async () => {
      if (isLooking) {
        isWanted = true;
        return;
      }
      clearTimeout(timer);
      isLooking = true;
      const begun = performance.now();
      const wasUsed = used;
      used = false;
      current = await look(current, wasUsed, paint);
      isLooking = false;
      const pauseMs = Math.max(leastPauseMs, pauseForEachMs * (performance.now() - begun));
      if (!document.hidden) timer = setTimeout(lookNow, isWanted ? 0 : pauseMs);
      isWanted = false;
    };
    const note = () => {
      used = true;
    };
    const onVisible = () => void (document.hidden || lookNow());
    for (const name of ["pointerdown", "keydown", "scroll"]) addEventListener(name, note, { passive: true });
    document.addEventListener("visibilitychange", onVisible);
    loop.current = { lookNow };
    lookNow();
    return () => {
      clearTimeout(timer);
      for (const name of ["pointerdown", "keydown", "scroll"]) removeEventListener(name, note);
      document.removeEventListener("visibilitychange", onVisible);
    };
  }, []);
  return [view, useCallback(() => loop.current.lookNow(), [])];
}

/** Pages of a list come faster than they can be shown. */
function onePaintAtATime(show: (view: View) => void): (view: View) => void {
  let latest: View | undefined;
  return (view) => {
    if (latest === undefined)
      setTimeout(() => {
        if (latest) show(latest);
        latest = undefined;
      }, 50);
    latest = view;
  };
}
