/**
 * Who may call what at the AWS proxy: each function by its role's own statements, operators by the policy that the stack hands
 * out for auditors, the administrator, nobody else.
 */
import type { PolicyStatement } from "../stack/policy-document.ts";
import type { LocalRole } from "../stack/roles.ts";
import type { AccessDecision, ArrivedCall } from "./call.ts";

export interface Auditors {
  readonly arns: readonly string[];
  readonly statements: readonly PolicyStatement[];
}

/**
 * By action alone, which keeps `logout` from secrets and callers from everything. Resources, conditions and the
 * policies of table and key are enforced while the end-to-end tests run (test/support/iam/enforce.ts): the evaluator that can do
 * it is for tests only, by its licence.
 */
export function authorizeCalls(
  roles: readonly LocalRole[],
  administratorArn: string,
  auditors: Auditors = { arns: [], statements: [] },
): (call: ArrivedCall) => AccessDecision {
  const statementsOf = (arn: string) =>
    roles.find((role) => role.arn === arn)?.statements ??
    (auditors.arns.includes(arn) ? auditors.statements : []);
  return ({ service, operation, principalArn }) => {
    // "You also need lambda:InvokeFunction permissions on the rotation function":
    // https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotateSecret.html
    const actions = [
      `${service}:${operation}`,
      ...(operation === "RotateSecret" ? ["lambda:InvokeFunction"] : []),
    ];
    if (principalArn === administratorArn)
      return service === "kms"
        ? { allow: false, reason: "an administrator of rows and secrets opens no seals" }
        : { allow: true };
    const statements = statementsOf(principalArn);
    const denied = actions.find(
      (action) =>
        !statements.some(({ Effect, Action }) => Effect === "Allow" && [Action].flat().includes(action)),
    );
    return denied === undefined ? { allow: true } : { allow: false, reason: `no statement allows ${denied}` };
  };
}
