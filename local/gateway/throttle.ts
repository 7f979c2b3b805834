/**
 * API Gateway's token bucket for a stage.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-request-throttling.html
 */
export interface ThrottleOptions {
  ratePerSecond: number;
  burst: number;
}

export function createThrottle({ ratePerSecond, burst }: ThrottleOptions, start: Date) {
  let tokens = burst;
  let filledAt = start.getTime();
  return {
    admit(now: Date): boolean {
      const elapsedMs = Math.max(0, now.getTime() - filledAt);
      tokens = Math.min(burst, tokens + (elapsedMs / 1000) * ratePerSecond);
      filledAt = now.getTime();
      if (tokens < 1) return false;
      tokens -= 1;
      return true;
    },
  };
}
