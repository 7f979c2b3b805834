/** Rotation of secrets and retirement of their old pairs: the function, its schedules and permissions. */
import { Duration, Stack } from "aws-cdk-lib";
import type { Table } from "aws-cdk-lib/aws-dynamodb";
import { CfnPermission } from "aws-cdk-lib/aws-lambda";
import { CfnRotationSchedule } from "aws-cdk-lib/aws-secretsmanager";
import { Construct } from "constructs";
import { environment } from "../functions/contract.ts";
import type { ScopeDefinitions } from "../functions/domain/scope.ts";
import { BrokerFunction, type SharedFunctionProps } from "./broker-function.ts";
import { FunctionSchedule } from "./function-schedule.ts";
import { type RotatingSecret, rotatingSecrets } from "./rotating-secrets.ts";
import { rotateSecrets, secretArn } from "./secret-statements.ts";
import { queryRows, readAndWriteRows } from "./statements.ts";

export interface RotationProps extends SharedFunctionProps {
  readonly scopes: ScopeDefinitions;
  /** The broker's name. */
  readonly broker: string;
  readonly table: Table;
}

/** Undefined where no secret rotates. */
export function rotation(scope: Construct, props: RotationProps): BrokerFunction | undefined {
  const { scopes, broker, table, ...shared } = props;
  const stack = Stack.of(scope);
  const secrets = rotatingSecrets(scopes);
  if (secrets.length === 0) return undefined;
  const every = Duration.minutes(5);
  const rotateSecret = new BrokerFunction(scope, "RotateSecret", {
    ...shared,
    scopes,
    // Without the sealing key it opens no token of a caller.
    environment: {
      [environment.tableName]: table.tableName,
      [environment.brokerName]: broker,
      [environment.accountId]: stack.account,
    },
    name: "rotate-secret",
    description: "Looker token broker: rotates the scopes' secrets, retires their old pairs",
    timeout: Duration.minutes(2),
    // Secrets Manager starts a failed step again by itself, and the schedule does so with the retirement.
    asynchronous: { retryAttempts: 0, maxEventAge: every },
    // It looks at all slots of the secret's scopes, because a pair is deleted after its last lease.
    statements: [readAndWriteRows(table), queryRows(table)],
    secretStatements: rotateSecrets(stack, scopes),
  });
  // Inside of the function's construct, so that the guard finds all of the rotation there.
  new FunctionSchedule(rotateSecret, "Retirement", {
    target: rotateSecret.target,
    description: "Deletes the pairs that a rotation has replaced",
    every,
  });
  const schedules = new Construct(rotateSecret, "Rotations");
  for (const secret of secrets) new RotatedSecret(schedules, secret.secretName, { secret, rotateSecret });
  return rotateSecret;
}

/** Has Secrets Manager rotate a secret. */
class RotatedSecret extends Construct {
  constructor(
    scope: Construct,
    id: string,
    { secret, rotateSecret }: { readonly secret: RotatingSecret; readonly rotateSecret: BrokerFunction },
  ) {
    super(scope, id);
    const stack = Stack.of(this);
    // Not the alias of a gradual deployment: Secrets Manager documents ARNs of functions only.
    const { functionArn } = rotateSecret.function;
    const permission = new CfnPermission(this, "Permission", {
      action: "lambda:InvokeFunction",
      functionName: functionArn,
      principal: "secretsmanager.amazonaws.com",
      // Against the confused deputy: Secrets Manager for this secret of this account, and for no other.
      sourceAccount: stack.account,
      sourceArn: secretArn(stack, secret),
    });
    const schedule = new CfnRotationSchedule(this, "Schedule", {
      secretId: secret.secretName,
      rotationLambdaArn: functionArn,
      rotationRules: { automaticallyAfterDays: secret.rotation.everyDays },
      // A deployment must not replace a pair that is in use.
      rotateImmediatelyOnUpdate: false,
    });
    // Secrets Manager tests at once whether it may invoke the function.
    schedule.addResourceDependency(permission);
  }
}
