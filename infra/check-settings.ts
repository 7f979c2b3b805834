/** Settings that would fail late are errors at synthesis, all at once. */
import { Token } from "aws-cdk-lib";
import type { TokenBrokerProps } from "./token-broker.ts";

/** What the types let pass and AWS would refuse half-way, or worse, take. */
export function checkSettings(
  props: TokenBrokerProps,
  { broker, account, region }: { broker: string; account: string; region: string },
): void {
  const { organizationId, vpcEndpointIds, domain, breakGlassArns = [], memorySize = 512 } = props;
  const wrong: string[] = [];
  if (organizationId !== undefined && !/^o-[a-z0-9]{10,32}$/.test(organizationId))
    wrong.push(
      `organizationId: ${JSON.stringify(organizationId)} is not an organisation's id, like "o-a1b2c3d4e5"`,
    );
  if (vpcEndpointIds?.length === 0)
    wrong.push("vpcEndpointIds: nobody could reach the API; name an endpoint");
  for (const id of vpcEndpointIds ?? [])
    if (!/^vpce-[0-9a-f]{8,17}$/.test(id))
      wrong.push(
        `vpcEndpointIds: ${JSON.stringify(id)} is not the id of a VPC endpoint, like "vpce-0a1b2c3d4e5f60718"`,
      );
  if (vpcEndpointIds && domain)
    wrong.push("domain: is for the regional API; a private API is called through its VPC endpoints");
  for (const arn of breakGlassArns) {
    if (!/^arn:aws(?:-cn|-us-gov)?:iam::\d{12}:(?:role|user)\/(?![*?/]*$)[\w+=,.@/*?-]+$/.test(arn))
      wrong.push(`breakGlassArns: ${JSON.stringify(arn)} does not name an IAM role or user of one account`);
    // The table denies; it allows nobody. A role of another account would need that too.
    else if (!Token.isUnresolved(account) && arn.split(":")[4] !== account)
      wrong.push(`breakGlassArns: ${JSON.stringify(arn)} is not of the broker's account ${account}`);
  }
  if (!Number.isInteger(memorySize) || memorySize < 256 || memorySize > 10_240)
    wrong.push("memorySize: must be a whole number of MB from 256 to 10240");
  for (const [name, { secret }] of Object.entries(props.scopes)) {
    const secretRegion = secret.secretArn?.split(":")[3] ?? region;
    if (!Token.isUnresolved(region) && secretRegion !== region)
      wrong.push(
        `scope "${name}": secret.secretArn: is in ${secretRegion}; functions in ${region} read secrets of their own region`,
      );
  }
  // A dimension's value in an alarm: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-cloudwatch-alarm-dimension.html
  // Without quotes and backslashes, for the dashboard's search.
  if (!/^[\x21\x23-\x26\x28-\x5b\x5d-\x7e ]{1,255}$/.test(broker))
    wrong.push(
      `the construct's path ${JSON.stringify(broker)} is the broker's name in metrics: at most 255 printable ASCII characters, without quotes`,
    );
  for (const [name, threshold] of Object.entries(props.alarms ?? {}))
    if (!Number.isInteger(threshold) || threshold < 1)
      wrong.push(`alarms.${name}: must be a whole number above 0`);
  if (props.runbookUrl !== undefined && !/^[\x21-\x22\x24-\x7e]{1,400}$/.test(props.runbookUrl))
    wrong.push(
      "runbookUrl: must be at most 400 characters without spaces and without #; an entry's name is appended",
    );
  if (wrong.length > 0) throw new BrokerSettingsError(wrong);
}

/** Settings that cannot be deployed, all of them. */
export class BrokerSettingsError extends Error {
  override readonly name = "BrokerSettingsError";
  constructor(errors: readonly string[]) {
    super(`The broker's settings cannot be used:\n${errors.map((error) => `  - ${error}`).join("\n")}`);
  }
}
