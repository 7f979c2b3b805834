/**
 * Secrets that stand out, planted wherever one can come from: Secrets Manager, Looker's answers and its error bodies,
 * requests' bodies, headers and queries, credentials that sign. Then everything that the run left is searched: logs with
 * their records and metrics, problems, rows, files, command lines. (Traces are X-Ray's own: the functions add nothing to them.)
 */

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { listen } from "../../local/loopback.ts";
import {
  type Answer,
  type Caller,
  callerOf,
  openFirstLock,
  type Stand,
  startStand,
  startsWithinMs,
} from "../support/broker-stand.ts";
import { canary, findLeaks, watchFor } from "../support/canary.ts";
import { sendSigned } from "../support/raw-request.ts";
import { rowsOf, type TableRows } from "./rows.ts";

/** A Looker that repeats in every place whatever it was sent, and then more of it. */
let behaviour: (request: IncomingMessage, body: string, response: ServerResponse) => void = () => {};
const hostile = createServer((request, response) => {
  let body = "";
  request.on("data", (chunk) => {
    body += chunk;
  });
  request.on("end", () => behaviour(request, body, response));
});

let stand: Stand;
let reports: Caller;
let engineer: Caller;
let rows: TableRows;
const told: string[] = [];
const earlierRows: string[] = [];

const hear = (answer: Answer): Answer => {
  const { access_token: _, ...problemOrToken } = answer.json ?? {};
  told.push(JSON.stringify([answer.status, answer.headers, problemOrToken]));
  return answer;
};

beforeAll(async () => {
  const { url } = await listen(hostile);
  stand = await startStand({
    instances: "processes",
    externalLooker: { url, clientId: "canaryClientId", clientSecret: canary.clientSecret },
  });
  for (const { name, secretAccessKey, sessionToken } of stand.broker.principals) {
    watchFor(`${name}'s key`, secretAccessKey);
    watchFor(`${name}'s session token`, sessionToken);
  }
  rows = rowsOf(stand);
  reports = callerOf(stand, "report-service");
  // API Gateway repeats the path to whoever may not invoke it. What the broker says to it is the question here.
  openFirstLock(stand.broker, reports.principal);
  engineer = callerOf(stand, "platform-engineer");
}, startsWithinMs);
afterAll(async () => {
  rows?.close();
  await stand?.stop();
  hostile.closeAllConnections();
  hostile.close();
});

const everything = () => `${canary.clientSecret} ${canary.token}`;
const repeated = (body: string) =>
  JSON.stringify({ message: everything(), documentation_url: body, errors: [body] });

/** How a login can end badly, each with the secret, and with a token, in it. */
const badLogins: [string, typeof behaviour][] = [
  [
    "an error that repeats the request",
    (_, body, response) =>
      response.writeHead(500, { "content-type": "application/json" }).end(repeated(body)),
  ],
  [
    "a 404 that repeats it",
    (_, body, response) =>
      response.writeHead(404, { "content-type": "text/html" }).end(`<p>${body} ${everything()}</p>`),
  ],
  [
    "a reason phrase and headers that do",
    (_, body, response) =>
      response
        .writeHead(502, "secret", { "x-echo": Buffer.from(body).toString("base64"), "x-token": canary.token })
        .end(),
  ],
  [
    "a redirect to an address that holds it",
    (_, body, response) =>
      response
        .writeHead(307, {
          location: `/login?${encodeURIComponent(body)}&${encodeURIComponent(everything())}`,
        })
        .end(),
  ],
  [
    "JSON that does not parse at the token",
    (_, __, response) =>
      response
        .writeHead(200, { "content-type": "application/json" })
        .end(`{"access_token":=${canary.token},"secret":"${canary.clientSecret}"}`),
  ],
  [
    "a token of another type",
    (_, __, response) =>
      response.writeHead(200, { "content-type": "application/json" }).end(
        JSON.stringify({
          access_token: [canary.token],
          token_type: everything(),
          expires_in: everything(),
        }),
      ),
  ],
  [
    "a connection that ends within the token",
    (_, __, response) => {
      response.writeHead(200, { "content-type": "application/json", "content-length": "999" });
      response.write(`{"access_token":"${canary.token}`, () => response.destroy());
    },
  ],
];

async function ask(caller: Caller, body?: object): Promise<Answer> {
  return hear(await caller.token("sales", body));
}

test.each(badLogins)("%s", async (_, bad) => {
  let logins = 0;
  behaviour = (request, body, response) => {
    logins++;
    bad(request, body, response);
  };
  expect([502, 503]).toContain((await ask(reports)).status);
  expect(logins).toBe(1);
  await startAnew();
});

test("a login that works, a logout that does not, and requests that hold secrets where they do not belong", async () => {
  behaviour = (request, body, response) => {
    if (request.url?.includes("/login"))
      response
        .writeHead(200, { "content-type": "application/json" })
        .end(
          JSON.stringify({ access_token: canary.token, token_type: "Bearer", expires_in: 3600, echo: body }),
        );
    else response.writeHead(500).end(`${request.headers.authorization} ${everything()}`);
  };
  const { status, json } = await ask(reports);
  expect(status).toBe(200);
  expect(json.access_token === canary.token).toBe(true);
  expect((await ask(reports)).json.access_token === canary.token).toBe(true);

  const { port, pathname } = new URL(stand.broker.endpoint);
  await ask(reports, { stale_lease_id: canary.token });
  await ask(reports, { [canary.token]: canary.clientSecret });
  for (const path of [
    `/scopes/sales/token?token=${encodeURIComponent(canary.token)}`,
    `/scopes/${encodeURIComponent(canary.token)}/token`,
    `/${encodeURIComponent(canary.clientSecret)}`,
  ])
    hear(await reports.send("POST", path));
  const raw = await sendSigned(Number(port), `${pathname}/scopes/sales/token`, {
    method: "POST",
    credentials: reports.principal,
    region: stand.broker.region,
    headers: { "x-looker-token": canary.token, "user-agent": canary.token, cookie: canary.token },
  });
  expect(raw.status).toBe(200);
  for (const filter of ["lease_id", "caller", "client_id", "issued_before", "next_token"])
    hear(await engineer.send("DELETE", `/scopes/sales/leases?${filter}=${encodeURIComponent(canary.token)}`));
  hear(await engineer.send("GET", "/scopes/sales/leases"));

  const ended = hear(await reports.logout("sales"));
  expect([ended.status, ended.json]).toEqual([202, { revoked: 0, pending: 1 }]);
  await stand.broker.runSchedules("sweep");
});

/** After a login without an end the broker waits for Looker's lock-out to pass. The test does not. */
async function startAnew(): Promise<void> {
  earlierRows.push(await rows.asText());
  await rows.delete(() => true);
}

/** All that the run left behind, by where it was found. */
async function leftBehind(): Promise<[where: string, text: string][]> {
  return [
    ["logs", stand.broker.logs().join("\n")],
    ["answers", told.join("\n")],
    ["rows", [...earlierRows, await rows.asText()].join("\n")],
    ...filesUnder(stand.workDir).map((path): [string, string] => [path, readFileSync(path, "latin1")]),
    ...commandLines(),
  ];
}

function filesUnder(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** Of every process that may be looked at; where there is no /proc, of none. */
function commandLines(): [string, string][] {
  try {
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .flatMap((id): [string, string][] => {
        try {
          return [[`command line of ${id}`, readFileSync(`/proc/${id}/cmdline`, "latin1")]];
        } catch {
          return [];
        }
      });
  } catch {
    return [];
  }
}

const leaks = async () =>
  (await leftBehind()).flatMap(([where, text]) =>
    findLeaks(text).map(({ secret, form }) => `${secret} in ${where} (${form})`),
  );

test("nothing that was planted shows anywhere", async () => {
  const looked = (await leftBehind()).map(([where]) => where);
  expect(looked).toEqual(expect.arrayContaining(["logs", "answers", "rows"]));
  expect(stand.broker.logs().length).toBeGreaterThan(20);
  expect(told.length).toBeGreaterThan(15);
  expect(await leaks()).toEqual([]);
});

test.each([
  ["plain", (secret: string) => secret],
  ["base64", (secret: string) => Buffer.from(`x${secret}`).toString("base64")],
  ["URL-encoded", (secret: string) => encodeURIComponent(secret)],
  ["JSON in JSON", (secret: string) => JSON.stringify(JSON.stringify({ secret }))],
])("a leak that is planted, %s, is found", async (_, form) => {
  writeFileSync(join(stand.workDir, "planted.txt"), `before ${form(canary.clientSecret)} after`);
  expect(await leaks()).toEqual([expect.stringMatching(/^clientSecret in .*planted\.txt/)]);
});
