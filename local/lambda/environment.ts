/** The environment of a function instance: the template's, and what Lambda adds. Nothing of this process's own. */
import { join } from "node:path";
import type { LocalFunction } from "../stack/template.ts";

export interface SessionCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
}

export interface AwsPlace {
  readonly region: string;
  /** Where the SDK's clients go, by the names that it reads: DYNAMODB, SECRETS_MANAGER, KMS, … */
  readonly endpoints: Readonly<Record<string, string>>;
}

/** https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html */
export function instanceEnvironment(
  definition: LocalFunction,
  credentials: SessionCredentials,
  { region, endpoints }: AwsPlace,
  instanceNumber: number,
): Record<string, string> {
  const { name, memoryMb, codeDir, handler, logGroupName } = definition;
  const endpointVariables = Object.entries(endpoints).map(([service, url]) => [
    `AWS_ENDPOINT_URL_${service}`,
    url,
  ]);
  // Lambda refuses functions that set these themselves, so what the template says goes first.
  return {
    ...definition.environment,
    _HANDLER: handler,
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_EXECUTION_ENV: "AWS_Lambda_nodejs24.x",
    AWS_LAMBDA_FUNCTION_NAME: name,
    AWS_LAMBDA_FUNCTION_VERSION: "$LATEST",
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(memoryMb),
    AWS_LAMBDA_INITIALIZATION_TYPE: "on-demand",
    AWS_LAMBDA_LOG_GROUP_NAME: logGroupName,
    AWS_LAMBDA_LOG_STREAM_NAME: `local/[$LATEST]${instanceNumber}`,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_SESSION_TOKEN: credentials.sessionToken,
    LAMBDA_TASK_ROOT: codeDir,
    LANG: "en_US.UTF-8",
    TZ: ":UTC",
    ...Object.fromEntries(endpointVariables),
    // On Lambda there is no ~/.aws; without these the SDK would find and obey the developer's.
    AWS_CONFIG_FILE: join(codeDir, ".none"),
    AWS_SHARED_CREDENTIALS_FILE: join(codeDir, ".none"),
  };
}
