/** `looker-token doctor`: the way to the broker, with names, clocks, certificates and proxies. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { createServer } from "node:https";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { type Listening, listen } from "../../../local/loopback.ts";
import { certificate } from "../../support/certificates.ts";
import { caller, doctorStand, examined, sales, scopes } from "../../support/cli/doctor-stand.ts";
import { FakeServer } from "../../support/fake-server.ts";

const at = doctorStand();

test("nobody is at the address, and the AWS credentials are looked at all the same", async () => {
  const gone = await FakeServer.start(() => "drop");
  await gone.stop();
  const cli = at.broker.cli.with({ LOOKER_BROKER_ENDPOINT: `${gone.url}/v1` });
  const { exitCode, line, word } = await examined(cli, ...sales);
  expect([exitCode, line("network").code, word("clock"), word("credentials")]).toEqual([
    ...[4, "unreachable", "skipped", "ok"],
  ]);
});

test("the name is not known", async () => {
  const cli = at.broker.cli.with({ LOOKER_BROKER_ENDPOINT: "https://broker.invalid/v1" });
  const { exitCode, line } = await examined(cli, ...sales);
  expect([exitCode, line("network").found]).toEqual([
    4,
    expect.stringMatching(/^The name broker\.invalid is not known here \(E\w+\)\.$/),
  ]);
});

test.each([
  [-3_600_000, 3, "fail", "is 1h 0m ahead of the answer's Date", "skipped"],
  [3_600_000, 3, "fail", /is (1h 0m|59m \d+s) behind the answer's Date/, "skipped"],
  [-60_000, 0, "warn", /is 1m \ds ahead of/, "ok"],
] as const)("the broker's clock is %s ms from ours", async (apartMs, code, result, found, identity) => {
  at.permissions = { ...scopes, headers: { date: new Date(Date.now() + apartMs).toUTCString() } };
  const { exitCode, line, word } = await examined(at.broker.cli, ...sales);
  expect([exitCode, line("clock").result, word("identity")]).toEqual([code, result, identity]);
  expect(line("clock").found).toMatch(found);
});

describe("by https", () => {
  const authority = certificate({ names: ["authority"] });

  async function https({ cert, key }: { cert: string; key: string }): Promise<Listening> {
    const server = createServer({ cert, key }, (_, response) => {
      response.setHeader("content-type", "application/json").end(JSON.stringify(at.permissions.body));
    });
    const listening = await listen(server);
    onTestFinished(() => listening.close());
    return listening;
  }

  const reaching = ({ url }: Listening, more: Record<string, string> = {}) =>
    at.broker.cli.with({ LOOKER_BROKER_ENDPOINT: `${url.replace("http:", "https:")}/v1`, ...more });

  test.each([
    ["is signed by nobody known", {}, /is not trusted here/, /NODE_EXTRA_CA_CERTS/],
    [
      "is over",
      { validUntil: new Date(Date.now() - 1_000) },
      /not valid at this machine's time/,
      /clock first/,
    ],
    ["is for another name", { names: ["other.example"] }, /is for another name than/, /endpoint's name/],
  ])("the certificate %s", async (which, more, found, next) => {
    const known = which === "is signed by nobody known" ? {} : { NODE_EXTRA_CA_CERTS: authorityFile() };
    const listening = await https(
      certificate({ names: ["127.0.0.1"], issuer: authority.authority, ...more }),
    );
    const { exitCode, line, word } = await examined(reaching(listening, known), ...sales);
    expect([exitCode, word("clock"), word("identity")]).toEqual([4, "skipped", "skipped"]);
    expect(line("network")).toMatchObject({
      found: expect.stringMatching(found),
      next: expect.stringMatching(next),
    });
  });

  function authorityFile(): string {
    const directory = mkdtempSync(join(tmpdir(), "ca-"));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    writeFileSync(join(directory, "ca.pem"), authority.cert);
    return join(directory, "ca.pem");
  }

  /** @returns its address with a user and password, and the hosts that it was asked for. */
  async function proxy(status: number): Promise<{ url: string; asked: string[] }> {
    const asked: string[] = [];
    const server = createHttpServer().on("connect", ({ url = "" }, client: Socket) => {
      asked.push(url);
      if (status !== 200) return void client.end(`HTTP/1.1 ${status} No\r\n\r\n`);
      const upstream = connect(Number(url.split(":")[1]), "127.0.0.1", () => {
        client.write("HTTP/1.1 200 OK\r\n\r\n");
        client.pipe(upstream).pipe(client);
      });
      for (const each of [client, upstream]) each.on("error", () => {});
    });
    const listening = await listen(server);
    onTestFinished(() => listening.close());
    return { url: listening.url.replace("//", "//me:proxy-password@"), asked };
  }

  const trusted = () => https(certificate({ names: ["127.0.0.1"], issuer: authority.authority }));

  test("HTTPS_PROXY is used, for the calls of every command as well", async () => {
    const [listening, through] = [await trusted(), await proxy(200)];
    const cli = reaching(listening, { NODE_EXTRA_CA_CERTS: authorityFile(), HTTPS_PROXY: through.url });
    const { exitCode, out, err } = await cli.run("whoami");
    expect([exitCode, err, out]).toEqual([0, "", expect.stringContaining(caller.arn)]);
    expect(through.asked).toEqual([new URL(listening.url).host]);
    const { word, line } = await examined(cli, ...sales);
    expect([word("proxy"), word("network"), word("identity")]).toEqual(["ok", "ok", "ok"]);
    expect(line("proxy").found).toMatch(/^HTTPS_PROXY \(http:\/\/…@127\.0\.0\.1:\d+\) is used/);
  });

  test("NO_PROXY leaves the broker out", async () => {
    const [listening, through] = [await trusted(), await proxy(200)];
    const cli = reaching(listening, {
      NODE_EXTRA_CA_CERTS: authorityFile(),
      HTTPS_PROXY: through.url,
      NO_PROXY: "127.0.0.1",
    });
    expect([(await cli.run("whoami")).exitCode, through.asked]).toEqual([0, []]);
  });

  test("the proxy refuses", async () => {
    const [listening, through] = [await trusted(), await proxy(407)];
    const { exitCode, line } = await examined(reaching(listening, { HTTPS_PROXY: through.url }), ...sales);
    expect([exitCode, line("network").next]).toEqual([
      4,
      expect.stringContaining("proxy's address, user and password"),
    ]);
  });

  test("a proxy that Node does not read is a warning", async () => {
    const [listening, through] = [await trusted(), await proxy(200)];
    const more = {
      NODE_EXTRA_CA_CERTS: authorityFile(),
      HTTPS_PROXY: through.url,
      NODE_USE_ENV_PROXY: "0",
    };
    const { word, line } = await examined(reaching(listening, more), ...sales);
    expect([word("proxy"), word("network"), through.asked]).toEqual(["warn", "ok", []]);
    expect(line("proxy").next).toContain("NODE_USE_ENV_PROXY=1");
  });
});
