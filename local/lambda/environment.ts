/** The environment of a function instance: the template's, and what Lambda adds. Nothing of this process's own. */
import { join } from "node:path";
import type { SessionCredentials } from "../sigv4/session-credentials.ts";
import type { LocalFunction } from "../stack/functions.ts";

/** Where a function's AWS clients go. */
export interface AwsEndpoints {
  readonly region: string;
  /** URLs by the variables that the SDK reads: AWS_ENDPOINT_URL_DYNAMODB, … */
  readonly variables: Readonly<Record<string, string>>;
}

/** https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html */
export function instanceEnvironment(
  definition: LocalFunction,
  credentials: SessionCredentials,
  { region, variables }: AwsEndpoints,
  instanceNumber: number,
): Record<string, string> {
  const { name, memoryMb, codeDir, handler, logGroupName } = definition;
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
    ...variables,
    // On Lambda there is no ~/.aws; without these the SDK would find and obey the developer's.
    AWS_CONFIG_FILE: join(codeDir, ".none"),
    AWS_SHARED_CREDENTIALS_FILE: join(codeDir, ".none"),
  };
}
