/** `GET /scopes`: the caller and its rights. */
import type { Broker } from "./broker.ts";

/** The body of the answer: for `parsePermissions` of the library and, as it is, for `--json`. */
export const permissionsOf = (broker: Broker): Promise<{ caller: object; scopes: object[] }> =>
  broker.ask({ method: "GET", path: "/scopes" });
