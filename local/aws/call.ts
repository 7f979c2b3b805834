/** What the AWS proxy tells of one call: to its `authorize` and `fault` ports, and afterwards in its log. */
import { isJsonObject } from "../json-object.ts";
import type { Credential } from "../sigv4/verify.ts";

/** Services that the functions call. Another engine can stand in the place of each stand-in. */
export type FunctionService = "dynamodb" | "secretsmanager" | "kms";
/** Services that people ask about a deployment. */
export type DeploymentService = "logs" | "cloudformation";
export type AwsService = FunctionService | DeploymentService;

export interface RoleCredential extends Credential {
  /** ARN of the role or user that holds it: arn:aws:iam::123456789012:role/issue-token */
  principalArn: string;
  /** ARN of the session: arn:aws:sts::123456789012:assumed-role/issue-token/instance-1 */
  sessionArn?: string;
}

/**
 * Facts by allow-list, as IAM would see them. Never item keys or values, plaintext, ciphertext or secrets: this is
 * handed to tests and printed when they fail.
 */
export interface ArrivedCall {
  /** Epoch in milliseconds. */
  at: number;
  service: AwsService;
  operation: string;
  /** Empty when the signature was refused: nobody is known to have called. */
  principalArn: string;
  sessionArn?: string;
  /** The first of `resources`. */
  resource?: string;
  /** Tables, the secret, the key, log groups or the stack, each as it was sent: name, id, alias or ARN. Some calls have several. */
  resources: string[];
  /** DynamoDB Query and Scan: IAM's resource is then table/NAME/index/INDEX. */
  indexName?: string;
  /** KMS only. Contexts are no secrets: AWS logs them in the clear. */
  encryptionContext?: Record<string, string>;
}

export interface AwsCall extends ArrivedCall {
  /** 0: no answer, because it is still under way or was never to come (hang, reset). */
  status: number;
  errorType?: string;
}

export type AccessDecision = { allow: true } | { allow: false; reason: string; denial?: Denial };

/** What AWS tells a caller that it denies: whether a policy denies the call or none allows it, and which kind of policy. */
export interface Denial {
  kind: "explicit" | "implicit";
  policy: "identity" | "resource";
}

export type FaultAnswer = "throttle" | "unavailable" | "internal";

export type Fault = {
  delayMs?: number;
  throw?: FaultAnswer | "hang" | "reset";
  /** "after": the engine has done it, and its answer is late, replaced or lost. "before" unless told. */
  when?: "before" | "after";
};

export type Authorize = (call: ArrivedCall) => AccessDecision | Promise<AccessDecision>;
export type InjectFault = (call: ArrivedCall) => Fault | undefined | Promise<Fault | undefined>;

/** By which the AWS SDKs are told where a service is. */
export const endpointVariables: Readonly<Record<FunctionService, string>> = {
  dynamodb: "AWS_ENDPOINT_URL_DYNAMODB",
  secretsmanager: "AWS_ENDPOINT_URL_SECRETS_MANAGER",
  kms: "AWS_ENDPOINT_URL_KMS",
};

const PREFIXES: Record<string, AwsService> = {
  DynamoDB_20120810: "dynamodb",
  secretsmanager: "secretsmanager",
  TrentService: "kms",
  Logs_20140328: "logs",
};

/** AWS JSON names the operation in a header: https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html */
export function parseTarget(
  header: string | undefined,
): { service: AwsService; operation: string } | undefined {
  const match = /^(\w+)\.([A-Za-z]{1,64})$/.exec(header ?? "");
  const [, prefix = "", operation = ""] = match ?? [];
  const service = Object.hasOwn(PREFIXES, prefix) ? PREFIXES[prefix] : undefined;
  return service && { service, operation };
}

/** AWS Query names the operation in the body: https://smithy.io/2.0/aws/protocols/aws-query-protocol.html */
export function formOf(body: Buffer): URLSearchParams {
  return new URLSearchParams(body.toString("utf8"));
}

type Facts = Pick<ArrivedCall, "resource" | "resources" | "indexName" | "encryptionContext">;

/** Undefined: the body is not of the service's form. */
export function factsOf(service: AwsService, body: Buffer): Facts | undefined {
  if (service === "cloudformation") {
    const stack = formOf(body).get("StackName");
    return stack === null ? { resources: [] } : { resources: [stack], resource: stack };
  }
  let input: unknown;
  try {
    input = JSON.parse(body.toString("utf8"));
  } catch {
    return undefined;
  }
  if (!isJsonObject(input)) return undefined;
  const resources = { dynamodb: tablesOf, secretsmanager: secretsOf, kms: keysOf, logs: logGroupsOf }[
    service
  ](input);
  const context = service === "kms" ? contextOf(input) : undefined;
  return {
    resources,
    ...(resources[0] !== undefined && { resource: resources[0] }),
    ...(service === "dynamodb" && typeof input.IndexName === "string" && { indexName: input.IndexName }),
    ...(context && { encryptionContext: context }),
  };
}

function tablesOf(input: Record<string, unknown>): string[] {
  const tables = [input.TableName, input.ResourceArn];
  if (isJsonObject(input.RequestItems)) tables.push(...Object.keys(input.RequestItems));
  if (Array.isArray(input.TransactItems)) {
    for (const item of input.TransactItems) {
      if (!isJsonObject(item)) continue;
      for (const action of Object.values(item)) if (isJsonObject(action)) tables.push(action.TableName);
    }
  }
  return [...new Set(strings(tables))];
}

function secretsOf(input: Record<string, unknown>): string[] {
  const batch = Array.isArray(input.SecretIdList) ? input.SecretIdList : [];
  return strings([input.SecretId ?? input.Name, ...batch]);
}

/** A Decrypt without KeyId names its key only inside the ciphertext, which the AWS proxy cannot read. */
function keysOf(input: Record<string, unknown>): string[] {
  return strings([input.KeyId]);
}

function logGroupsOf(input: Record<string, unknown>): string[] {
  const several = Array.isArray(input.logGroupNames) ? input.logGroupNames : [];
  return strings([input.logGroupName, ...several]);
}

function contextOf(input: Record<string, unknown>): Record<string, string> | undefined {
  if (!isJsonObject(input.EncryptionContext)) return undefined;
  const pairs = Object.entries(input.EncryptionContext).filter(
    (pair): pair is [string, string] => typeof pair[1] === "string",
  );
  // fromEntries defines own properties: a context key called __proto__ stays data.
  return Object.fromEntries(pairs);
}

function strings(values: unknown[]): string[] {
  return values.filter((value) => typeof value === "string");
}
