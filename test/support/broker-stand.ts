/** A whole broker for a test: callers that sign, Looker's SDK with the broker's token, and what nobody may see. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import type { Looker40SDK } from "@looker/sdk";
import { LookerNodeSDK, NodeTransport } from "@looker/sdk-node";
import { ApiSettings, AuthSession, type IRequestProps } from "@looker/sdk-rtl";
import { afterAll, beforeAll, expect } from "vitest";
import { ENGINE_CREDENTIAL } from "../../local/aws/engine.ts";
import { type BrokerOptions, type RunningBroker, startBroker } from "../../local/broker.ts";
import { matchRoute } from "../../local/gateway/routes.ts";
import type { RunningLooker } from "../../local/looker/server.ts";
import type { LocalPrincipal } from "../../local/principals.ts";
import { templatePolicies } from "./iam/enforce.ts";
import { validateAnswer } from "./openapi/document.ts";
import { type RawAnswer, sendSigned } from "./raw-request.ts";

export interface Stand {
  readonly broker: RunningBroker;
  readonly workDir: string;
  /** Client secrets, tokens and signing keys, as they become known: for {@link leaksIn}. */
  readonly secrets: Set<string>;
  /** The stand-in, where there is one. */
  readonly looker: RunningLooker;
  stop(): Promise<void>;
}

/** For hooks, whose own time-out is shorter than that of the tests: synthesis alone takes seconds on a busy machine. */
export const startsWithinMs = 60_000;

/** Every call of the functions to AWS is allowed or denied by the template's own policies. */
export async function startStand(options: Partial<BrokerOptions> = {}): Promise<Stand> {
  const workDir = mkdtempSync(join(tmpdir(), "token-broker-"));
  const broker = await startBroker({
    port: 0,
    lookerPort: 0,
    lookerControlPort: 0,
    maxInstances: 5,
    throttle: false,
    instances: "threads",
    externalEngines: {},
    workDir,
    authorize: templatePolicies,
    // The tests of rotation switch it on. For the others its logins at Looker are in the way.
    rotates: false,
    ...options,
  });
  const secrets = new Set(broker.principals.flatMap((each) => [each.secretAccessKey, each.sessionToken]));
  for (const secretId of broker.secretIds)
    secrets.add((await clientSecretOf(broker, secretId)).client_secret);
  return {
    broker,
    workDir,
    secrets,
    get looker() {
      if (!broker.looker) throw new Error("This broker has another Looker than the stand-in.");
      return broker.looker;
    },
    async stop() {
      await broker.close();
      rmSync(workDir, { recursive: true, force: true });
    },
  };
}

/** For one test file: started before its first test, stopped after its last. */
export function sharedStand(options: Partial<BrokerOptions> = {}): Stand {
  let stand: Stand | undefined;
  beforeAll(async () => {
    stand = await startStand(options);
  }, startsWithinMs);
  afterAll(() => stand?.stop());
  const started = (): Stand => {
    if (!stand) throw new Error("The stand starts with the first test.");
    return stand;
  };
  return {
    get broker() {
      return started().broker;
    },
    get workDir() {
      return started().workDir;
    },
    get secrets() {
      return started().secrets;
    },
    get looker() {
      return started().looker;
    },
    stop: () => started().stop(),
  };
}

/** As the stand-in Secrets Manager holds it, read past the AWS proxy. */
export async function clientSecretOf(broker: RunningBroker, secretId: string) {
  const manager = new SecretsManagerClient({
    endpoint: broker.engines.urls.secretsmanager,
    region: broker.region,
    credentials: ENGINE_CREDENTIAL,
  });
  try {
    const { SecretString } = await manager.send(new GetSecretValueCommand({ SecretId: secretId }));
    return JSON.parse(SecretString ?? "{}") as { client_id: string; client_secret: string };
  } finally {
    manager.destroy();
  }
}

export interface Answer extends RawAnswer {
  // biome-ignore lint/suspicious/noExplicitAny: a test reads what it expects, and fails where that is missing.
  readonly json: any;
}

export interface Caller {
  readonly principal: LocalPrincipal;
  /** `path` byte for byte, from the stage on. */
  send(method: string, path: string, body?: string): Promise<Answer>;
  token(scope: string, body?: object): Promise<Answer>;
  logout(scope: string, body?: object): Promise<Answer>;
}

export function callerOf({ broker, secrets }: Stand, name: string): Caller {
  const principal = broker.principals.find((each) => each.name === name);
  if (!principal) throw new Error(`No local principal ${name}.`);
  const { port, pathname } = new URL(broker.endpoint);
  const send: Caller["send"] = async (method, path, body) => {
    const raw = await sendSigned(Number(port), `${pathname}${path}`, {
      method,
      credentials: principal,
      region: broker.region,
      headers: body === undefined ? {} : { "content-type": "application/json" },
      ...(body === undefined ? {} : { body }),
    });
    const match = matchRoute(broker.stack.routes, method, path.split("?")[0] ?? "");
    if (typeof match === "object")
      expect(validateAnswer(method, match.route.resource, raw.status, raw.headers, raw.text)).toEqual([]);
    const json = /json/.test(String(raw.headers["content-type"])) ? JSON.parse(raw.text) : undefined;
    if (typeof json?.access_token === "string") secrets.add(json.access_token);
    return { ...raw, json };
  };
  const post = (scope: string, verb: string, body?: object) =>
    send("POST", `/scopes/${scope}/${verb}`, body && JSON.stringify(body));
  return {
    principal,
    send,
    token: (scope, body) => post(scope, "token", body),
    logout: (scope, body) => post(scope, "logout", body),
  };
}

/**
 * Lets its IAM policy invoke everything, so that the gateway refuses nothing and the scopes' own lists are all that is
 * left: the first of the two locks stands open.
 */
export function openFirstLock({ stack, region }: RunningBroker, principal: LocalPrincipal): void {
  const everything = `arn:aws:execute-api:${region}:${principal.accountId}:${stack.apiId}/${stack.stage}/*`;
  (principal.allow as string[]).push(everything);
}

class GivenToken extends AuthSession {
  readonly #token: string;

  constructor(settings: ApiSettings, transport: NodeTransport, token: string) {
    super(settings, transport);
    this.#token = token;
  }

  isAuthenticated(): boolean {
    return true;
  }

  async getToken(): Promise<string> {
    return this.#token;
  }

  async authenticate(props: IRequestProps): Promise<IRequestProps> {
    return { ...props, headers: { ...props.headers, Authorization: `Bearer ${this.#token}` } };
  }
}

/** Looker's own SDK, which is handed the token and has no credentials to get another. */
export function lookerSdk(baseUrl: string, token: string): Looker40SDK {
  const settings = new ApiSettings({ base_url: baseUrl });
  const transport = new NodeTransport(settings);
  return LookerNodeSDK.init40(settings, transport, new GivenToken(settings, transport, token));
}

/** Whether Looker still takes the token: the status of `GET /user`. */
export async function statusAtLooker(lookerUrl: string, token: string): Promise<number> {
  const { status } = await fetch(`${lookerUrl}/api/4.0/user`, {
    headers: { authorization: `Bearer ${token}` },
  });
  return status;
}

/** How many of the secrets stand in the text, plain or in base64. A number, so that a failure prints none. */
export function leaksIn(text: string, secrets: Iterable<string>): number {
  return [...secrets].filter((secret) => [secret, ...base64Of(secret)].some((form) => text.includes(form)))
    .length;
}

/** What base64 makes of a text wherever in a longer one it begins: the three alignments, without their edges. */
function base64Of(secret: string): string[] {
  return [0, 1, 2].map((shift) => {
    const encoded = Buffer.from(`${"\0".repeat(shift)}${secret}`)
      .toString("base64")
      .replace(/=+$/, "");
    return encoded.slice(shift === 0 ? 0 : shift + 1, -1);
  });
}

/** The functions' records, oldest first. */
// biome-ignore lint/suspicious/noExplicitAny: as above.
export function records(broker: RunningBroker): any[] {
  return broker
    .logs()
    .map((line) => line.slice(line.indexOf(" ") + 1))
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line));
}

/** One for each request and each sweep. */
export const auditLines = (broker: RunningBroker) => records(broker).filter(({ kind }) => kind === "audit");

/** Sum of a counter in the audit lines so far. */
export const counted = ({ broker }: Stand, field: string): number =>
  auditLines(broker).reduce((sum, line) => sum + Number(line[field] ?? 0), 0);

/** Log lines travel from the instance on their own; the answer may be here first. */
export async function untilSeen<T>(
  look: () => T | undefined | false | Promise<T | undefined | false>,
  what: string,
  withinMs = 10_000,
): Promise<T> {
  const began = Date.now();
  while (Date.now() - began < withinMs) {
    const seen = await look();
    if (seen !== undefined && seen !== false) return seen;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`Not seen within ${withinMs / 1_000} s: ${what}.`);
}
