/** An HTTP request byte for byte: `fetch` tidies paths up and refuses to set some headers. */
import { request } from "node:http";
import { type SignedFetchRequest, type SigningOptions, signRequest } from "./signed-fetch.ts";

export interface RawAnswer {
  status: number;
  headers: NodeJS.Dict<string | string[]>;
  text: string;
}

export function sendRaw(
  port: number,
  path: string,
  { method, headers, body }: Omit<SignedFetchRequest, "url">,
): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const message = request({ host: "127.0.0.1", port, path, method, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("end", () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text: Buffer.concat(chunks).toString(),
        }),
      );
    });
    message.on("error", reject);
    message.end(body);
  });
}

export async function sendSigned(port: number, path: string, options: SigningOptions): Promise<RawAnswer> {
  return sendRaw(port, path, await signRequest(`http://127.0.0.1:${port}${path}`, options));
}
