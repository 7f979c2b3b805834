/** A request's body: in memory if it is small, to be sent twice, or as a stream. */
import type { IncomingMessage } from "node:http";
import type { Readable } from "node:stream";

export type RequestBody =
  | { readonly kind: "none" }
  | { readonly kind: "kept"; readonly bytes: Buffer }
  /** `length`: undefined where the client does not say it. */
  | { readonly kind: "stream"; readonly stream: Readable; readonly length: number | undefined };

/** Looker's own calls have a few kilobytes. Uploads are larger, and rare. */
export const mostKeptBytes = 1024 * 1024;

/** Reads up to `limit` bytes. A longer body is passed on while it arrives. */
export async function requestBody(request: IncomingMessage, limit = mostKeptBytes): Promise<RequestBody> {
  const { "content-length": stated, "transfer-encoding": coding } = request.headers;
  if (stated === undefined && coding === undefined) return { kind: "none" };
  const length = stated === undefined ? undefined : Number(stated);
  if (length !== undefined && length > limit) return { kind: "stream", stream: request, length };
  const { bytes, isWhole } = await readUpTo(request, limit);
  if (isWhole) return { kind: "kept", bytes };
  request.unshift(bytes);
  return { kind: "stream", stream: request, length };
}

/** Without `for await`, whose end would destroy the request and with it the connection. */
function readUpTo(request: IncomingMessage, limit: number): Promise<{ bytes: Buffer; isWhole: boolean }> {
  const chunks: Buffer[] = [];
  let size = 0;
  return new Promise((resolve, reject) => {
    const finish = (isWhole: boolean) => {
      request.off("data", onData).off("end", onEnd).off("close", onClose);
      resolve({ bytes: Buffer.concat(chunks), isWhole });
    };
    const onData = (chunk: Buffer) => {
      chunks.push(chunk);
      size += chunk.length;
      if (size <= limit) return;
      request.pause();
      finish(false);
    };
    const onEnd = () => finish(true);
    // A client that goes away in the middle has sent no request.
    const onClose = () => reject(new ClientGone());
    request.on("data", onData).on("end", onEnd).on("close", onClose);
  });
}

/** The tool has closed its connection: there is nobody to answer. */
export class ClientGone extends Error {
  override readonly name = "ClientGone";
}
