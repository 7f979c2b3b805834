/** The function that checks the scopes' service accounts, and its schedule. */
import { Duration, Stack } from "aws-cdk-lib";
import type { Table } from "aws-cdk-lib/aws-dynamodb";
import type { ManagedPolicy } from "aws-cdk-lib/aws-iam";
import type { IKey } from "aws-cdk-lib/aws-kms";
import type { Construct } from "constructs";
import { environment, sealContextOfChecks } from "../functions/contract.ts";
import type { ScopeDefinitions } from "../functions/domain/scope.ts";
import { BrokerFunction, type SharedFunctionProps } from "./broker-function.ts";
import { FunctionSchedule, type Scheduler } from "./function-schedule.ts";
import { readAndWriteRows, readRowsTogether, useSealingKey } from "./statements.ts";

export interface AccountCheckProps extends SharedFunctionProps {
  readonly scopes: ScopeDefinitions;
  /** Of the functions that read rows and open tokens. */
  readonly environment: Record<string, string>;
  readonly table: Table;
  readonly sealingKey: IKey;
  /** Of the function that gives tokens: both read the secrets of all scopes. */
  readonly secretPolicies: readonly ManagedPolicy[];
  /** Starts this function too. */
  readonly scheduler: Scheduler;
}

export function accountCheck(scope: Construct, props: AccountCheckProps): BrokerFunction {
  const { scopes, table, sealingKey, scheduler, ...shared } = props;
  const stack = Stack.of(scope);
  const every = Duration.hours(1);
  const checkAccount = new BrokerFunction(scope, "CheckAccount", {
    ...shared,
    scopes,
    environment: { ...props.environment, [environment.accountId]: stack.account },
    name: "check-account",
    description: "Looker token broker: checks the scopes' service accounts, once an hour",
    // A check is a login, three questions and a logout. The checks of all scopes run one after the other.
    timeout: Duration.minutes(5),
    asynchronous: { retryAttempts: 0, maxEventAge: every },
    statements: [
      readAndWriteRows(table),
      readRowsTogether(table),
      // Callers' tokens have another context.
      useSealingKey(sealingKey, table, ["Encrypt", "Decrypt"], sealContextOfChecks),
    ],
  });
  new FunctionSchedule(scope, "CheckAccountSchedule", {
    target: checkAccount.target,
    scheduler,
    description: "Checks the service accounts that are due",
    every,
  });
  return checkAccount;
}
