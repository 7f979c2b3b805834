import { createServer } from "node:http";
import { listen } from "../../local/loopback.ts";

/** Nobody listens there: the port was free a moment ago. */
export async function refusingUrl(): Promise<string> {
  const { url, close } = await listen(createServer());
  await close();
  return url;
}
