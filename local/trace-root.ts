/** `Root=1-…`: the part of X-Ray's tracing header that a request keeps on its whole way. */
import { randomBytes } from "node:crypto";

/** https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader */
export function newTraceRoot(now: Date): string {
  const seconds = Math.floor(now.getTime() / 1_000).toString(16);
  return `Root=1-${seconds}-${randomBytes(12).toString("hex")}`;
}

/** The root in the header of a client, if there is one. */
export function traceRootIn(header: string | undefined): string | undefined {
  return /(?:^|[;,]) *(Root=1-[0-9a-f]{8}-[0-9a-f]{24})(?=$|[;,])/.exec(header ?? "")?.[1];
}
