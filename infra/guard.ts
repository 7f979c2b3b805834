/**
 * The guard: service control policies that keep everybody but the deployment away from what the broker is made of and
 * from what it keeps. Whoever can invoke or change the functions can be any caller, and an administrator of the account
 * can do both; only the organisation can forbid that. So the stack writes the policies, with the names of what was
 * deployed, into SSM parameters, and whoever runs the organisation attaches them (SECURITY.md).
 *
 * They deny whatever they do not name as harmless: an action that AWS adds later is denied as well.
 * https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_syntax.html
 */
import { ArnFormat, Stack, Token } from "aws-cdk-lib";
import { Rule } from "aws-cdk-lib/aws-events";
import { Effect, ManagedPolicy, PolicyDocument, PolicyStatement, Role } from "aws-cdk-lib/aws-iam";
import { Function as LambdaFunction } from "aws-cdk-lib/aws-lambda";
import { CfnSchedule } from "aws-cdk-lib/aws-scheduler";
import { ParameterTier, StringParameter } from "aws-cdk-lib/aws-ssm";
import { Construct, type IConstruct } from "constructs";
import type { CustomDomain } from "./broker-api.ts";
import { BrokerSettingsError, checkGuard } from "./check-broker.ts";
import type { GuardProps } from "./settings.ts";
import type { TokenBroker } from "./token-broker.ts";

/**
 * Of the 5,120 characters of a service control policy, what is left for the names of secrets.
 * https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html
 */
const charactersOfSecrets = 2_500;

/** `keepTheSecrets` names the rotating secrets in each of its statements. */
const statementsOnRotating = 4;

/** What tells, and changes nothing. */
const readers = (...services: string[]) =>
  services.flatMap((service) => ["Describe*", "Get*", "List*"].map((verb) => `${service}:${verb}`));
const logReaders = [...readers("logs"), "logs:FilterLogEvents", "logs:Start*"];

/** What the table's own policy leaves to the functions and to a break-glass role, and denies to all others. */
const onRows = [
  "dynamodb:BatchGetItem",
  "dynamodb:BatchWriteItem",
  "dynamodb:ConditionCheckItem",
  "dynamodb:DeleteItem",
  "dynamodb:GetItem",
  "dynamodb:PartiQL*",
  "dynamodb:PutItem",
  "dynamodb:Query",
  "dynamodb:Scan",
  "dynamodb:UpdateItem",
];

/** Whoever looks after a service account stores its secret here, and has no need to read it. */
const onSecrets = [
  "secretsmanager:CreateSecret",
  "secretsmanager:DescribeSecret",
  "secretsmanager:ListSecretVersionIds",
  "secretsmanager:PutSecretValue",
  "secretsmanager:UpdateSecretVersionStage",
];

export class Guard extends Construct {
  private readonly broker: string;

  constructor(scope: Construct, id: string, broker: TokenBroker, props: GuardProps) {
    super(scope, id);
    this.broker = broker.name;
    checkGuard(props, { construct: this.node.path, caller: Guard });
    const { pipelineArns, secretArns, rotatorArns = [] } = props;
    const { rotateSecret } = broker;
    const excepted = rotatorArns.length === 0 ? undefined : rotateSecret;
    if (rotatorArns.length > 0 && rotateSecret === undefined)
      throw new BrokerSettingsError(
        this.node.path,
        ["rotatorArns: no secret of the scopes rotates: leave the setting out"],
        Guard,
      );
    const stack = Stack.of(this);
    const bootstrap = bootstrapOf(stack);
    const deployers = [...pipelineArns, ...bootstrap.roleArns];

    // Found, not listed: a function or role that the broker gets later is guarded as well.
    const all = broker.node.findAll();
    const only = <T extends IConstruct>(type: abstract new (...args: never[]) => T) =>
      all.filter((each): each is T => each instanceof type);
    const roleArns = only(Role).map(({ roleArn }) => roleArn);
    const brokerFunctions = Object.values(broker.functions);
    const functionRoleArns = brokerFunctions.map(({ role }) => role.roleArn);
    // A function's own role has no business with the code. The schedules' have, and CodeDeploy's.
    const starters = [...deployers, ...roleArns.filter((arn) => !functionRoleArns.includes(arn))];
    const apiArn = `arn:${stack.partition}:apigateway:${stack.region}::`;

    this.publish("code", [
      deny("KeepTheBroker", {
        notActions: [
          ...readers("cloudformation", "iam", "lambda", "scheduler", "ssm", "s3"),
          "apigateway:GET",
          "cloudformation:Detect*",
          ...logReaders,
          // API Gateway writes the access logs with a role that is the account's, not the broker's.
          "logs:CreateLogStream",
          "logs:PutLogEvents",
        ],
        resources: [
          // What begins like a function is its versions and aliases: the names end at random.
          ...only(LambdaFunction)
            .filter((each) => each !== excepted?.function)
            .map(({ functionArn }) => `${functionArn}*`),
          `${apiArn}/restapis/${broker.api.restApiId}*`,
          ...roleArns,
          ...only(ManagedPolicy).map(({ managedPolicyArn }) => managedPolicyArn),
          ...only(CfnSchedule).map(({ attrArn }) => attrArn),
          logGroupArn(stack, broker.accessLogGroup),
          stack.formatArn({
            service: "cloudformation",
            resource: "stack",
            resourceName: `${stack.stackName}/*`,
          }),
          // Where callers are told the broker's address, and the organisation this policy.
          stack.formatArn({ service: "ssm", resource: "parameter", resourceName: `${broker.name}/*` }),
          ...bootstrap.roleArns,
          ...bootstrap.bucketArns,
        ],
        but: starters,
      }),
      ...(excepted ? keepTheRotation(`${excepted.function.functionArn}*`, starters, rotatorArns) : []),
      deny("KeepThePipeline", {
        notActions: [...readers("iam"), "sts:*"],
        resources: [...pipelineArns],
        but: deployers,
      }),
    ]);

    const { rotating, others } = guardedSecrets(broker, stack, { secretArns, apart: excepted !== undefined });
    this.publish("data", [
      deny("KeepWhatItKeeps", {
        notActions: [
          ...readers("cloudwatch", "dynamodb", "events", "kms"),
          ...logReaders,
          ...onRows,
          ...onSecrets,
        ],
        resources: [
          // With its indexes, streams and backups.
          `${broker.table.tableArn}*`,
          broker.sealingKey.keyArn,
          ...brokerFunctions.map(({ logGroup }) => logGroupArn(stack, logGroup)),
          colonArn(stack, "cloudwatch", "alarm", `${stack.stackName}-*`),
          ...only(Rule).map(({ ruleArn }) => ruleArn),
          ...others,
        ],
        but: [...deployers, ...functionRoleArns],
      }),
      ...(excepted ? keepTheSecrets(rotating, { broker, deployers, rotatorArns }) : []),
    ]);

    if (broker.domain)
      this.publish("domain", [
        deny("KeepTheDomain", {
          notActions: ["apigateway:GET", ...readers("acm")],
          resources: [
            // With its mappings to APIs.
            `${apiArn}/domainnames/${broker.domain.domainName}*`,
            broker.domain.certificate.certificateArn,
          ],
          but: deployers,
        }),
        ...keepTheRecord(stack, broker.domain, deployers),
      ]);
  }

  private publish(name: string, statements: PolicyStatement[]): void {
    const stack = Stack.of(this);
    new StringParameter(this, name, {
      parameterName: `/${this.broker}/guard/${name}`,
      description: "Looker token broker: a service control policy for its account (SECURITY.md)",
      stringValue: stack.toJsonString(new PolicyDocument({ statements })),
      // Above 4 KB an advanced one, which costs a few cents a month.
      tier: ParameterTier.INTELLIGENT_TIERING,
    });
  }
}

/**
 * Of the zone, which is other names' zone too, only what leads callers to another place: the records of the broker's
 * name and of names below it (by which certificates are proved), and a delegation of a name above it.
 * https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/specifying-rrset-conditions.html
 */
function keepTheRecord(
  stack: Stack,
  { domainName, hostedZone }: CustomDomain,
  deployers: string[],
): PolicyStatement[] {
  if (hostedZone === undefined) return [];
  const [name, zone] = [domainName.toLowerCase(), hostedZone.zoneName.toLowerCase().replace(/\.$/, "")];
  if (!`.${name}`.endsWith(`.${zone}`))
    throw new Error(`The guard cannot keep ${name}: the hosted zone ${zone} does not hold it.`);
  const above: string[] = [];
  for (let each = afterDot(name); each.length > zone.length; each = afterDot(each)) above.push(each);
  return [
    new PolicyStatement({
      sid: "KeepTheRecord",
      effect: Effect.DENY,
      actions: ["route53:ChangeResourceRecordSets"],
      resources: [`arn:${stack.partition}:route53:::hostedzone/${hostedZone.hostedZoneId}`],
      conditions: {
        ArnNotLike: { "aws:PrincipalArn": deployers },
        "ForAnyValue:StringLike": {
          "route53:ChangeResourceRecordSetsNormalizedRecordNames": [name, `*.${name}`, ...above],
        },
      },
    }),
  ];
}

const afterDot = (name: string) => name.slice(name.indexOf(".") + 1);

/** As the other functions are kept, but for an invocation: Secrets Manager asks it of the one who starts a rotation. */
const keepTheRotation = (functionArns: string, starters: string[], rotatorArns: readonly string[]) => [
  deny("KeepTheRotation", {
    notActions: [...readers("lambda"), "lambda:InvokeFunction"],
    resources: [functionArns],
    but: starters,
  }),
  deny("StartTheRotation", {
    actions: ["lambda:InvokeFunction"],
    resources: [functionArns],
    but: [...starters, ...rotatorArns],
  }),
];

/**
 * A rotation may be started by hand, and only as the stack has set it: another function would be given the pair, and another
 * time is no rotation. https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecretsmanager.html
 */
function keepTheSecrets(
  secrets: string[],
  {
    broker,
    deployers,
    rotatorArns,
  }: { broker: TokenBroker; deployers: string[]; rotatorArns: readonly string[] },
): PolicyStatement[] {
  const rotate = { actions: ["secretsmanager:RotateSecret"], resources: secrets, but: deployers };
  const { issueToken, checkAccount, rotateSecret } = broker.functions;
  const readerRoles = [issueToken, checkAccount, rotateSecret].flatMap((each) => each?.role.roleArn ?? []);
  return [
    deny("KeepTheSecrets", {
      notActions: [...onSecrets, "secretsmanager:RotateSecret"],
      resources: secrets,
      but: [...deployers, ...readerRoles],
    }),
    deny("RotateNow", { ...rotate, but: [...deployers, ...rotatorArns] }),
    deny("RotateByThisFunction", {
      ...rotate,
      when: { Null: { "secretsmanager:RotationLambdaARN": "false" } },
    }),
    deny("RotateAtTheseTimes", {
      ...rotate,
      when: { Bool: { "secretsmanager:ModifyRotationRules": "true" } },
    }),
  ];
}

interface Denial {
  readonly actions?: string[];
  readonly notActions?: string[];
  readonly resources: string[];
  readonly but: string[];
  readonly when?: Record<string, unknown>;
}

/** Of a role's session, `aws:PrincipalArn` is the role: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html */
const deny = (sid: string, { but, when, ...what }: Denial) =>
  new PolicyStatement({
    sid,
    effect: Effect.DENY,
    ...what,
    conditions: { ArnNotLike: { "aws:PrincipalArn": but }, ...when },
  });

/** The roles through which the CDK deploys, and the bucket from which CloudFormation then takes the functions' code. */
function bootstrapOf(stack: Stack): { roleArns: string[]; bucketArns: string[] } {
  const qualifier = stack.synthesizer.bootstrapQualifier;
  if (qualifier === undefined) return { roleArns: [], bucketArns: [] };
  const { partition, account, region } = stack;
  return {
    roleArns: ["deploy", "cfn-exec", "file-publishing"].map(
      (name) => `arn:${partition}:iam::${account}:role/cdk-${qualifier}-${name}-role-${account}-${region}`,
    ),
    bucketArns: [`arn:${partition}:s3:::cdk-${qualifier}-assets-${account}-${region}*`],
  };
}

/**
 * `rotating`: where a rotation may be started by hand, in the policy as often as it has statements on them. Secrets of
 * other accounts are theirs to guard.
 */
function guardedSecrets(
  broker: TokenBroker,
  stack: Stack,
  { secretArns, apart }: { readonly secretArns: readonly string[] | undefined; readonly apart: boolean },
): { rotating: string[]; others: string[] } {
  const all = [...broker.scopes.values()];
  const rotatingIds = all.filter(({ rotation }) => rotation).map(({ secretId }) => secretId);
  const ids = all.flatMap(({ secretId, rotation }) => [secretId, rotation?.administratorId ?? secretId]);
  const arnOf = (id: string) =>
    id.startsWith("arn:") ? id : colonArn(stack, "secretsmanager", "secret", `${id}-??????`);
  const isOwn = (arn: string) => Token.isUnresolved(stack.account) || arn.split(":")[4] === stack.account;
  const arns = (some: string[]) => [...new Set(some.map(arnOf))].filter(isOwn);
  // Patterns may match secrets of both kinds.
  const rotating = apart ? [...(secretArns ?? arns(rotatingIds))] : [];
  const others = (secretArns ?? arns(ids)).filter((arn) => !rotating.includes(arn));
  const mentions = [...others, ...Array.from({ length: statementsOnRotating }, () => rotating).flat()];
  if (secretArns === undefined && JSON.stringify(mentions).length > charactersOfSecrets)
    throw new Error(
      `The guard cannot name ${others.length + rotating.length} secrets in one service control policy: set secretArns to patterns that match them.`,
    );
  return { rotating, others };
}

const colonArn = (stack: Stack, service: string, resource: string, resourceName: string) =>
  stack.formatArn({ service, resource, resourceName, arnFormat: ArnFormat.COLON_RESOURCE_NAME });

/** Some actions are authorised on the group, others on the group with `:*`. */
const logGroupArn = (stack: Stack, { logGroupName }: { readonly logGroupName: string }) =>
  colonArn(stack, "logs", "log-group", `${logGroupName}*`);
