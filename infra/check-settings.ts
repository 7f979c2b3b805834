/** The mistakes in settings that synthesis reports, all at once: AWS would refuse them half-way, or worse, take them. */
import { RemovalPolicy, Token } from "aws-cdk-lib";
import type { SubnetSelection } from "aws-cdk-lib/aws-ec2";
import { RetentionDays } from "aws-cdk-lib/aws-logs";
import type { CustomDomain } from "./broker-api.ts";
import { type CapacityProps, capacityFaults } from "./check-capacity.ts";
import {
  anything,
  type Checks,
  isPlainObject,
  listOf,
  madeByCdk,
  numberAboveZero,
  oneOf,
  settings,
  text,
  trueOrFalse,
  wholeNumber,
} from "./setting-checks.ts";
import type {
  AlarmThresholds,
  DeploymentSettings,
  GuardProps,
  ReservedConcurrency,
  Throttle,
  TokenBrokerProps,
} from "./settings.ts";

const someText = text(/./, "text");

const breakGlassArn = text(
  /^arn:aws(?:-cn|-us-gov|-eusc|-iso(?:-[bef])?)?:iam::\d{12}:(?:role|user)\/(?![*?/]*$)[\w+=,.@/*?-]+$/,
  "the ARN of an IAM role or user of one account",
);

const brokerChecks: Checks<Omit<TokenBrokerProps, "scopes">> = {
  organizationId: text(/^o-[a-z0-9]{10,32}$/, 'an organisation\'s id, like "o-a1b2c3d4e5"'),
  vpcEndpointIds: listOf(
    text(/^vpce-[0-9a-f]{8,17}$/, 'the id of a VPC endpoint, like "vpce-0a1b2c3d4e5f60718"'),
    "nobody could reach the API: name an endpoint",
  ),
  domain: settings<CustomDomain>(
    {
      domainName: text(/^[a-z0-9-]+(?:\.[a-z0-9-]+)+$/i, 'a domain name, like "looker-tokens.example.com"'),
      certificate: madeByCdk("certificateArn", "Certificate.fromCertificateArn(…)"),
      hostedZone: madeByCdk("hostedZoneId", "HostedZone.fromHostedZoneAttributes(…)"),
    },
    ["domainName", "certificate"],
  ),
  throttle: settings<Throttle>({ rateLimit: numberAboveZero, burstLimit: wholeNumber(1) }, [
    "rateLimit",
    "burstLimit",
  ]),
  cloudWatchRole: oneOf("existing", "create"),
  logRetention: oneOf(...Object.values(RetentionDays).filter((days) => typeof days === "number")),
  logEncryptionKey: madeByCdk("keyArn", "Key.fromKeyArn(…)"),
  architecture: oneOf("arm64", "x86_64"),
  memorySize: wholeNumber(256, 10_240, "of MB "),
  accountConcurrency: wholeNumber(1),
  // With 0, nobody could revoke, or nothing would be swept.
  reservedConcurrency: settings<ReservedConcurrency>({
    operate: wholeNumber(1),
    sweep: wholeNumber(1),
  }),
  accountCheck: trueOrFalse,
  vpc: madeByCdk("vpcId", "Vpc.fromLookup(…)"),
  vpcSubnets: settings<SubnetSelection>({
    availabilityZones: anything,
    onePerAz: trueOrFalse,
    subnetFilters: anything,
    subnetGroupName: someText,
    subnets: anything,
    subnetType: anything,
  }),
  securityGroups: listOf(
    madeByCdk("securityGroupId", "SecurityGroup.fromSecurityGroupId(…)"),
    "functions in a VPC need one: leave the setting out to get one",
  ),
  deploymentConfig: madeByCdk("deploymentConfigName", "LambdaDeploymentConfig.CANARY_10PERCENT_5MINUTES"),
  deletionProtection: trueOrFalse,
  removalPolicy: oneOf(...Object.values(RemovalPolicy)),
  breakGlassArns: listOf(breakGlassArn),
  alarmTopic: madeByCdk("topicArn", "Topic.fromTopicArn(…)"),
  alarms: settings<AlarmThresholds>({
    mintsPerFiveMinutes: wholeNumber(1),
    p99Milliseconds: wholeNumber(1),
    deniedCallsPerFiveMinutes: wholeNumber(1),
  }),
  tellOfPolicyChanges: trueOrFalse,
  runbookUrl: text(
    /^[\x21-\x22\x24-\x7e]{1,400}$/,
    "an address of at most 400 characters without spaces and #: an alarm appends # and an entry's name",
  ),
  dashboard: trueOrFalse,
};

const guard = settings<GuardProps>(
  {
    pipelineArns: listOf(someText, "the guard would let nobody deploy: name a role"),
    secretArns: listOf(someText, "no secret would be guarded: leave the setting out"),
    rotatorArns: listOf(someText, "nobody would be excepted: leave the setting out"),
  },
  ["pipelineArns"],
);

type Deployed = { readonly construct: string; readonly account: string };

const deployment = settings<DeploymentSettings>({ ...brokerChecks, guard });
const broker = settings<TokenBrokerProps>({ scopes: anything, ...brokerChecks });

/** Of the settings of a scopes file, the guard's included. */
export const deploymentErrors = (given: unknown, deployed: Deployed): string[] => [
  ...deploymentShapeErrors(given),
  ...contradictions(given, deployed),
];

/** Only the checks that need no account. */
export const deploymentShapeErrors = (given: unknown): string[] => deployment(given, "");

/** Of the settings of a `TokenBroker`. */
export const settingErrors = (given: unknown, deployed: Deployed): string[] => [
  ...broker(given, ""),
  ...contradictions(given, deployed),
];

export const guardErrors = (given: unknown): string[] => guard(given, "");

/** Of settings in combination, and of one with its place. Each setting may be wrong by itself. */
function contradictions(given: unknown, { construct, account }: Deployed): string[] {
  if (!isPlainObject(given)) return [];
  const wrong: string[] = [];
  // A variable that is not set gives this, and the API would be open without a word.
  for (const name of ["organizationId", "vpcEndpointIds"])
    if (Object.hasOwn(given, name) && given[name] === undefined)
      wrong.push(`${name}: is undefined: leave it out if callers may come from everywhere`);
  if (given.vpcEndpointIds && given.domain)
    wrong.push("domain: is for the regional API: a private API is called through its VPC endpoints");
  // The table denies and allows nobody. A role of another account would need an Allow.
  for (const arn of Array.isArray(given.breakGlassArns) ? given.breakGlassArns : [])
    if (breakGlassArn(arn, "").length === 0 && ![arn, account].some(Token.isUnresolved))
      if (String(arn).split(":")[4] !== account)
        wrong.push(`breakGlassArns: ${JSON.stringify(arn)} is not of the broker's account ${account}`);
  for (const name of ["vpcSubnets", "securityGroups"])
    if (given[name] && !given.vpc)
      wrong.push(`${name}: needs a vpc, because functions are outside of any by default`);
  // KMS's rule for an alias is the strictest: https://docs.aws.amazon.com/kms/latest/developerguide/alias-create.html
  if (!/^[\w-]+(?:\/[\w-]+)*$/.test(construct) || construct.length > 200)
    wrong.push(
      `the construct's path ${JSON.stringify(construct)} is the broker's name in metrics, in its key's alias and in its parameters: at most 200 of A-Z, a-z, 0-9, _, - and /`,
    );
  const isSound = (name: keyof CapacityProps) =>
    given[name] === undefined || brokerChecks[name](given[name], name).length === 0;
  if (isSound("throttle") && isSound("accountConcurrency") && isSound("reservedConcurrency"))
    wrong.push(...capacityFaults(given as CapacityProps));
  if (given.tellOfPolicyChanges === true && !given.alarmTopic)
    wrong.push("tellOfPolicyChanges: needs an alarmTopic: without one nobody would be told");
  return wrong;
}
