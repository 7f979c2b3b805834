/**
 * What the runbook asks of AWS with `aws`, answered for the local broker, which has no Scheduler or Lambda of its own. A command that nobody taught it fails. What the real CLI makes of the commands, test/external/reference says.
 */

import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { SecretsManagerServiceException } from "@aws-sdk/client-secrets-manager";
import { listen } from "../../local/loopback.ts";
import type { Stand } from "../support/broker-stand.ts";

export type Flags = Readonly<Record<string, string>>;
/** What the command prints. */
export type Answer = (flags: Flags) => unknown;

export interface Aws {
  /** The folder to put first on PATH. */
  readonly bin: string;
  /** For one command, such as `lambda invoke`, in the place of what is there. */
  answer(command: string, answer: Answer): void;
  /** Commands that were typed, as `lambda invoke`. */
  readonly typed: string[];
  close(): Promise<void>;
}

export interface TemplateResource {
  readonly Type: string;
  // biome-ignore lint/suspicious/noExplicitAny: a test reads what it expects, and fails where that is missing.
  readonly Properties: any;
  readonly Metadata?: Readonly<Record<string, string>>;
}

export function resourcesOf({ workDir }: Stand): Record<string, TemplateResource> {
  const template = join(workDir, "cdk.out/looker-token-broker.template.json");
  return JSON.parse(readFileSync(template, "utf8")).Resources;
}

export async function startAws(stand: () => Stand, bin: string): Promise<Aws> {
  const answers = new Map<string, Answer>(Object.entries(standing(stand)));
  const typed: string[] = [];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const { command, flags } = commandOf(JSON.parse(body));
    typed.push(command);
    const answer = answers.get(command);
    if (!answer) return void response.writeHead(501).end(`aws ${command} is not known here`);
    const said = await refusal(answer(flags));
    if (said instanceof Error) return void response.writeHead(400).end(said.message);
    response.end(typeof said === "string" ? said : JSON.stringify(said));
  });
  const { url, close } = await listen(server);
  writeFileSync(join(bin, "aws"), script(url), { mode: 0o755 });
  return {
    bin,
    answer: (command, answer) => void answers.set(command, answer),
    typed,
    close,
  };
}

/** A service's refusal, which the CLI prints. It ends with 254 then. */
async function refusal(answered: unknown): Promise<unknown> {
  try {
    return await answered;
  } catch (error) {
    if (error instanceof SecretsManagerServiceException) return error;
    throw error;
  }
}

const script = (url: string) => `#!${process.execPath}
fetch("${url}", { method: "POST", body: JSON.stringify(process.argv.slice(2)) }).then(async (answer) => {
  process.stdout.write((await answer.text()) + "\\n");
  process.exitCode = answer.ok ? 0 : answer.status === 400 ? 254 : 252;
});
`;

/** A flag's values, and what stands without one, are joined by spaces. */
function commandOf([service, operation, ...args]: string[]): { command: string; flags: Flags } {
  const flags: Record<string, string> = {};
  let name = "operands";
  for (const arg of args) {
    if (arg.startsWith("--")) {
      name = arg.slice(2);
      flags[name] = "";
    } else flags[name] = [flags[name], arg].filter(Boolean).join(" ");
  }
  return { command: `${service} ${operation}`, flags };
}

/** What a flag's value is a file of. */
export const textOf = (value = "") =>
  value.startsWith("file://") ? readFileSync(value.slice("file://".length), "utf8") : value;

function standing(stand: () => Stand): Record<string, Answer> {
  return {
    "cloudformation describe-stacks": () => {
      const { broker } = stand();
      return `Endpoint=${broker.endpoint}\nTableName=${broker.tableName}\nSweepLogGroup=/sweep\nAccessLogGroup=/access`;
    },
    /** The query is held against the template that the broker runs from. */
    "cloudformation list-stack-resources": ({ query = "" }) => {
      const [, type] = /ResourceType=='([\w:]+)'/.exec(query) ?? [];
      const [, part = ""] = /contains\(LogicalResourceId, '(\w+)'\)/.exec(query) ?? [];
      const found = Object.entries(resourcesOf(stand())).filter(
        ([id, { Type }]) => Type === type && id.includes(part),
      );
      if (found.length !== 1) throw new Error(`${query} finds ${found.length} resources`);
      return found[0]?.[0];
    },
    "secretsmanager put-secret-value": async (flags) => {
      const pair = JSON.parse(textOf(flags["secret-string"])) as Record<string, string>;
      stand().secrets.add(pair.client_secret ?? "");
      await stand().broker.engines.putSecret(flags["secret-id"] ?? "", pair);
      return '"version"';
    },
    "lambda invoke": async () => {
      await stand().broker.runSchedules("sweep");
      return '{"revoked":0,"pending":0}';
    },
  };
}
