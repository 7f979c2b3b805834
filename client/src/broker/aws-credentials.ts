/** AWS credentials, in the form that AWS's SDKs have them. */

export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
  readonly expiration?: Date | undefined;
}

/** As AWS's SDKs have them: asked before every request, it remembers by itself for as long as they are good. */
export type AwsCredentialsProvider = (options?: { forceRefresh?: boolean }) => Promise<AwsCredentials>;
