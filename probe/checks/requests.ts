/** What is no request of the interface: too much, malformed, on no route, on no stage. */
import { answersWith, type Check, gatewayRefuses, refused } from "../check.ts";
import type { ProbeContext } from "../context.ts";

export function oddRequests({ scope }: ProbeContext): Check[] {
  const token = { method: "POST", path: `/scopes/${scope.scope}/token` };
  // The lists go before the body: whoever may not have a token is not told what was wrong with it.
  const told = (status: number, code: string) =>
    scope.may.includes("token") ? answersWith(status, code) : refused;
  const undeclared = [
    ["GET", token.path],
    ["PUT", token.path],
    ["POST", `/scopes/${scope.scope}/leases`],
    ["POST", "/scopes"],
    ["OPTIONS", "/scopes"],
    ["GET", `/scopes/${scope.scope}`],
    ["POST", `${token.path}/more`],
    ["GET", "/"],
  ] as const;
  return [
    {
      what: "token, with 5 KB of body",
      request: { ...token, body: JSON.stringify({ much: "x".repeat(5_000) }) },
      expect: told(413, "payload_too_large"),
    },
    {
      what: "token, with malformed JSON",
      request: { ...token, body: '{"min_ttl_seconds' },
      expect: told(400, "bad_request"),
    },
    {
      what: "token, with JSON that is no object",
      request: { ...token, body: "[]" },
      expect: told(400, "bad_request"),
    },
    ...undeclared.map(([method, path]) => ({
      what: `${method} ${path}`,
      request: { method, path },
      expect: gatewayRefuses,
    })),
    ...["test-invoke-stage", "another-stage"].map((stage) => ({
      what: `who am I, on ${stage}`,
      request: { method: "GET", path: "/scopes", stage },
      expect: gatewayRefuses,
    })),
  ];
}
