/** The rights of a scope's service account, as an operator writes them. */
import {
  type Complain,
  type FieldsOf,
  isRecord,
  refuseUnknown,
  type UnknownFieldAdvice,
  within,
} from "./definition-checks.ts";
import { type FindingCode, findingCodes } from "./finding.ts";

/**
 * The rights of a service account, and findings about it that are known and wanted.
 *
 * @example
 * const account: AccountDefinition = {
 *   permissions: ["access_data", "see_lookml_dashboards"],
 *   models: ["sales"],
 *   accept: ["old_credential"],
 * };
 */
export interface AccountDefinition {
  /**
   * Looker permissions that the account may have, such as `see_lookml_dashboards`.
   * @default - any
   */
  readonly permissions?: readonly string[];
  /**
   * LookML models that the account may see.
   * @default - any
   */
  readonly models?: readonly string[];
  /**
   * Findings that raise no alarm for this scope.
   * @default - none
   */
  readonly accept?: readonly FindingCode[];
}

const accountFields: FieldsOf<AccountDefinition> = { permissions: true, models: true, accept: true };

/** Undefined where nothing is written, and after a complaint. */
export function parseAccount(
  value: unknown,
  wrong: Complain,
  advice: UnknownFieldAdvice,
): AccountDefinition | undefined {
  if (value === undefined) return undefined;
  if (!isRecord(value)) {
    wrong("account", 'must be an object like { permissions: ["access_data"], models: ["sales"] }');
    return undefined;
  }
  refuseUnknown(value, accountFields, within("account", wrong), advice);
  const names = (
    field: "permissions" | "models" | "accept",
    isKnown: (name: string) => boolean,
    { one, many }: { one: string; many: string },
  ) => {
    const list = value[field];
    if (list === undefined) return undefined;
    const isWrong = (name: unknown) => typeof name !== "string" || !isKnown(name);
    const entries: unknown[] | undefined = Array.isArray(list) ? Array.from(list) : undefined;
    const at = entries?.findIndex(isWrong);
    if (at === -1) return list as string[];
    const entry = at === undefined ? undefined : entries?.[at];
    wrong(
      `account.${field}`,
      typeof entry === "string" ? `${JSON.stringify(entry)} is no ${one}` : `must be a list of ${many}`,
    );
    return undefined;
  };
  const isName = (name: string) => /^[\w.:-]{1,255}$/.test(name);
  const permissions = names("permissions", isName, {
    one: "name of a Looker permission",
    many: "Looker permissions",
  });
  const models = names("models", isName, {
    one: "name of a LookML model",
    many: "names of LookML models",
  });
  const isCode = (name: string) => findingCodes.some((code) => code === name);
  const codes = findingCodes.join(", ");
  const accept = names("accept", isCode, {
    one: `finding. The findings are ${codes}`,
    many: `findings: ${codes}`,
  }) as FindingCode[] | undefined;
  return { ...(permissions && { permissions }), ...(models && { models }), ...(accept && { accept }) };
}
