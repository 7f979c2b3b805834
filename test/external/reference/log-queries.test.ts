import {
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  PutLogEventsCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import { logQueryContract, logsClient } from "../../support/contracts/log-queries.ts";
import { startMoto } from "./moto.ts";

logQueryContract("moto", async () => {
  const { url, close } = await startMoto();
  const [logGroupName, logStreamName] = ["/one", "stream"];
  const client = logsClient(url);
  await client.send(new CreateLogGroupCommand({ logGroupName }));
  await client.send(new CreateLogStreamCommand({ logGroupName, logStreamName }));
  return {
    url,
    group: logGroupName,
    async write(lines) {
      const logEvents = lines.map(({ at, line }) => ({ timestamp: at, message: line }));
      await client.send(new PutLogEventsCommand({ logGroupName, logStreamName, logEvents }));
    },
    async close() {
      client.destroy();
      await close();
    },
  };
});
