/** What a broker and the API Gateway before it answer, in the form of docs/reference/openapi.yaml. */
import type { Reply } from "./fake-server.ts";

export const plantedToken = (lease: string) => `looker-access-token-of-${lease}`;

export const tokenReply = (
  lease: string,
  expiresIn = 900,
  baseUrl = "https://example.cloud.looker.com",
): Reply => ({
  status: 200,
  body: {
    access_token: plantedToken(lease),
    token_type: "Bearer",
    expires_in: expiresIn,
    scope: "sales",
    lease_id: lease,
    base_url: baseUrl,
  },
});

export const problem = (status: number, code: string, retryAfter?: number, detail?: string): Reply => ({
  status,
  headers: {
    "content-type": "application/problem+json",
    "x-amzn-requestid": "11111111-2222-3333-4444-555555555555",
    ...(retryAfter === undefined ? {} : { "retry-after": String(retryAfter) }),
  },
  body: {
    title: "A title",
    status,
    code,
    request_id: "11111111-2222-3333-4444-555555555555",
    ...(detail && { detail }),
  },
});

export const gatewayReply = (status: number, errorType: string, message: string, more = {}): Reply => ({
  status,
  headers: {
    "x-amzn-errortype": errorType,
    "x-amzn-requestid": "66666666-7777-8888-9999-000000000000",
    ...more,
  },
  body: errorType === "AccessDeniedException" ? { Message: message } : { message },
});
