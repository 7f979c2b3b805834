/** A request as it was sent. */
import type { IncomingMessage } from "node:http";

/** Undefined: longer than allowed; the rest is read and dropped, so that the refusal reaches a client still sending. */
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

/** Not `new URL`: it would tidy up the path that a client got wrong. The query comes without its question mark. */
export function splitTarget(target: string): { rawPath: string; rawQuery: string } {
  const mark = target.indexOf("?");
  return mark < 0
    ? { rawPath: target, rawQuery: "" }
    : { rawPath: target.slice(0, mark), rawQuery: target.slice(mark + 1) };
}
