/** What `@looker-token-broker/client` costs a service: a call from memory, its first token, bytes and packages. */

import { type Stand, startStand } from "../test/support/broker-stand.ts";
import { buildClient } from "../test/support/recipe.ts";
import { cachedPaths, cachedRounds, callsInRound } from "./cached-token.ts";
import { clientBundles } from "./client-bundles.ts";
import { firstTokensOfClients, firstTokensOfProcesses, freshProcesses, newClients } from "./first-token.ts";
import { dependenciesOf, publishedBytes, unpackedBytes } from "./installed.ts";
import { printTable } from "./table.ts";

export async function benchClient(): Promise<void> {
  buildClient();
  const stand = await startStand();
  try {
    await printCached(stand);
    await printFirstTokens(stand);
  } finally {
    await stand.stop();
  }
  printBundles();
  printPackages();
}

async function printCached(stand: Stand): Promise<void> {
  printTable(
    [
      `from memory, median of ${cachedRounds} rounds of ${callsInRound} calls`,
      "ns",
      "Looker's NodeSession",
      "ns",
      "ratio",
    ],
    (await cachedPaths(stand)).map(({ name, ns, beside }) => [
      name,
      Math.round(ns),
      beside.name,
      Math.round(beside.ns),
      ratio(ns, beside.ns),
    ]),
  );
}

async function printFirstTokens(stand: Stand): Promise<void> {
  const ofProcesses = await firstTokensOfProcesses(stand);
  printTable(
    [
      `first token of a process, median of ${freshProcesses}`,
      "Node's start, ms",
      "import, ms",
      "token, ms",
      "all, ms",
      "ratio",
    ],
    ofProcesses.map(({ way, startMs, importMs, tokenMs, allMs }) => [
      way,
      ...[startMs, importMs, tokenMs, allMs].map((ms) => ms.toFixed(1)),
      ratio(allMs, ofProcesses[0]?.allMs),
    ]),
  );
  const ofClients = await firstTokensOfClients(stand);
  printTable(
    [`first token of a new client in a warm process, median of ${newClients}`, "ms", "ratio"],
    ofClients.map(({ way, ms }) => [way, ms.toFixed(2), ratio(ms, ofClients[0]?.ms)]),
  );
}

const ratio = (ours: number, theirs = Number.NaN) => (ours / theirs).toFixed(2);

function printBundles(): void {
  printTable(
    ["a bundle of", "bytes", "with the client, bytes", "more", "the most of that, kB"],
    clientBundles().map(({ service, without, withClient, most }) => [
      service,
      without,
      withClient,
      withClient - without,
      most.map(([name, bytes]) => `${name} ${Math.round(bytes / 1_000)}`).join(", "),
    ]),
  );
}

function printPackages(): void {
  const kilobytes = (bytes: number) => Math.round(bytes / 1_000);
  const row = (what: string, folders: ReadonlySet<string>) => [
    what,
    folders.size,
    kilobytes(unpackedBytes(folders)),
  ];
  const withItself = (name: string) => {
    const folder = `node_modules/${name}`;
    return dependenciesOf(folder).add(folder);
  };
  const aws = "@aws-sdk/client-dynamodb";
  const ofAws = withItself(aws);
  const needed = dependenciesOf("client");
  const added = new Set([...needed].filter((folder) => !ofAws.has(folder)));
  printTable(
    ["installed with npm", "packages", "unpacked, kB"],
    [
      ["@looker-token-broker/client itself", 1, kilobytes(publishedBytes("client"))],
      row("what it depends on", needed),
      row(`of that, what ${aws} does not bring anyway`, added),
      row(`for comparison: ${aws}, all in all`, ofAws),
      row("for comparison: @looker/sdk-node, all in all", withItself("@looker/sdk-node")),
    ],
  );
}
