/** `--env NAME=TEMPLATE`: settings of the proxy under the names that a tool reads. */
import { UsageError } from "../usage-error.ts";
import type { LocalPair } from "./pair.ts";

export interface ProxySettings extends LocalPair {
  readonly port: number;
}

export const baseOf = ({ port }: { port: number }): string => `http://127.0.0.1:${port}`;

const placeholders = {
  base: baseOf,
  host: () => "127.0.0.1",
  port: ({ port }: ProxySettings) => String(port),
  id: ({ id }: ProxySettings) => id,
  secret: ({ secret }: ProxySettings) => secret,
} as const;

export interface Template {
  readonly name: string;
  fill(settings: ProxySettings): string;
}

/** @throws {UsageError} before anything is started. */
export function templateOf(text: string): Template {
  const [, name, template] = /^([A-Za-z_]\w*)=(.*)$/s.exec(text) ?? [];
  if (name === undefined || template === undefined)
    throw new UsageError(`--env takes NAME=TEMPLATE, as in --env LOOKER_URL={base}, and not ${text}.`);
  const unknown = [...template.matchAll(/\{(\w+)\}/g)].find(
    ([, word = ""]) => !Object.hasOwn(placeholders, word),
  );
  if (unknown)
    throw new UsageError(
      `--env ${name}: ${unknown[0]} is not one of {${Object.keys(placeholders).join("} {")}}.`,
    );
  return {
    name,
    fill: (settings) =>
      template.replace(/\{(\w+)\}/g, (_, word: keyof typeof placeholders) => placeholders[word](settings)),
  };
}

/** As Looker's SDKs read them. */
const sdkTemplates = [
  "LOOKERSDK_BASE_URL={base}",
  "LOOKERSDK_CLIENT_ID={id}",
  "LOOKERSDK_CLIENT_SECRET={secret}",
].map(templateOf);

/** The variables of Looker's SDKs, and those of the templates. A template wins. */
export function variablesOf(settings: ProxySettings, more: readonly Template[]): Record<string, string> {
  return Object.fromEntries([...sdkTemplates, ...more].map(({ name, fill }) => [name, fill(settings)]));
}
