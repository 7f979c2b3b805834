/** `.local/broker.json`: the broker that runs on this machine, and the keys of its principals. */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { UsageError } from "./usage-error.ts";

export interface LocalBroker {
  readonly endpoint: string;
  readonly region: string;
  readonly principals: Readonly<Record<string, LocalPrincipal>>;
}

interface LocalPrincipal {
  readonly access_key_id: string;
  readonly secret_access_key: string;
  readonly session_token?: string;
  readonly scopes: readonly string[];
  readonly operates: readonly string[];
}

/** Of this directory or the nearest above it. */
export function readBrokerFile(directory: string): LocalBroker {
  for (let at = directory; ; at = dirname(at)) {
    const text = textOf(join(at, ".local/broker.json"));
    if (text !== undefined) return brokerIn(text, join(at, ".local/broker.json"));
    if (dirname(at) === at)
      throw new UsageError(
        "No broker runs here: there is no .local/broker.json in this directory or above; `npm start` starts one.",
      );
  }
}

function brokerIn(text: string, file: string): LocalBroker {
  try {
    const broker = JSON.parse(text) as LocalBroker;
    if (typeof broker.endpoint === "string" && Object.values(broker.principals).every((each) => each.scopes))
      return broker;
  } catch {
    // No JSON, or of another form.
  }
  throw new UsageError(`${file} is not as \`npm start\` writes it: remove it, and start the broker again.`);
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return undefined;
    throw error;
  }
}

/** What a command needs its principal for; `any` where it needs none in particular. */
export type Need = { may: "call" | "operate"; scope: string | undefined } | { may: "any" };

export function localPrincipal(broker: LocalBroker, name: string | undefined, need: Need): LocalPrincipal {
  const names = Object.keys(broker.principals);
  const chosen = name ?? names.find((each) => fits(broker.principals[each], need)) ?? names[0];
  if (chosen !== undefined && Object.hasOwn(broker.principals, chosen))
    return broker.principals[chosen] as LocalPrincipal;
  throw new UsageError(`The local broker has no principal ${chosen}: there are ${names.join(", ")}.`);
}

function fits(principal: LocalPrincipal | undefined, need: Need): boolean {
  if (need.may === "any") return true;
  const granted = (need.may === "call" ? principal?.scopes : principal?.operates) ?? [];
  return need.scope === undefined ? granted.length > 0 : granted.includes(need.scope);
}
