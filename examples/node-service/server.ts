/**
 * A web service that asks Looker. It runs as report-service, by the AWS credentials that its task, pod or instance has
 * anyway, and holds no secret of Looker's.
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Looker40SDK } from "@looker/sdk";
import { TokenBrokerClient, TokenBrokerError } from "@looker-token-broker/client";
import { lookerSession } from "@looker-token-broker/client/looker-sdk";

// One for the whole process. Before: const sdk = LookerNodeSDK.init40();
const sdk = new Looker40SDK(lookerSession(new TokenBrokerClient({ scope: "sales" })));

const server = createServer(async (_request, response) => {
  try {
    const { display_name } = await sdk.ok(sdk.me("display_name"));
    response.setHeader("Content-Type", "application/json").end(JSON.stringify({ display_name }));
  } catch (error) {
    // "An operator has frozen the scope. Ask the scope's operators; …": what is wrong and what to do, and no token.
    if (error instanceof TokenBrokerError) console.error(`${error.code}: ${error.message}`);
    else console.error(error);
    response.writeHead(503).end();
  }
});

server.listen(Number(process.env.PORT ?? 8080), () => {
  console.log(`Listening on port ${(server.address() as AddressInfo).port}.`);
});
// No logout here: the other instances of this service share the lease. It ends by itself, within minutes.
process.once("SIGTERM", () => server.close());
