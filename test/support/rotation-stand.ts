/** Rotation as the local run puts it together: a template, its function in an instance, the AWS proxy, Secrets Manager. */
import { fileURLToPath } from "node:url";
import { authorizeCalls } from "../../local/aws/authorize.ts";
import { type AwsProxy, startAwsProxy } from "../../local/aws/aws-proxy.ts";
import { endpointVariables, type RoleCredential } from "../../local/aws/call.ts";
import { type RunningSecretsManager, startSecretsManager } from "../../local/aws/secrets-manager.ts";
import { type RunningFunctions, startFunctions } from "../../local/lambda/functions.ts";
import { configureRotations } from "../../local/rotations.ts";
import { createSessionCredentials } from "../../local/sigv4/session-credentials.ts";
import type { Template } from "../../local/stack/cloud-assembly.ts";
import { type LocalStack, readTemplate } from "../../local/stack/template.ts";

const location = { partition: "aws", region: "eu-central-1", accountId: "111122223333" };

export const rotatedSecret = "looker/sales";

export interface RotationStand {
  readonly region: string;
  readonly stack: LocalStack;
  readonly manager: RunningSecretsManager;
  readonly awsProxy: AwsProxy;
  readonly functions: RunningFunctions;
  readonly administrator: RoleCredential;
  /** The events that the function got, without the rotation token. */
  // biome-ignore lint/suspicious/noExplicitAny: a test reads what it expects, and fails where that is missing.
  events(): any[];
  close(): Promise<void>;
}

/** `changes`: properties of the schedule and of the permission, and the actions of the function's role. */
export async function startRotationStand(changes: {
  schedule?: object;
  permission?: object;
  actions?: readonly string[];
}): Promise<RotationStand> {
  const codeDir = fileURLToPath(new URL("rotation-function", import.meta.url));
  const template = { Resources: resources(changes) };
  const stack = readTemplate({ stackName: "broker", template, codeDirectory: () => codeDir }, location);
  const manager = await startSecretsManager(location);
  manager.put(rotatedSecret, "first");

  const administrator = credentialOf("administrator");
  const credentials = new Map([[administrator.accessKeyId, administrator]]);
  const awsProxy = await startAwsProxy({
    region: location.region,
    credentials: { find: (accessKeyId) => credentials.get(accessKeyId) },
    engines: { dynamodb: manager.url, kms: manager.url, secretsmanager: manager.url },
    authorize: authorizeCalls(stack.roles, administrator.principalArn),
  });
  const functions = startFunctions({
    functions: stack.functions,
    credentialsOf({ roleArn }) {
      const credential = { ...createSessionCredentials(), principalArn: roleArn };
      credentials.set(credential.accessKeyId, credential);
      return credential;
    },
    endpoints: { region: location.region, variables: { [endpointVariables.secretsmanager]: awsProxy.url } },
    sandbox: "threads",
    maxInstances: 2,
    throttle: false,
  });
  const close = async () => {
    await functions.close();
    await awsProxy.close();
    await manager.close();
  };
  try {
    await configureRotations(manager.rotations, stack, functions.invoke);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    region: location.region,
    stack,
    manager,
    awsProxy,
    functions,
    administrator,
    events: () =>
      functions
        .logs()
        .map((line) => line.slice(line.indexOf(" ") + 1))
        .filter((line) => line.startsWith('{"Step"'))
        .map((line) => JSON.parse(line)),
    close,
  };
}

function credentialOf(role: string): RoleCredential {
  const principalArn = `arn:aws:iam::${location.accountId}:role/${role}`;
  return { ...createSessionCredentials(), principalArn };
}

function resources({
  schedule = {},
  permission = {},
  actions = ["DescribeSecret", "GetSecretValue", "PutSecretValue", "UpdateSecretVersionStage"],
}: Parameters<typeof startRotationStand>[0]): Template["Resources"] {
  const statement = {
    Effect: "Allow",
    Action: actions.map((action) => `secretsmanager:${action}`),
    Resource: "*",
  };
  return {
    Api: { Type: "AWS::ApiGateway::RestApi" },
    Stage: { Type: "AWS::ApiGateway::Stage", Properties: { StageName: "v1" } },
    Role: {
      Type: "AWS::IAM::Role",
      Properties: { Policies: [{ PolicyDocument: { Statement: [statement] } }] },
    },
    Rotate: {
      Type: "AWS::Lambda::Function",
      Metadata: { "broker:function": "rotate-secret" },
      Properties: {
        Runtime: "nodejs24.x",
        Handler: "index.handler",
        Code: { S3Key: "rotate.zip" },
        MemorySize: 256,
        Role: { "Fn::GetAtt": ["Role", "Arn"] },
        Timeout: 20,
      },
    },
    Permission: {
      Type: "AWS::Lambda::Permission",
      Properties: {
        Action: "lambda:InvokeFunction",
        Principal: "secretsmanager.amazonaws.com",
        FunctionName: { "Fn::GetAtt": ["Rotate", "Arn"] },
        SourceAccount: { Ref: "AWS::AccountId" },
        SourceArn: {
          "Fn::Sub": `arn:aws:secretsmanager:\${AWS::Region}:\${AWS::AccountId}:secret:${rotatedSecret}-??????`,
        },
        ...permission,
      },
    },
    Schedule: {
      Type: "AWS::SecretsManager::RotationSchedule",
      Properties: {
        SecretId: rotatedSecret,
        RotationLambdaARN: { "Fn::GetAtt": ["Rotate", "Arn"] },
        RotationRules: { AutomaticallyAfterDays: 30 },
        RotateImmediatelyOnUpdate: false,
        ...schedule,
      },
    },
  };
}
