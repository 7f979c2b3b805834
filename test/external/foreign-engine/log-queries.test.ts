import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  PutLogEventsCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import { ACCOUNT, REGION } from "../../support/contracts/aws-under-test.ts";
import { logQueryContract } from "../../support/contracts/log-queries.ts";
import { startEngine } from "./engine.ts";

logQueryContract("ministack", async () => {
  const workDir = mkdtempSync(join(tmpdir(), "engine-logs-"));
  const engine = await startEngine(workDir, { partition: "aws", region: REGION, accountId: ACCOUNT });
  const [logGroupName, logStreamName] = ["/one", "stream"];
  const client = new CloudWatchLogsClient({ endpoint: engine.url, region: REGION, credentials: engine.root });
  await client.send(new CreateLogGroupCommand({ logGroupName }));
  await client.send(new CreateLogStreamCommand({ logGroupName, logStreamName }));
  return {
    url: engine.url,
    group: logGroupName,
    credentials: engine.root,
    async write(lines) {
      const logEvents = lines.map(({ at, line }) => ({ timestamp: at, message: line }));
      await client.send(new PutLogEventsCommand({ logGroupName, logStreamName, logEvents }));
    },
    async close() {
      client.destroy();
      await engine.close();
      rmSync(workDir, { recursive: true, force: true });
    },
  };
});
