/** AWS credentials that never come. A later call must not wait for an earlier call's request. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { failure } from "../../test/support/failure.ts";
import { FakeServer } from "../../test/support/fake-server.ts";
import type { AwsCredentials } from "../src/broker/aws-credentials.ts";
import { systemClock } from "../src/waiting/clock.ts";
import { inBareEnvironment } from "./bare-environment.ts";
import { answerTaken, clientStand, credentials, stopStands, until } from "./stand.ts";

const machine = inBareEnvironment();
afterEach(stopStands);

const hangs = () => new Promise<never>(() => {});

const keys = {
  status: 200,
  body: { AccessKeyId: "ASIAX", SecretAccessKey: "s", Token: "t", Expiration: "2999-01-01T00:00:00Z" },
};

/** A container's agent. It leaves the first request unanswered, and all with `forEver`. */
async function hungAgent<T>(use: (agent: FakeServer) => Promise<T>, forEver = false): Promise<T> {
  const agent = await FakeServer.start(() => (forEver || agent.asked.length === 1 ? hangs() : keys));
  process.env.AWS_CONTAINER_CREDENTIALS_FULL_URI = `${agent.url}/credentials`;
  try {
    return await use(agent);
  } finally {
    delete process.env.AWS_CONTAINER_CREDENTIALS_FULL_URI;
    await agent.stop();
    // The hung request fails now, and AWS's chain looks for another agent in the environment.
    await answerTaken();
  }
}

it("a container's agent without an answer to one request fails that call alone, by its name", () =>
  hungAgent(async () => {
    const { another, broker } = await clientStand();
    const client = another({ credentials: undefined, clock: systemClock, timeoutMs: 300 });
    const error = await failure(client.token());
    expect(error.code).toBe("credentials_unavailable");
    expect(error.message).toContain("The AWS credentials did not come within");
    expect(error.hint).toContain("A container's agent");
    expect(broker.asked.length).toBe(0);
    expect((await client.token()).leaseId).toBe("lease-1");
  }));

it("a container's agent without an answer has AWS's SDK write nothing", () =>
  hungAgent(async (agent) => {
    const warn = vi.spyOn(console, "warn");
    try {
      const { another } = await clientStand();
      // AWS's provider would warn after one second.
      await failure(another({ credentials: undefined, clock: systemClock, timeoutMs: 1_500 }).token());
      expect(agent.asked.length).toBe(1);
      expect(warn.mock.calls).toEqual([]);
    } finally {
      warn.mockRestore();
    }
  }, true));

it("a caller's own time-out leaves no hung request to the next call", () =>
  hungAgent(async (agent) => {
    const { another } = await clientStand();
    const client = another({ credentials: undefined });
    const impatient = new AbortController();
    const call = failure(client.token({ signal: impatient.signal }));
    await until(() => agent.asked.length === 1);
    impatient.abort();
    expect((await call).code).toBe("aborted");
    expect((await client.token()).leaseId).toBe("lease-1");
  }));

it("a credential_process with a question fails that call alone, because the next one reads the profile again", async () => {
  const pidFile = join(machine.home, "pid");
  const profile = (command: string) =>
    writeFileSync(join(machine.home, "config"), `[profile work]\ncredential_process = ${command}\n`);
  writeFileSync(
    join(machine.home, "waits.cjs"),
    `require("node:fs").writeFileSync(${JSON.stringify(pidFile)}, String(process.pid)); process.stdin.resume();`,
  );
  profile(`"${process.execPath}" "${join(machine.home, "waits.cjs")}"`);
  process.env.AWS_PROFILE = "work";
  const { another, broker } = await clientStand();
  const client = another({ credentials: undefined, clock: systemClock, timeoutMs: 3_000 });
  try {
    const error = await failure(client.token());
    expect(error.code).toBe("credentials_unavailable");
    expect(error.message).toContain("of the profile work did not come within 3 s.");
    expect(error.hint).toContain("a `credential_process` may wait for input");
    expect(broker.asked.length).toBe(0);
    writeFileSync(
      join(machine.home, "gives.json"),
      '{"Version":1,"AccessKeyId":"AKIAX","SecretAccessKey":"s"}',
    );
    profile(
      `"${process.execPath}" -p "require('node:fs').readFileSync('${join(machine.home, "gives.json")}', 'utf8')"`,
    );
    expect((await client.token()).leaseId).toBe("lease-1");
  } finally {
    // The SDK's child goes on waiting, and nothing in the library can end it.
    await until(() => existsSync(pidFile));
    process.kill(Number(readFileSync(pidFile, "utf8")));
  }
});

it("a service's own provider without an answer gets an aborted signal, and the next call asks it again", async () => {
  const { another } = await clientStand();
  const signals: (AbortSignal | undefined)[] = [];
  const client = another({
    clock: systemClock,
    timeoutMs: 200,
    credentials: (options) => {
      signals.push(options?.signal);
      return signals.length === 1 ? hangs() : Promise.resolve(credentials);
    },
  });
  expect((await failure(client.token())).code).toBe("credentials_unavailable");
  expect(signals[0]?.aborted).toBe(true);
  expect((await client.token()).leaseId).toBe("lease-1");
});

it("parallel calls all fail by the credentials, and name the time", async () => {
  const { another } = await clientStand();
  const client = another({ clock: systemClock, timeoutMs: 1_500, credentials: hangs });
  const errors = await Promise.all(Array.from({ length: 5 }, () => failure(client.token())));
  expect(new Set(errors.map(({ code }) => code))).toEqual(new Set(["credentials_unavailable"]));
  for (const { summary } of errors) expect(summary).toBe("The AWS credentials did not come within 1.5 s.");
});

describe("requests for credentials that are never answered", () => {
  it("become few: the pause before the next one doubles", async () => {
    const { another, clock } = await clientStand();
    let asked = 0;
    let answer: () => Promise<AwsCredentials> = hangs;
    const credentialsOf = () => {
      asked++;
      return answer();
    };
    const client = another({ timeoutMs: 55, credentials: credentialsOf });
    const hours = async (count: number) => {
      for (let seconds = 0; seconds < count * 3_600; seconds += 15) {
        expect((await failure(client.token())).code).toBe("credentials_unavailable");
        clock.advance(15_000);
      }
    };
    await hours(1);
    expect(asked).toBeLessThanOrEqual(16);
    await hours(23);
    expect(asked).toBeLessThanOrEqual(21);
    const error = await failure(client.token());
    expect(error.summary).toMatch(
      /^The source of the AWS credentials left \d\d requests unanswered\. The next/,
    );
    expect(error.retryable).toBe(true);
    // Longer than the silence was, and the source is asked again.
    clock.advance(24 * 3_600_000);
    answer = async () => credentials;
    expect((await client.token()).leaseId).toBe("lease-1");
  });

  it("of AWS's chain are no more either", () =>
    hungAgent(async (agent) => {
      const { another } = await clientStand();
      const client = another({ credentials: undefined, timeoutMs: 200 });
      for (let calls = 0; calls < 8; calls++) {
        expect((await failure(client.token())).code).toBe("credentials_unavailable");
      }
      expect(agent.asked.length).toBe(4);
    }, true));

  it("are followed by another one after the pause, within the time of the call", async () => {
    const { another, clock } = await clientStand();
    let asked = 0;
    const client = another({ credentials: () => (++asked <= 4 ? hangs() : Promise.resolve(credentials)) });
    for (let calls = 1; calls <= 4; calls++) {
      const impatient = new AbortController();
      const call = failure(client.token({ signal: impatient.signal }));
      await until(() => asked === calls);
      impatient.abort();
      expect((await call).code).toBe("aborted");
    }
    expect((await client.token()).leaseId).toBe("lease-1");
    expect(clock.slept).toEqual([1_500]);
  });
});

it("the body of a refused answer, cloned by the service, does not hold the second call", async () => {
  const { client } = await clientStand();
  let calls = 0;
  const outcome = await client.withToken(() => {
    if (++calls > 1) return "done";
    const response = new Response(new ReadableStream(), { status: 401 });
    // The service keeps a copy for its log, and the cancellation of one waits for that of the other.
    response.clone();
    return response;
  });
  expect(outcome).toBe("done");
});
