import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Match } from "aws-cdk-lib/assertions";
import { LambdaDeploymentConfig } from "aws-cdk-lib/aws-codedeploy";
import { type IVpc, SecurityGroup, Vpc } from "aws-cdk-lib/aws-ec2";
import { Key } from "aws-cdk-lib/aws-kms";
import { RetentionDays } from "aws-cdk-lib/aws-logs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sealContextOfChecks } from "../../../functions/contract.ts";
import { checkCaller } from "../../../functions/domain/account-check.ts";
import { loginTimeoutMs } from "../../../functions/domain/lease.ts";
import { parseScopes } from "../../../functions/domain/scope.ts";
import { lockMs } from "../../../functions/domain/slot.ts";
import { logoutNeedsMs } from "../../../functions/use-cases/end-tokens.ts";
import { mintNeedsMs } from "../../../functions/use-cases/mint.ts";
import {
  account,
  keyArn,
  rotatingScopes,
  type Statement,
  type Synthesized,
  scopeOf,
  synthesized,
  synthesizedHere,
  threeScopes,
} from "../../support/synthesized.ts";

let broker: Synthesized;
beforeAll(() => {
  broker = synthesized({ bundle: true });
});
afterAll(() => broker.remove());

const functionsOf = ({ ofType }: Synthesized) =>
  ofType("AWS::Lambda::Function")
    .filter(([id]) => id.startsWith("Broker"))
    .map(([id, { Properties }]) => ({ id, ...Properties }));

const behindApi = (id: string) => /^Broker(?:IssueToken|Logout|Operate)/.test(id);

describe("the functions", () => {
  it("run on x86_64 if the deployment says so, all of them, with the same code", () => {
    const x86 = synthesizedHere({ scopes: rotatingScopes, settings: () => ({ architecture: "x86_64" }) });
    const architectures = functionsOf(x86).map(({ Architectures }) => Architectures);
    expect(architectures).toEqual(Array(6).fill(["x86_64"]));
  });

  it("run on Node 24 on arm64, and trace", () => {
    broker.template.allResourcesProperties("AWS::Lambda::Function", {
      Runtime: "nodejs24.x",
      Architectures: ["arm64"],
      Handler: "index.handler",
      TracingConfig: { Mode: "Active" },
      LoggingConfig: { LogGroup: Match.anyValue() },
      ReservedConcurrentExecutions: Match.absent(),
      VpcConfig: Match.absent(),
    });
  });

  it("have time-outs that nest: Looker's, the lock's, the function's, API Gateway's", () => {
    const seconds: Record<string, number> = Object.fromEntries(
      functionsOf(broker).map(({ id, Timeout }) => [id, Timeout]),
    );
    for (const [id, timeout] of Object.entries(seconds)) {
      expect(loginTimeoutMs).toBeLessThan(lockMs);
      expect(lockMs).toBeLessThan(mintNeedsMs);
      expect(mintNeedsMs).toBeLessThan(timeout * 1_000);
      if (behindApi(id)) expect(timeout).toBeLessThan(29);
      // A request that waited three seconds for another's login still has time for its own, and a second to answer.
      expect(timeout * 1_000 - mintNeedsMs).toBeGreaterThanOrEqual(3_000 + 1_000);
    }
  });

  it("sweep until the next sweep begins, with time for the last logout and three seconds for its records", () => {
    const [sweep] = functionsOf(broker).filter(({ id }) => id.includes("Sweep"));
    expect(sweep?.Timeout * 1_000).toBe(60_000 + logoutNeedsMs + 3_000);
  });

  it("know table, key and API by an environment far below Lambda's 4 KB", () => {
    const places = {
      TABLE_NAME: { Ref: broker.one("AWS::DynamoDB::Table")[0] },
      SEALING_KEY_ARN: { "Fn::GetAtt": [broker.one("AWS::KMS::Key")[0], "Arn"] },
      BROKER_NAME: expect.stringMatching(/^[\w-]+\/[\w-]+$/),
    };
    const api = {
      API_ID: { Ref: broker.one("AWS::ApiGateway::RestApi")[0] },
      API_STAGE: "v1",
      ACCOUNT_ID: account,
    };
    const { ACCOUNT_ID } = api;
    const more = (id: string) => (behindApi(id) ? api : id.includes("Sweep") ? {} : { ACCOUNT_ID });
    for (const { id, Environment } of functionsOf(broker)) {
      expect(Environment).toEqual({ Variables: { ...places, ...more(id) } });
      expect(JSON.stringify(Environment).length).toBeLessThan(1024);
    }
  });

  it("have the checked scopes beside their bundles", () => {
    const { outdir } = broker;
    const assets = readdirSync(outdir).filter((name) => name.startsWith("asset."));
    expect(assets).toHaveLength(5);
    const withScopes = assets.filter((asset) => readdirSync(join(outdir, asset)).includes("scopes.json"));
    // The sweeper has none: a removed scope's leases still end.
    expect(withScopes).toHaveLength(4);
    for (const asset of withScopes) {
      expect(readdirSync(join(outdir, asset)).sort()).toEqual(["index.mjs", "index.mjs.map", "scopes.json"]);
      const written: unknown = JSON.parse(readFileSync(join(outdir, asset, "scopes.json"), "utf8"));
      expect(parseScopes(written)).toEqual(parseScopes(threeScopes));
    }
  });

  it("have the same asset hashes whenever and wherever they are synthesized", () => {
    expect(synthesizedHere({ bundle: true }).template.toJSON()).toEqual(broker.template.toJSON());
  });

  it("are not there before what they are allowed", () => {
    for (const [id, { DependsOn = [] }] of broker.ofType("AWS::Lambda::Function")) {
      const construct = id.replace(/Function\w{8}$/, "");
      expect(DependsOn).toContainEqual(expect.stringMatching(`^${construct}Policy`));
      if (construct.endsWith("IssueToken"))
        expect(DependsOn).toContainEqual(expect.stringMatching(`^${construct}Secrets`));
    }
  });

  it("keep their logs for three months, or as long as they are told, under a key that is given", () => {
    broker.template.allResourcesProperties("AWS::Logs::LogGroup", {
      RetentionInDays: 90,
      KmsKeyId: Match.absent(),
    });
    const { template } = synthesizedHere({
      settings: (stack) => ({
        logRetention: RetentionDays.ONE_YEAR,
        logEncryptionKey: Key.fromKeyArn(stack, "LogKey", keyArn),
      }),
    });
    template.allResourcesProperties("AWS::Logs::LogGroup", { RetentionInDays: 365, KmsKeyId: keyArn });
    template.resourceCountIs("AWS::Logs::LogGroup", 6);
  });

  it("have 512 MB, and can have more, and a floor of concurrency for those that revoke", () => {
    broker.template.allResourcesProperties("AWS::Lambda::Function", { MemorySize: 512 });
    const made = synthesizedHere({
      settings: () => ({ memorySize: 1024, reservedConcurrency: { operate: 5, sweep: 2 } }),
    });
    made.template.allResourcesProperties("AWS::Lambda::Function", { MemorySize: 1024 });
    const reserved = functionsOf(made).map(({ id, ReservedConcurrentExecutions: floor }) => [
      id.replace(/^Broker|Function\w{8}$/g, ""),
      floor,
    ]);
    expect(Object.fromEntries(reserved)).toEqual({
      IssueToken: undefined,
      Logout: undefined,
      Operate: 5,
      Sweep: 2,
      CheckAccount: undefined,
    });
  });
});

describe("the sweeper", () => {
  const retries = { MaximumRetryAttempts: 0, MaximumEventAgeInSeconds: 60 };

  it("is not run again by Lambda when a run fails or is throttled: the next minute is the retry", () => {
    const [, { Properties }] = broker.one("AWS::Lambda::EventInvokeConfig", "Sweep");
    expect(Properties).toMatchObject({ Qualifier: "$LATEST", ...retries });
    expect(JSON.stringify(Properties.FunctionName)).toContain("Sweep");
  });

  it("is not run again by its alias either", () => {
    const { ofType } = synthesizedHere({
      settings: () => ({ deploymentConfig: LambdaDeploymentConfig.ALL_AT_ONCE }),
    });
    const all = ofType("AWS::Lambda::EventInvokeConfig");
    const configs = all.filter(([id]) => id.includes("Sweep")).map(([, { Properties }]) => Properties);
    expect(configs).toHaveLength(2);
    for (const config of configs) expect(config).toMatchObject(retries);
    expect(JSON.stringify(configs)).toContain("$LATEST");
    expect(JSON.stringify(configs)).toContain("Live");
  });
});

describe("the account check", () => {
  it("starts once an hour, has five minutes, and is not run again by Lambda", () => {
    const [check, { Properties }] = broker.one("AWS::Lambda::Function", "CheckAccount");
    expect(Properties.Timeout).toBe(300);
    const schedule = broker.one("AWS::Scheduler::Schedule", "CheckAccount")[1].Properties;
    expect(schedule).toMatchObject({
      ScheduleExpression: "rate(1 hour)",
      Target: {
        Arn: { "Fn::GetAtt": [check, "Arn"] },
        RetryPolicy: { MaximumRetryAttempts: 0, MaximumEventAgeInSeconds: 3_600 },
      },
    });
    const retries = broker.one("AWS::Lambda::EventInvokeConfig", "CheckAccount")[1].Properties;
    expect(retries).toMatchObject({ MaximumRetryAttempts: 0, MaximumEventAgeInSeconds: 3_600 });
  });

  it("is not there at all if it is switched off", () => {
    const { resources, stack } = synthesizedHere({ settings: () => ({ accountCheck: false }) });
    expect(Object.keys(resources).filter((id) => id.includes("CheckAccount"))).toEqual([]);
    expect(stack.broker.checkAccount).toBeUndefined();
  });

  it("seals and opens under its own context, by the identity that the function has", () => {
    expect(sealContextOfChecks).toEqual({ account: checkCaller.account, caller: checkCaller.uniqueId });
  });
});

describe("in a VPC", () => {
  it("go out from its private subnets, to HTTPS and the ports that the scopes' Looker has", () => {
    const made = synthesizedHere({
      scopes: {
        ...threeScopes,
        hosted: scopeOf({ secretName: "looker/hosted" }, { lookerUrl: "https://looker.example.com:19999" }),
      },
      settings: (stack) => ({ vpc: new Vpc(stack, "Vpc", { maxAzs: 2, natGateways: 1 }) as IVpc }),
    });
    const { one, template } = made;
    const [group, { Properties }] = one("AWS::EC2::SecurityGroup");
    const out = (port: number) =>
      expect.objectContaining({ CidrIp: "0.0.0.0/0", IpProtocol: "tcp", FromPort: port, ToPort: port });
    expect(Properties.SecurityGroupEgress).toEqual([out(443), out(19_999)]);
    expect(Properties.SecurityGroupIngress).toBeUndefined();
    for (const { VpcConfig } of functionsOf(made)) {
      expect(VpcConfig.SecurityGroupIds).toEqual([{ "Fn::GetAtt": [group, "GroupId"] }]);
      expect(JSON.stringify(VpcConfig.SubnetIds)).not.toContain("Public");
      expect(VpcConfig.SubnetIds).toHaveLength(2);
    }
    // The fixed address that a Looker behind an allow-list is told.
    template.resourceCountIs("AWS::EC2::EIP", 1);
  });

  it("let Lambda make their network interfaces, and deny it to the functions' own code", () => {
    const { statementsOf } = synthesizedHere({
      settings: (stack) => ({ vpc: new Vpc(stack, "Vpc") as IVpc }),
    });
    for (const construct of ["IssueToken", "Logout", "Operate", "Sweep"]) {
      const network = statementsOf(construct).filter(({ Action }) => JSON.stringify(Action).includes("ec2:"));
      expect(network.map(({ Effect, Condition }: Statement) => [Effect, Condition])).toEqual([
        ["Allow", undefined],
        ["Deny", { Null: { "lambda:SourceFunctionArn": "false" } }],
      ]);
      expect(network[0]?.Action).toEqual(network[1]?.Action);
    }
  });

  it("take security groups that are given, and make none", () => {
    const made = synthesizedHere({
      settings: (stack) => ({
        vpc: new Vpc(stack, "Vpc") as IVpc,
        securityGroups: [SecurityGroup.fromSecurityGroupId(stack, "Given", "sg-0a1b2c3d")],
      }),
    });
    made.template.resourceCountIs("AWS::EC2::SecurityGroup", 0);
    for (const { VpcConfig } of functionsOf(made))
      expect(VpcConfig.SecurityGroupIds).toEqual(["sg-0a1b2c3d"]);
  });
});

describe("deployed step by step", () => {
  it("are called by an alias, by API Gateway and the schedule alike", () => {
    const { template, ofType } = synthesizedHere({
      settings: () => ({ deploymentConfig: LambdaDeploymentConfig.CANARY_10PERCENT_5MINUTES }),
    });
    template.resourceCountIs("AWS::Lambda::Alias", 5);
    template.resourceCountIs("AWS::CodeDeploy::DeploymentGroup", 5);
    // Back to the old version when the new one crashes.
    expect(ofType("AWS::CloudWatch::Alarm").filter(([id]) => !id.startsWith("BrokerAlarms"))).toHaveLength(5);
    for (const [, { Properties }] of ofType("AWS::CodeDeploy::DeploymentGroup"))
      expect(Properties).toMatchObject({
        AlarmConfiguration: { Enabled: true, Alarms: [expect.anything()] },
        AutoRollbackConfiguration: {
          Enabled: true,
          Events: expect.arrayContaining(["DEPLOYMENT_STOP_ON_ALARM"]),
        },
      });
    for (const [, { Properties }] of ofType("AWS::Lambda::Permission"))
      expect(JSON.stringify(Properties.FunctionName)).toContain("Live");
    for (const [, { Properties }] of ofType("AWS::ApiGateway::Method"))
      expect(JSON.stringify(Properties.Integration.Uri)).toContain("Live");
    for (const [, { Properties }] of ofType("AWS::Scheduler::Schedule"))
      expect(JSON.stringify(Properties.Target.Arn)).toContain("Live");
  });
});
