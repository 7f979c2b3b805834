/**
 * X-Ray's tracing header, `Root=1-…;Parent=…;Sampled=0`.
 * https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
 */
import { randomBytes } from "node:crypto";

const root = /(?:^|[;,]) *(Root=1-[0-9a-f]{8}-[0-9a-f]{24})(?=$|[;,])/;
const parent = /(?:^|[;,]) *(Parent=[0-9a-f]{16})(?=$|[;,])/;
const sampled = /(?:^|[;,]) *(Sampled=[01])(?=$|[;,])/;

/**
 * Continues the client's trace, or begins one. The client's root, parent and sampling decision are kept, and missing fields
 * are filled in. The source is LocalStack's test_invocation_trace_id, recorded on AWS on 2024-08-07.
 */
export function continueTrace(sent: string | undefined, now: Date): string {
  const field = (pattern: RegExp) => pattern.exec(sent ?? "")?.[1];
  const sentRoot = field(root);
  if (sentRoot === undefined) return [newRoot(now), newParent(), "Sampled=0"].join(";");
  const sentParent = field(parent);
  const sampling = field(sampled) ?? (sentParent === undefined ? "Sampled=0" : "Sampled=1");
  return [sentRoot, sentParent ?? newParent(), sampling].join(";");
}

function newRoot(now: Date): string {
  const seconds = Math.floor(now.getTime() / 1_000).toString(16);
  return `Root=1-${seconds}-${randomBytes(12).toString("hex")}`;
}

const newParent = () => `Parent=${randomBytes(8).toString("hex")}`;

/** `Root=1-…` alone. */
export const rootOf = (trace: string): string => root.exec(trace)?.[1] ?? trace;
