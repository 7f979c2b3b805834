/** A Lambda function that asks Looker, without Looker's SDK. */
import { TokenBrokerClient } from "@looker-token-broker/client";
import type { Context } from "aws-lambda";

// Outside of the handler, so that a warm instance has its token already.
const broker = new TokenBrokerClient({ scope: "sales", timeoutMs: 10_000 });

export async function handler(_event: unknown, context: Context): Promise<{ user: string }> {
  // One limit for all: the broker, Looker, and both once more where Looker refuses the token. Two seconds are left to fail in.
  const signal = AbortSignal.timeout(context.getRemainingTimeInMillis() - 2_000);
  const response = await broker.withToken(
    (token) =>
      fetch(`${token.baseUrl}/api/4.0/user`, {
        headers: { Authorization: `Bearer ${token.accessToken}` },
        signal,
      }),
    { signal },
  );
  if (!response.ok) throw new Error(`Looker answered ${response.status}.`);
  const { display_name } = (await response.json()) as { display_name: string };
  return { user: display_name };
}
