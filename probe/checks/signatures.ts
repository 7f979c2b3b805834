/** Without the right signature nobody is anybody, on any route. */
import { type Check, gatewayRefuses } from "../check.ts";
import type { ProbeContext } from "../context.ts";
import type { Signing } from "../request.ts";
import { verbsOn } from "./verbs.ts";

export function signatures({ scope, caller, region }: ProbeContext): Check[] {
  const routes = [
    { name: "who am I", request: { method: "GET", path: "/scopes" } },
    ...verbsOn(scope.scope, caller.arn),
  ];
  const unsigned = routes.map(({ name, request }) => ({
    what: `unsigned: ${name}`,
    request: { ...request, signing: { none: true } },
    expect: gatewayRefuses,
  }));
  const wrong: Record<string, Signing> = {
    "a wrong signature": { spoilt: true },
    "a signature of another region": { region: region === "us-east-1" ? "us-west-2" : "us-east-1" },
    "a signature of another service": { service: "s3" },
    "a signature of ten minutes ago": { minutesOff: -10 },
    "a signature of ten minutes from now": { minutesOff: 10 },
    "a session token of one's own invention": { sessionToken: "nonsense" },
  };
  return [
    ...unsigned,
    ...Object.entries(wrong).map(([what, signing]) => ({
      what,
      request: { method: "GET", path: "/scopes", signing },
      expect: gatewayRefuses,
    })),
    {
      what: "another body than the signed one",
      request: { method: "POST", path: `/scopes/${scope.scope}/token`, body: "{ }", signing: { body: "{}" } },
      expect: gatewayRefuses,
    },
  ];
}
