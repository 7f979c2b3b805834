/** Whether somebody uses the console. A forgotten one would leave a way to the broker open. */

export interface Use {
  /** Resolves after `idleMs` without use. */
  readonly ended: Promise<void>;
  note(): void;
  /** Something is under way until the returned function is called. */
  begin(): () => void;
  release(): void;
}

export function watchUse(idleMs: number): Use {
  let underWay = 0;
  let timer: NodeJS.Timeout;
  let end = () => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const note = () => {
    clearTimeout(timer);
    timer = setTimeout(() => (underWay > 0 ? note() : end()), idleMs);
  };
  note();
  return {
    ended,
    note,
    begin() {
      underWay++;
      return () => void underWay--;
    },
    release: () => clearTimeout(timer),
  };
}
