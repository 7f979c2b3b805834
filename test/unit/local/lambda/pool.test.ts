import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { type Pool, type PoolOptions, startPool } from "../../../../local/lambda/pool.ts";
import type { LocalFunction } from "../../../../local/stack/functions.ts";

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "instances-"));
});
afterAll(() => rmSync(directory, { recursive: true }));

let bundles = 0;
/** A bundle whose handler has this body. */
function bundle(body: string, before = ""): string {
  const codeDir = mkdtempSync(join(directory, `${++bundles}-`));
  writeFileSync(
    join(codeDir, "index.mjs"),
    `${before}\nlet requests = 0;\nexport const handler = async (event, context) => { requests++; ${body} };`,
  );
  return codeDir;
}

function definition(codeDir: string, more: Partial<LocalFunction> = {}): LocalFunction {
  return {
    id: "greet",
    name: "stack-greet",
    arn: "arn:aws:lambda:eu-central-1:111122223333:function:stack-greet",
    codeDir,
    handler: "index.handler",
    environment: { TABLE_NAME: "slots" },
    timeoutSeconds: 20,
    memoryMb: 256,
    logGroupName: "/logs/greet",
    roleArn: "arn:aws:iam::111122223333:role/greet",
    roleId: "AROAEXAMPLE",
    ...more,
  };
}

describe.each(["threads", "processes"] as const)("instances as %s", (sandbox) => {
  const pools: Pool[] = [];
  afterEach(async () => {
    await Promise.all(pools.splice(0).map((pool) => pool.close()));
  });
  const lines: string[] = [];
  const pool = (codeDir: string, options: Partial<PoolOptions> = {}, more: Partial<LocalFunction> = {}) => {
    lines.length = 0;
    const started = startPool({
      definition: definition(codeDir, more),
      credentials: { accessKeyId: "ASIAEXAMPLE", secretAccessKey: "key", sessionToken: "session" },
      endpoints: {
        region: "eu-central-1",
        variables: { AWS_ENDPOINT_URL_DYNAMODB: "http://127.0.0.1:1" },
      },
      sandbox,
      maxInstances: 20,
      throttle: false,
      onLog: (number, line) => lines.push(`${number} ${line}`),
      ...options,
    });
    pools.push(started);
    return started;
  };

  it("answer with what the handler returns, and keep their memory between requests", async () => {
    const greet = pool(bundle("return { hello: event.name, requests };"));
    expect(await greet.invoke({ name: "a" })).toEqual({
      kind: "answer",
      payload: { hello: "a", requests: 1 },
    });
    expect(await greet.invoke({ name: "b" })).toEqual({
      kind: "answer",
      payload: { hello: "b", requests: 2 },
    });
    expect(greet.instances()).toHaveLength(1);
  });

  it("answer null when the handler returns nothing", async () => {
    expect(await pool(bundle("")).invoke({})).toEqual({ kind: "answer", payload: null });
  });

  it("have the template's environment and Lambda's, and nothing of this process's", async () => {
    process.env.OF_THE_PARENT = "yes";
    const codeDir = bundle("return process.env;");
    const result = await pool(codeDir).invoke({});
    delete process.env.OF_THE_PARENT;
    expect(result).toMatchObject({ kind: "answer" });
    const environment = (result as { payload: Record<string, string> }).payload;
    expect(environment).toMatchObject({
      TABLE_NAME: "slots",
      _HANDLER: "index.handler",
      AWS_REGION: "eu-central-1",
      AWS_LAMBDA_FUNCTION_NAME: "stack-greet",
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: "256",
      AWS_EXECUTION_ENV: "AWS_Lambda_nodejs24.x",
      AWS_ACCESS_KEY_ID: "ASIAEXAMPLE",
      AWS_SESSION_TOKEN: "session",
      AWS_ENDPOINT_URL_DYNAMODB: "http://127.0.0.1:1",
      LAMBDA_TASK_ROOT: codeDir,
    });
    expect(environment._X_AMZN_TRACE_ID).toMatch(/^Root=1-[0-9a-f]{8}-[0-9a-f]{24};/);
    for (const name of ["OF_THE_PARENT", "PATH", "HOME", "USER", "NODE_OPTIONS"])
      expect(environment).not.toHaveProperty(name);
  });

  it("go on with the trace of the request that they are for", async () => {
    const trace = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=7fa8c0f79203be72;Sampled=0";
    const result = await pool(bundle("return process.env._X_AMZN_TRACE_ID;")).invoke({}, trace);
    expect((result as { payload: string }).payload).toBe(trace);
  });

  it("hand Lambda's context to the handler", async () => {
    const result = await pool(
      bundle("return { ...context, remaining: context.getRemainingTimeInMillis() };"),
    ).invoke({});
    expect(result).toMatchObject({
      payload: {
        awsRequestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
        functionName: "stack-greet",
        functionVersion: "$LATEST",
        invokedFunctionArn: "arn:aws:lambda:eu-central-1:111122223333:function:stack-greet",
        memoryLimitInMB: "256",
        logGroupName: "/logs/greet",
      },
    });
    const { remaining } = (result as { payload: { remaining: number } }).payload;
    expect(remaining).toBeGreaterThan(15_000);
    expect(remaining).toBeLessThanOrEqual(20_000);
  });

  it("serve one request at a time each, and scale out for more", async () => {
    const codeDir = bundle(
      "const mine = ++running; while (event.wait && !existsSync(event.wait)) await new Promise((r) => setTimeout(r, 5)); running--; return mine;",
      'import { existsSync } from "node:fs"; let running = 0;',
    );
    const greet = pool(codeDir);
    const gate = join(codeDir, "gate");
    const waiting = [1, 2, 3].map(() => greet.invoke({ wait: gate }));
    expect(greet.instances()).toHaveLength(3);
    writeFileSync(gate, "");
    expect(await Promise.all(waiting)).toEqual(Array(3).fill({ kind: "answer", payload: 1 }));
    // Warm now: nothing new is started.
    await greet.invoke({});
    expect(greet.instances()).toHaveLength(3);
  });

  it("are ended when they have had no request for five minutes", async () => {
    vi.useFakeTimers({ toFake: ["setInterval"] });
    try {
      const greet = pool(bundle("return requests;"));
      await Promise.all([1, 2, 3].map(() => greet.invoke({})));
      vi.advanceTimersByTime(300_000);
      expect(greet.instances()).toHaveLength(3);
      expect(await greet.invoke({})).toEqual({ kind: "answer", payload: 2 });
      vi.advanceTimersByTime(300_000);
      await vi.waitUntil(() => greet.instances().length === 1, 20_000);
      expect(await greet.invoke({})).toEqual({ kind: "answer", payload: 3 });
      vi.advanceTimersByTime(600_000);
      await vi.waitUntil(() => greet.instances().length === 0, 20_000);
      expect(await greet.invoke({})).toEqual({ kind: "answer", payload: 1 });
    } finally {
      vi.useRealTimers();
    }
  });

  it("let excess requests wait for a free instance", async () => {
    const greet = pool(bundle("return requests;"), { maxInstances: 1 });
    const results = await Promise.all([1, 2, 3].map(() => greet.invoke({})));
    expect(results.map((result) => "payload" in result && result.payload)).toEqual([1, 2, 3]);
    expect(greet.instances()).toHaveLength(1);
  });

  it("give up on a request that waited too long for one", async () => {
    const greet = pool(bundle("return new Promise(() => {});"), { maxInstances: 1, queueSeconds: 0.05 });
    void greet.invoke({});
    expect(await greet.invoke({})).toEqual({ kind: "timed_out" });
  });

  it("throttle excess requests when told to", async () => {
    const greet = pool(bundle("return 1;"), { maxInstances: 1, throttle: true });
    const first = greet.invoke({});
    expect(await greet.invoke({})).toEqual({ kind: "throttled" });
    expect(await first).toEqual({ kind: "answer", payload: 1 });
  });

  it("report a thrown error as Lambda does, and go on", async () => {
    const greet = pool(bundle('if (event.fail) throw new RangeError("too far"); return requests;'));
    expect(await greet.invoke({ fail: true })).toEqual({
      kind: "function_error",
      payload: {
        errorType: "RangeError",
        errorMessage: "too far",
        trace: expect.arrayContaining(["RangeError: too far"]),
      },
    });
    expect(lines).toEqual([expect.stringMatching(/^1 Invoke Error \{.*"too far"/)]);
    expect(await greet.invoke({})).toEqual({ kind: "answer", payload: 2 });
  });

  it("are left alone under a debugger when the function's time is over", async () => {
    const body = "await new Promise((resolve) => setTimeout(resolve, 1_200)); return requests;";
    const greet = pool(bundle(body), { debugged: true }, { timeoutSeconds: 1 });
    expect(await greet.invoke({})).toEqual({ kind: "answer", payload: 1 });
    expect(lines).toEqual([]);
  });

  it("are killed when the function's time is over, and replaced", async () => {
    const greet = pool(bundle("if (event.hang) for (;;); return requests;"), {}, { timeoutSeconds: 1 });
    expect(await greet.invoke({ hang: true })).toMatchObject({
      kind: "function_error",
      payload: {
        errorType: "Sandbox.Timedout",
        errorMessage: expect.stringContaining("Task timed out after 1.00 seconds"),
      },
    });
    expect(lines).toEqual([expect.stringContaining("Task timed out after 1.00 seconds")]);
    expect(await greet.invoke({})).toEqual({ kind: "answer", payload: 1 });
    expect(greet.instances().map(({ number }) => number)).toEqual([2]);
  });

  it("report an error in the bundle's own start", async () => {
    const greet = pool(bundle("return 1;", 'throw new Error("no table");'));
    expect(await greet.invoke({})).toMatchObject({
      kind: "function_error",
      payload: { errorType: "Error", errorMessage: "no table" },
    });
    expect(greet.instances()).toEqual([]);
  });

  it("report a handler that is not there", async () => {
    const greet = pool(bundle("return 1;"), {}, { handler: "index.main" });
    expect(await greet.invoke({})).toMatchObject({
      kind: "function_error",
      payload: { errorType: "Runtime.HandlerNotFound" },
    });
  });

  it("report a runtime that exits under a request", async () => {
    const greet = pool(bundle("if (event.exit) process.exit(3); return 1;"));
    expect(await greet.invoke({ exit: true })).toMatchObject({
      kind: "function_error",
      payload: { errorType: "Runtime.ExitError", errorMessage: expect.stringContaining("exit status 3") },
    });
    expect(await greet.invoke({})).toEqual({ kind: "answer", payload: 1 });
  });

  it("exit on a rejection that nobody handled", async () => {
    const greet = pool(bundle('Promise.reject(new Error("lost")); return new Promise(() => {});'));
    expect(await greet.invoke({})).toMatchObject({
      kind: "function_error",
      payload: { errorType: "Runtime.UnhandledPromiseRejection", errorMessage: "lost" },
    });
  });

  it("hand over their output line by line, before the answer", async () => {
    const greet = pool(bundle('console.log("one\\ntwo"); console.error("three"); return 1;'));
    await greet.invoke({});
    expect([...lines].sort()).toEqual(["1 one", "1 three", "1 two"]);
  });

  it("can be killed in the middle of a request, which then fails", async () => {
    const greet = pool(bundle('console.log("here"); return new Promise(() => {});'), {
      onLog: (number) => void greet.kill(number),
    });
    const result = await greet.invoke({});
    expect(result).toMatchObject({ kind: "function_error", payload: { errorType: "Runtime.ExitError" } });
    if (sandbox === "processes")
      expect(result).toMatchObject({ payload: { errorMessage: expect.stringContaining("signal: killed") } });
    expect(await greet.kill(7)).toBe(false);
  });

  it("give the place of a killed one to whoever waits", async () => {
    const greet = pool(
      bundle('if (event.hang) { console.log("here"); await new Promise(() => {}); } return 1;'),
      {
        maxInstances: 1,
        onLog: (number) => void greet.kill(number),
      },
    );
    const [first, second] = await Promise.all([greet.invoke({ hang: true }), greet.invoke({})]);
    expect(first).toMatchObject({ kind: "function_error" });
    expect(second).toEqual({ kind: "answer", payload: 1 });
  });

  // Twenty of them share a laptop. A process of its own may keep more, as on Lambda.
  if (sandbox === "threads")
    it.runIf(sandbox === "threads")(
      "keep a small heap, although their requests leave much garbage",
      async () => {
        const garbage = pool(
          bundle(
            `const recent = [];
          for (let request = 0; request < 10_000; request += 1) {
            recent.push(Array.from({ length: 300 }, (_, index) => ({ index, text: "x" + request + index })));
            if (recent.length > 200) recent.shift();
          }
          return v8.getHeapStatistics().total_heap_size / 2 ** 20;`,
            'import v8 from "node:v8";',
          ),
        );
        expect(((await garbage.invoke({})) as { payload: number }).payload).toBeLessThan(64);
      },
    );
});
