/** A request as it was sent. */
import type { IncomingMessage } from "node:http";

/** Undefined for a body of more bytes. The rest is read all the same, so that a client still sending gets the refusal. */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes <= maxBytes) chunks.push(chunk);
    else chunks.length = 0;
  }
  return bytes <= maxBytes ? Buffer.concat(chunks) : undefined;
}

/** `new URL` would tidy up a malformed path. The query comes without the question mark. */
export function splitTarget(target: string): { rawPath: string; rawQuery: string } {
  const mark = target.indexOf("?");
  return mark < 0
    ? { rawPath: target, rawQuery: "" }
    : { rawPath: target.slice(0, mark), rawQuery: target.slice(mark + 1) };
}
