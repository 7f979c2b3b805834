/** A process of its own. It passes bytes on to a port without a look at them, and tells its parent its own port. */
import { type AddressInfo, connect, createServer } from "node:net";
import { pipeline } from "node:stream";

const server = createServer((client) => {
  const upstream = connect(Number(process.argv[2]), "127.0.0.1");
  pipeline(client, upstream, client, () => {});
});
server.listen(0, "127.0.0.1", () => process.send?.((server.address() as AddressInfo).port));
process.on("disconnect", () => process.exit());
