/** The local run's scopes, behind a throttle that a handful of requests reaches. */
import type { BrokerSettings } from "../../infra/stack.ts";

export { scopes } from "../../local/scopes.ts";

export const settings: BrokerSettings = () => ({ throttle: { rateLimit: 1, burstLimit: 1 } });
