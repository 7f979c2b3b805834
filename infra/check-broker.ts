/** Refuses a construct with everything that is wrong with its settings and scopes, in one error. */
import { scopeErrors } from "./check-scopes.ts";
import { deploymentErrors, guardErrors, settingErrors } from "./check-settings.ts";
import { isPlainObject } from "./setting-checks.ts";

export class BrokerSettingsError extends Error {
  override readonly name = "BrokerSettingsError";
  /** `caller`: the stack trace begins with the line that calls it, because a mistake is there or above. */
  constructor(
    construct: string,
    errors: readonly string[],
    caller?: abstract new (...args: never[]) => unknown,
  ) {
    super(`${construct} cannot be built:\n${errors.map((error) => `  - ${error}`).join("\n")}`);
    if (caller) Error.captureStackTrace(this, caller);
  }
}

/** The construct that is checked, and where it is deployed. */
export interface Checked {
  /** Path in the app, such as `Staging/looker-token-broker/Broker`. */
  readonly construct: string;
  readonly account: string;
  readonly region: string;
  readonly caller?: abstract new (...args: never[]) => unknown;
}

/** @throws {BrokerSettingsError} */
export function checkBroker(props: unknown, checked: Checked): void {
  const scopes = isPlainObject(props) ? scopeErrors(props.scopes, checked) : [];
  refuse([...settingErrors(props, checked), ...scopes], checked);
}

/**
 * Checks a whole scopes file, with the guard's settings.
 * @throws {BrokerSettingsError}
 */
export function checkDeployment(
  { scopes, settings }: { readonly scopes: unknown; readonly settings: unknown },
  checked: Checked,
): void {
  refuse([...deploymentErrors(settings, checked), ...scopeErrors(scopes, checked)], checked);
}

/** @throws {BrokerSettingsError} */
export function checkGuard(props: unknown, checked: Pick<Checked, "construct" | "caller">): void {
  refuse(guardErrors(props), checked);
}

function refuse(
  errors: readonly string[],
  { construct, caller }: Pick<Checked, "construct" | "caller">,
): void {
  if (errors.length > 0) throw new BrokerSettingsError(construct, errors, caller);
}
