/**
 * Lambda, as far as it limits: an instance serves one request at a time, an account has so many at once, and takes ten times as
 * many requests a second. https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html
 */
import type { Clock } from "../../functions/use-cases/ports.ts";
import { createThrottle } from "../../local/gateway/throttle.ts";

/** At 512 MB (docs/reference/performance.md). */
const coldStartMs = 700;
const requestsPerSecondOfOneInstance = 10;

export type Handler<Result> = (event: unknown) => Promise<Result>;

export interface LambdaUse {
  /** The most instances that were at work at once. */
  mostAtOnce: number;
  coldStarts: number;
  refused: number;
  /** Of all invocations, cold starts included. */
  busyMs: number;
}

/** `start` makes an instance, with a memory of its own. `invoke` answers undefined where Lambda refuses. */
export function simulatedLambda<Result>(clock: Clock, concurrency: number, start: () => Handler<Result>) {
  const use: LambdaUse = { mostAtOnce: 0, coldStarts: 0, refused: 0, busyMs: 0 };
  const perSecond = concurrency * requestsPerSecondOfOneInstance;
  const requests = createThrottle({ ratePerSecond: perSecond, burst: perSecond }, new Date(clock.now()));
  const idle: Handler<Result>[] = [];
  let atWork = 0;
  async function invoke(event: unknown): Promise<Result | undefined> {
    if (atWork >= concurrency || !requests.admit(new Date(clock.now()))) {
      use.refused++;
      return undefined;
    }
    atWork++;
    use.mostAtOnce = Math.max(use.mostAtOnce, atWork);
    const startedAt = clock.now();
    let instance = idle.pop();
    try {
      if (!instance) {
        use.coldStarts++;
        instance = start();
        await clock.sleep(coldStartMs);
      }
      return await instance(event);
    } finally {
      use.busyMs += clock.now() - startedAt;
      atWork--;
      if (instance) idle.push(instance);
    }
  }
  return { use, invoke };
}
