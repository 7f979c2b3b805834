/** The guard's policy for the rotating secrets and their function. */
import { ManagedPolicy, type PolicyStatement, Role } from "aws-cdk-lib/aws-iam";
import { Function as LambdaFunction } from "aws-cdk-lib/aws-lambda";
import { CfnSchedule } from "aws-cdk-lib/aws-scheduler";
import type { IConstruct } from "constructs";
import { deny, onSecrets, readers } from "./guard-statements.ts";

export interface GuardedRotation {
  /** All constructs of the function. */
  readonly parts: readonly IConstruct[];
  readonly ownRoleArn: string;
  /** Roles of the functions that read the secrets. */
  readonly readerRoleArns: readonly string[];
  /** Secrets whose rotation may be started by hand. */
  readonly secretArns: string[];
  readonly deployers: string[];
  readonly rotatorArns: readonly string[];
}

/** Of the 5,120 characters of a service control policy, the room for the secrets in each of four statements. */
export const charactersOfRotatingSecrets = 350;

export function keepTheRotation(guarded: GuardedRotation): PolicyStatement[] {
  const { parts, ownRoleArn, deployers, rotatorArns } = guarded;
  const only = <T extends IConstruct>(type: abstract new (...args: never[]) => T) =>
    parts.filter((each): each is T => each instanceof type);
  const functions = only(LambdaFunction).map(({ functionArn }) => `${functionArn}*`);
  const roleArns = only(Role).map(({ roleArn }) => roleArn);
  const harmless = readers("iam", "lambda", "scheduler");
  const mayStart = rotatorArns.length > 0 ? ["lambda:InvokeFunction"] : [];
  return [
    deny("KeepTheRotation", {
      notActions: [...harmless, ...mayStart],
      resources: [
        ...functions,
        ...roleArns,
        ...only(ManagedPolicy).map(({ managedPolicyArn }) => managedPolicyArn),
        ...only(CfnSchedule).map(({ attrArn }) => attrArn),
      ],
      but: [...deployers, ...roleArns.filter((arn) => arn !== ownRoleArn)],
    }),
    ...(rotatorArns.length > 0 ? letRotatorsStart(functions, roleArns, guarded) : []),
  ];
}

/**
 * Rotators start a rotation with the function and the times of the stack. Another function would be given the pair, and a rule of
 * 1,000 days would end the rotation. Secrets Manager asks their role for `lambda:InvokeFunction`.
 * https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecretsmanager.html
 */
function letRotatorsStart(
  functions: string[],
  roleArns: readonly string[],
  { ownRoleArn, readerRoleArns, secretArns, deployers, rotatorArns }: GuardedRotation,
): PolicyStatement[] {
  const rotate = "secretsmanager:RotateSecret";
  const ofRotators = { resources: secretArns, who: rotatorArns };
  return [
    deny("StartTheRotation", {
      actions: ["lambda:InvokeFunction"],
      resources: functions,
      but: [...deployers, ...rotatorArns, ...roleArns.filter((arn) => arn !== ownRoleArn)],
    }),
    deny("KeepTheSecrets", {
      notActions: onSecrets,
      resources: secretArns,
      but: [...deployers, ...readerRoleArns, ...rotatorArns],
    }),
    deny("OnlyRotate", { ...ofRotators, notActions: [...onSecrets, rotate] }),
    deny("ByThisFunction", {
      ...ofRotators,
      actions: [rotate],
      when: { Null: { "secretsmanager:RotationLambdaARN": "false" } },
    }),
    deny("AtTheseTimes", {
      ...ofRotators,
      actions: [rotate],
      when: { Bool: { "secretsmanager:ModifyRotationRules": "true" } },
    }),
  ];
}
