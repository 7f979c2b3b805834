/** `.local/broker.json`: the broker that runs on this machine, and the keys of its principals. */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { UsageError } from "./usage-error.ts";

export interface LocalBroker {
  readonly endpoint: string;
  readonly region: string;
  /** The stack's name, and AWS's services by theirs. A broker of before has no stack. */
  readonly stack?: string;
  readonly endpoints?: Readonly<Record<string, string>>;
  readonly principals: Readonly<Record<string, LocalPrincipal>>;
}

export interface LocalPrincipal {
  readonly access_key_id: string;
  readonly secret_access_key: string;
  readonly session_token?: string;
  readonly scopes: readonly string[];
  readonly operates: readonly string[];
}

/** The broker of this directory or of the nearest one above it. */
export function findLocalBroker(directory: string): LocalBroker {
  for (let at = directory; ; at = dirname(at)) {
    const broker = readBrokerFile(at);
    if (broker) return broker;
    if (dirname(at) === at)
      throw new UsageError(
        "No broker runs here: there is no .local/broker.json in this directory or above.",
        { hint: "`npm start` starts one." },
      );
  }
}

/** The broker of this directory, or undefined if none runs. */
export function readBrokerFile(directory: string): LocalBroker | undefined {
  const file = join(directory, ".local/broker.json");
  const text = textOf(file);
  if (text === undefined) return undefined;
  try {
    const broker = JSON.parse(text) as LocalBroker;
    if (typeof broker.endpoint === "string" && Object.values(broker.principals).every((each) => each.scopes))
      return broker;
  } catch {
    // No JSON, or of another form.
  }
  throw new UsageError(`${file} is not as \`npm start\` writes it.`, {
    hint: "Remove it, and start the broker again.",
  });
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return undefined;
    throw error;
  }
}

/** As AWS's SDKs have them. */
export const keysOf = ({ access_key_id, secret_access_key, session_token }: LocalPrincipal) => ({
  accessKeyId: access_key_id,
  secretAccessKey: secret_access_key,
  ...(session_token === undefined ? {} : { sessionToken: session_token }),
});

/** The right that a command needs. `any`: every principal has it. */
export type RequiredGrant = { may: "call" | "operate"; scope: string | undefined } | { may: "any" };

export function localPrincipal(
  broker: LocalBroker,
  name: string | undefined,
  grant: RequiredGrant,
): LocalPrincipal {
  const names = Object.keys(broker.principals);
  const chosen = name ?? names.find((each) => fits(broker.principals[each], grant)) ?? names[0];
  if (chosen !== undefined && Object.hasOwn(broker.principals, chosen))
    return broker.principals[chosen] as LocalPrincipal;
  throw new UsageError(`The local broker has no principal ${chosen}.`, {
    hint: `There are ${names.join(", ")}.`,
  });
}

function fits(principal: LocalPrincipal | undefined, grant: RequiredGrant): boolean {
  if (grant.may === "any") return true;
  const granted = (grant.may === "call" ? principal?.scopes : principal?.operates) ?? [];
  return grant.scope === undefined ? granted.length > 0 : granted.includes(grant.scope);
}
