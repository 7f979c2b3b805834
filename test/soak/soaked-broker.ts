/** A broker for a soak, in this process. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type BrokerOptions, type RunningBroker, startBroker } from "../../local/broker.ts";

/** `scopesFile`: of this folder. Its working folder goes when it is closed. */
export async function startSoakedBroker(
  scopesFile: string,
  options: Pick<BrokerOptions, "maxInstances" | "instances" | "onLog">,
): Promise<RunningBroker> {
  const workDir = mkdtempSync(join(tmpdir(), "token-broker-soak-"));
  const broker = await startBroker({
    scopesFile: fileURLToPath(new URL(scopesFile, import.meta.url)),
    port: 0,
    lookerPort: 0,
    lookerControlPort: 0,
    throttle: false,
    externalEngines: {},
    workDir,
    ...options,
  });
  return {
    ...broker,
    async close() {
      await broker.close();
      rmSync(workDir, { recursive: true, force: true });
    },
  };
}
