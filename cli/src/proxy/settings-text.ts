/** Files with the proxy's settings, and the environment of a command that uses them. */
import { shellWord } from "../shell.ts";
import { baseOf, type ProxySettings } from "./template.ts";

/** The first line of each file. The next run may replace a file with this mark. */
export const settingsMark = "# Written by looker-token, which removes this file when it ends.";

/** https://github.com/looker-open-source/sdk-codegen#configuring-lookerini-or-env */
export const iniText = (settings: ProxySettings): string =>
  [
    settingsMark,
    "[Looker]",
    `base_url=${baseOf(settings)}`,
    `client_id=${settings.id}`,
    `client_secret=${settings.secret}`,
  ].join("\n");

/** For `set -a; . FILE`. Docker and systemd read it as well, as long as no value of a template needs quotes. */
export const settingsFileText = (variables: Readonly<Record<string, string>>): string =>
  [settingsMark, ...Object.entries(variables).map(([name, value]) => `${name}=${quoted(value)}`)].join("\n");

const quoted = (value: string): string => (/^[\w.:/@%+=,~-]*$/.test(value) ? value : shellWord(value));

/** Variables with Looker's own token or address would lead a tool around the proxy. */
const aroundTheProxy = ["LOOKER_ACCESS_TOKEN", "LOOKER_TOKEN_FILE", "LOOKER_API_ENDPOINT"];

/** Of the command: the parent's, with the proxy's variables and without any of Looker's own tokens. */
export function childEnvironment(
  parent: NodeJS.ProcessEnv,
  variables: Readonly<Record<string, string>>,
): NodeJS.ProcessEnv {
  const rest = Object.fromEntries(Object.entries(parent).filter(([name]) => !aroundTheProxy.includes(name)));
  return { ...rest, ...withoutOutboundProxy(parent), ...variables };
}

/** With HTTP_PROXY alone, many HTTP clients would ask the company's proxy for 127.0.0.1. */
function withoutOutboundProxy(parent: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const isSet = ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"].some((name) => parent[name]);
  if (!isSet) return {};
  const exempt = [...new Set([parent.no_proxy, parent.NO_PROXY, "127.0.0.1,localhost"])]
    .filter(Boolean)
    .join(",");
  return { no_proxy: exempt, NO_PROXY: exempt };
}
