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
import { charactersOfRotatingSecrets, keepTheRotation } from "./guard-rotation.ts";
import { deny, onSecrets, readers } from "./guard-statements.ts";
import type { GuardProps } from "./settings.ts";
import type { TokenBroker } from "./token-broker.ts";

/**
 * Of the 5,120 characters of a service control policy, what is left for the names of secrets.
 * https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html
 */
const charactersOfSecrets = 2_500;

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

export class Guard extends Construct {
  private readonly broker: string;

  constructor(scope: Construct, id: string, broker: TokenBroker, props: GuardProps) {
    super(scope, id);
    this.broker = broker.name;
    checkGuard(props, { construct: this.node.path, caller: Guard });
    const { pipelineArns, secretArns, rotatorArns = [] } = props;
    const { rotateSecret } = broker;
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
    const rotation = rotateSecret?.node.findAll() ?? [];
    const all = broker.node.findAll().filter((each) => !rotation.includes(each));
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
          ...only(LambdaFunction).map(({ functionArn }) => `${functionArn}*`),
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
      deny("KeepThePipeline", {
        notActions: [...readers("iam"), "sts:*"],
        resources: [...pipelineArns],
        but: deployers,
      }),
    ]);

    const { rotating, others } = guardedSecrets(broker, stack, {
      secretArns,
      apart: rotatorArns.length > 0,
    });
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
    ]);

    if (rotateSecret)
      this.publish(
        "rotation",
        keepTheRotation({
          parts: rotation,
          ownRoleArn: rotateSecret.role.roleArn,
          readerRoleArns: [broker.issueToken, broker.checkAccount, rotateSecret].flatMap(
            (each) => each?.role.roleArn ?? [],
          ),
          secretArns: rotating,
          // Of the bootstrap's roles, the one that changes what the stack is made of.
          deployers: deployers.filter((arn) => pipelineArns.includes(arn) || arn.includes("-cfn-exec-role-")),
          rotatorArns,
        }),
      );

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
 * `rotating`: where a rotation may be started by hand. Secrets of other accounts are theirs to guard.
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
  if (secretArns === undefined)
    for (const [named, room] of [
      [others, charactersOfSecrets],
      [rotating, charactersOfRotatingSecrets],
    ] as const)
      if (JSON.stringify(named).length > room)
        throw new Error(
          `The guard cannot name ${named.length} secrets in one service control policy: set secretArns to patterns that match them.`,
        );
  return { rotating, others };
}

const colonArn = (stack: Stack, service: string, resource: string, resourceName: string) =>
  stack.formatArn({ service, resource, resourceName, arnFormat: ArnFormat.COLON_RESOURCE_NAME });

/** Some actions are authorised on the group, others on the group with `:*`. */
const logGroupArn = (stack: Stack, { logGroupName }: { readonly logGroupName: string }) =>
  colonArn(stack, "logs", "log-group", `${logGroupName}*`);
