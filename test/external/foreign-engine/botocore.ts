/** botocore in a process of its own: signs and sends requests, and calls AWS's services. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { tool } from "./tools.ts";

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

interface Call {
  readonly region: string;
  readonly credentials: Credentials;
}

export interface ServiceCall extends Call {
  readonly endpoint: string;
  readonly service: string;
  /** `DescribeStacks` */
  readonly operation: string;
  readonly parameters: object;
}

export interface SignedRequest extends Call {
  readonly method: string;
  readonly url: string;
  readonly body?: string;
}

export interface SignedAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

/** AWS refused a call. */
export class ServiceError extends Error {
  override readonly name = "ServiceError";
}

export interface Botocore {
  // biome-ignore lint/suspicious/noExplicitAny: a test reads what it expects, and fails where that is missing.
  call(call: ServiceCall): Promise<any>;
  send(request: SignedRequest): Promise<SignedAnswer>;
  close(): Promise<void>;
}

export function startBotocore(): Botocore {
  const python = spawn(tool("python3"), [fileURLToPath(new URL("botocore_calls.py", import.meta.url))], {
    stdio: ["pipe", "pipe", "inherit"],
    env: { PATH: process.env.PATH ?? "", AWS_EC2_METADATA_DISABLED: "true", PYTHONDONTWRITEBYTECODE: "1" },
  });
  const exited = once(python, "exit");
  const lines = createInterface(python.stdout)[Symbol.asyncIterator]();
  let last: Promise<unknown> = Promise.resolve();
  /** Answers come in the order of the calls, one at a time. */
  const ask = (call: Call) => {
    const answer = last.then(async () => {
      python.stdin.write(`${JSON.stringify(call)}\n`);
      const { value, done } = await lines.next();
      if (done) throw new Error("botocore_calls.py has ended.");
      return JSON.parse(value);
    });
    last = answer.catch(() => {});
    return answer;
  };
  return {
    async call(call) {
      const { result, error } = await ask(call);
      if (error) throw new ServiceError(`${error.Code}: ${error.Message}`);
      return result;
    },
    send: ask,
    async close() {
      python.stdin.end();
      await exited;
    },
  };
}
