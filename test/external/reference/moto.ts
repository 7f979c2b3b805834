/** moto (https://docs.getmoto.org), a mock of AWS that nobody here wrote: https://docs.getmoto.org/en/latest/docs/server_mode.html */
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { CreateAliasCommand, CreateKeyCommand, KMSClient } from "@aws-sdk/client-kms";
import { ENGINE_CREDENTIAL } from "../../../local/aws/engine.ts";
import { type AwsUnderTest, behindAwsProxy, REGION } from "../../support/contracts/aws-under-test.ts";
import { tool } from "./tools.ts";

export interface RunningMoto {
  readonly url: string;
  close(): Promise<void>;
}

/** It takes about a second; a busy machine gets more. */
const startsWithinMs = 30_000;

/** On a port that the system chooses, and with nothing in it. */
export async function startMoto(): Promise<RunningMoto> {
  const path = tool("moto_server");
  const moto = spawn(path, ["-H", "127.0.0.1", "-p", "0"], { stdio: ["ignore", "ignore", "pipe"] });
  const exited = once(moto, "exit");
  const kill = () => void moto.kill("SIGKILL");
  process.once("exit", kill);
  const close = async () => {
    process.off("exit", kill);
    kill();
    await exited;
  };
  let said = "";
  const url = await new Promise<string | undefined>((resolve) => {
    const timer = setTimeout(resolve, startsWithinMs, undefined);
    // Read to its end: a request's line that finds the pipe full would hold the request up.
    moto.stderr.setEncoding("utf8").on("data", (text: string) => {
      said = `${said}${text}`.slice(-4_096);
      const [, found] = /Running on (http:\/\/127\.0\.0\.1:\d+)/.exec(said) ?? [];
      if (found !== undefined) resolve(found);
    });
    moto.once("exit", () => resolve(undefined));
    moto.once("close", () => clearTimeout(timer));
  });
  if (url === undefined) {
    await close();
    throw new Error(`moto does not start: ${said}`);
  }
  return { url, close };
}

/** Its own moto behind an AWS proxy. It chooses the keys' ids; its account is 123456789012. */
export async function startMotoStand(): Promise<AwsUnderTest> {
  const moto = await startMoto();
  const kms = new KMSClient({ endpoint: moto.url, region: REGION, credentials: ENGINE_CREDENTIAL });
  /** moto fills in no defaults. */
  const settings = { KeyUsage: "ENCRYPT_DECRYPT", MultiRegion: false } as const;
  const createKey = async () => (await kms.send(new CreateKeyCommand(settings))).KeyMetadata?.Arn ?? "";
  const [keyArn, otherKeyArn] = [await createKey(), await createKey()];
  const alias = `alias/sealing-${randomUUID()}`;
  await kms.send(new CreateAliasCommand({ AliasName: alias, TargetKeyId: keyArn }));
  return behindAwsProxy({
    urls: { dynamodb: moto.url, secretsmanager: moto.url, kms: moto.url },
    keyArn,
    alias,
    otherKeyArn,
    async close() {
      kms.destroy();
      await moto.close();
    },
  });
}
