/** A Lambda function that asks Looker, without Looker's SDK. */
import { TokenBrokerClient } from "looker-token-client";

// Outside of the handler, so that a warm instance has its token already. What the client may wait for the broker stays
// below the function's own time-out.
const broker = new TokenBrokerClient({ scope: "sales", budgetMs: 10_000 });

export async function handler(): Promise<{ user: string }> {
  const response = await broker.withToken((token) =>
    fetch(`${token.baseUrl}/api/4.0/user`, {
      headers: { Authorization: `Bearer ${token.accessToken}` },
      signal: AbortSignal.timeout(10_000),
    }),
  );
  if (!response.ok) throw new Error(`Looker answered ${response.status}.`);
  const { display_name } = (await response.json()) as { display_name: string };
  return { user: display_name };
}
