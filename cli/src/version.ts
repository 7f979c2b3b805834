/** The version in package.json. Both `src` and `dist` lie next to that file. */
import { readFileSync } from "node:fs";

export function ownVersion(): string {
  const file = new URL("../package.json", import.meta.url);
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}
