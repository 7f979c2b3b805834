/** AWS credentials, in the form that AWS's SDKs have them. */

export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
  readonly expiration?: Date | undefined;
}

/**
 * As AWS's SDKs have them: asked before every request, it remembers by itself for as long as they are good. `signal` aborts
 * when nobody waits for the credentials any more. AWS's own providers do not know it.
 */
export type AwsCredentialsProvider = (options?: {
  forceRefresh?: boolean;
  signal?: AbortSignal;
}) => Promise<AwsCredentials>;
