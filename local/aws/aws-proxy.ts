/**
 * Stands before DynamoDB, Secrets Manager, KMS, CloudWatch Logs and CloudFormation. It knows by the signature which role calls, logs what was
 * called, and has two ports: `authorize` (may this role do that?) and `fault` (let this call be slow, fail or get lost).
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { readBody, splitTarget } from "../http-request.ts";
import { type Listening, listen } from "../loopback.ts";
import { type SignedRequest, verifySignature } from "../sigv4/verify.ts";
import {
  type Answer,
  accessDenied,
  badSignature,
  errorName,
  faultAnswer,
  localFailure,
  notJson,
  sendAnswer,
  UNKNOWN_OPERATION,
} from "./answers.ts";
import {
  type ArrivedCall,
  type Authorize,
  type AwsCall,
  type AwsService,
  type DeploymentService,
  type FunctionService,
  factsOf,
  formOf,
  type InjectFault,
  parseTarget,
  type RoleCredential,
} from "./call.ts";
import { createCallLog } from "./call-log.ts";
import { createEngine, type Engine } from "./engine.ts";
import { forward } from "./forward.ts";

export interface AwsProxyOptions {
  /** 0 or omitted picks a free one. */
  port?: number;
  region: string;
  credentials: { find(accessKeyId: string): RoleCredential | undefined };
  /** URL of each service's engine. */
  engines: Record<FunctionService, string> & Partial<Record<DeploymentService, string>>;
  /** Every call with a right signature is allowed, unless told. */
  authorize?: Authorize;
  fault?: InjectFault;
  now?: () => Date;
}

export interface AwsProxy extends Listening {
  /** In the order of arrival; the latest ten thousand. */
  calls(): AwsCall[];
  clearCalls(): void;
  setAuthorize(authorize: Authorize | undefined): void;
  setFault(fault: InjectFault | undefined): void;
}

/**
 * DynamoDB: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html (BatchWriteItem, 16 MB).
 * The others take 64 KiB secrets and 4 KiB plaintexts; no limit of their requests is published.
 */
const MAX_BODY_BYTES: Record<AwsService, number> = {
  dynamodb: 16 * 1024 * 1024,
  secretsmanager: 1024 * 1024,
  kms: 1024 * 1024,
  logs: 1024 * 1024,
  cloudformation: 1024 * 1024,
};
/** Longer than any SDK keeps a free socket: one that the AWS proxy closed under it costs a retry, and so a second call. */
const KEEP_ALIVE_MS = 120_000;

export async function startAwsProxy(options: AwsProxyOptions): Promise<AwsProxy> {
  const now = options.now ?? (() => new Date());
  const { region, credentials } = options;
  const log = createCallLog();
  const closing = new AbortController();
  const underWay = new Set<Promise<void>>();
  const ports = { authorize: options.authorize, fault: options.fault };
  const engines = Object.fromEntries(
    Object.entries(options.engines).map(([service, url]) => [
      service,
      createEngine(service as AwsService, region, url),
    ]),
  ) as Partial<Record<AwsService, Engine>>;

  async function serve(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const contentType = message.headers["content-type"] ?? "";
    const target = message.headers["x-amz-target"] as string | undefined;
    const isForm = target === undefined && contentType.startsWith(formType);
    const named = isForm ? { service: queryService, operation: undefined } : parseTarget(target);
    const engine = named && engines[named.service];
    if (!engine || message.method !== "POST") {
      message.resume();
      return sendAnswer(response, UNKNOWN_OPERATION);
    }
    const { service }: { service: AwsService } = named;
    const body = await readBody(message, MAX_BODY_BYTES[service]);
    if (body === undefined) {
      response.writeHead(413).end();
      return;
    }
    const parsed = { service, operation: named.operation ?? actionOf(body) };
    const at = now();
    const find = (accessKeyId: string) => credentials.find(accessKeyId);
    const verified = await verifySignature(signedRequest(message, body), { service, region, now: at, find });
    const facts = factsOf(service, body);
    const { principalArn, sessionArn } = verified.ok ? verified.credential : { principalArn: "" };
    const call: ArrivedCall = {
      at: at.getTime(),
      ...parsed,
      principalArn,
      ...(sessionArn !== undefined && { sessionArn }),
      ...(facts ?? { resources: [] }),
    };
    const answered = log.arrived(call);
    const refuse = (answer: Answer) => {
      answered(answer.status, errorName(answer.type));
      sendAnswer(response, answer, service);
    };
    if (!verified.ok) return refuse(badSignature(service, verified.fault, verified.message));
    if (!facts) return refuse(notJson(service));
    try {
      const decision = await ports.authorize?.(call);
      if (decision?.allow === false) return refuse(accessDenied(call, region, decision.denial));
      const send = () => engine.send({ target, contentType, body }, now());
      await forward(await ports.fault?.(call), send, {
        response,
        signal: closing.signal,
        answered,
        fail: (kind) => refuse(faultAnswer(service, kind)),
      });
    } catch (error) {
      // A port that throws allows nothing; an engine that is not there is named, as that is the operator's to mend.
      if (response.headersSent) response.destroy();
      else if (!closing.signal.aborted) refuse(localFailure(error));
    }
  }

  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (message, response) => {
    // AWS SDKs correct their clock by this header.
    response.setHeader("date", now().toUTCString());
    const work = serve(message, response).catch(() => {
      // The client broke off while sending, or the verifier threw: no answer is better than a wrong one.
      response.destroy();
    });
    underWay.add(work);
    void work.finally(() => underWay.delete(work));
  });
  const listening = await listen(server, options.port);

  return {
    ...listening,
    calls: log.list,
    clearCalls: log.clear,
    setAuthorize: (authorize) => {
      ports.authorize = authorize;
    },
    setFault: (fault) => {
      ports.fault = fault;
    },
    async close() {
      closing.abort();
      const closed = listening.close();
      // dynalite ends the process when a request under way is cut off: let the engines finish, but not for long.
      await Promise.race([Promise.all(underWay), sleep(2_000, undefined, { ref: false })]);
      for (const engine of Object.values(engines)) engine.close();
      await closed;
    },
  };
}

const formType = "application/x-www-form-urlencoded";
/** The one service here that speaks AWS Query. */
const queryService = "cloudformation" as const;

/** It goes into the call log, so it is a name or nothing. */
const actionOf = (body: Buffer) =>
  /^[A-Za-z]{1,64}$/.exec(formOf(body).get("Action") ?? "")?.[0] ?? "Unknown";

function signedRequest(message: IncomingMessage, body: Buffer): SignedRequest {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(message.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(", ") : value;
  }
  return { method: message.method ?? "", ...splitTarget(message.url ?? "/"), headers, body };
}
