/**
 * `throttle`, the account's concurrency and `reservedConcurrency` together: docs/explanation/limits.md has the reasons and the
 * measurements. Faults are certain. Warnings are about quotas that the account may have raised.
 */
import { defaultThrottle, type TokenBrokerProps } from "./settings.ts";

export type CapacityProps = Pick<TokenBrokerProps, "throttle" | "accountConcurrency" | "reservedConcurrency">;

/** An established account's: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
const usualConcurrency = 1_000;
/** Of an account, for functions without a reservation: https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html */
const leastUnreserved = 100;
/** For each of an account's concurrency: https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html */
const requestsPerSecond = 10;
/** A request holds an instance while it waits for another one's login (functions/use-cases/issue.ts). */
const longestWaitSeconds = 3;

/** https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html */
const usualApiQuota = { rate: 10_000, burst: 5_000 };
const smallerApiQuota = { rate: 2_500, burst: 1_250 };
const regionsWithSmallerApiQuota: ReadonlySet<string> = new Set([
  ...["af-south-1", "ap-south-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5", "ap-southeast-7"],
  ...[
    "ca-west-1",
    "eu-central-2",
    "eu-south-1",
    "eu-south-2",
    "il-central-1",
    "me-central-1",
    "mx-central-1",
  ],
]);

/** Contradictions within the settings. */
export function capacityFaults(props: CapacityProps): string[] {
  const { accountConcurrency } = props;
  if (accountConcurrency === undefined) return [];
  const { rateLimit } = props.throttle ?? defaultThrottle;
  const reserved = reservedIn(props);
  if (reserved > 0 && accountConcurrency - reserved < leastUnreserved)
    return [
      `reservedConcurrency: ${reserved} of accountConcurrency ${accountConcurrency} leaves ${accountConcurrency - reserved}, and Lambda keeps ${leastUnreserved} for functions without a reservation: reserve less, or ask AWS for more`,
    ];
  const most = (accountConcurrency - reserved) * requestsPerSecond;
  if (rateLimit <= most) return [];
  const meant = props.throttle ? "throttle.rateLimit: " : "throttle: the default of ";
  return [
    `${meant}${rateLimit} requests a second is above the ${most} that Lambda takes with accountConcurrency ${accountConcurrency}${reserved > 0 ? ` less ${reserved} reserved` : ""}: set at most ${most}, or ask AWS for more concurrency`,
  ];
}

/** By id. `region`: undefined where it is known at deployment only. */
export function capacityWarnings(props: CapacityProps, region: string | undefined): Map<string, string> {
  const { rateLimit, burstLimit } = props.throttle ?? defaultThrottle;
  const { accountConcurrency } = props;
  const concurrency = accountConcurrency ?? usualConcurrency;
  const free = Math.max(0, concurrency - reservedIn(props));
  const left = `accountConcurrency ${accountConcurrency ?? `(not set, taken to be ${concurrency})`} leaves ${free}`;
  const held = Math.ceil(rateLimit * longestWaitSeconds);
  const quota = region && regionsWithSmallerApiQuota.has(region) ? smallerApiQuota : usualApiQuota;
  const warnings = new Map<string, string>();
  if (held > free)
    warnings.set(
      "throttle-above-concurrency",
      `throttle: while Looker hangs, a request holds an instance for ${longestWaitSeconds} s. ${rateLimit} requests a second hold ${held} instances, and ${left}. The account's other functions would be refused. See docs/explanation/limits.md.`,
    );
  if (burstLimit > free)
    warnings.set(
      "burst-above-concurrency",
      `throttle: a crowd of burstLimit ${burstLimit} gets in at once, and ${left}. Lambda would refuse the rest of the crowd, and the account's other functions. See docs/explanation/limits.md.`,
    );
  const inAccount = `for an account${region ? ` in ${region}` : ""}`;
  if (rateLimit > quota.rate)
    warnings.set(
      "throttle-above-quota",
      `throttle: ${rateLimit} requests a second is above API Gateway's quota of ${quota.rate} ${inAccount}. Ask AWS for more.`,
    );
  if (burstLimit > quota.burst)
    warnings.set(
      "burst-above-quota",
      `throttle: burstLimit ${burstLimit} is above API Gateway's burst quota of ${quota.burst} ${inAccount}. AWS raises it only along with the rate.`,
    );
  return warnings;
}

const reservedIn = ({ reservedConcurrency: { operate = 0, sweep = 0 } = {} }: CapacityProps): number =>
  operate + sweep;
