// @ts-check
// Plain JavaScript: Node's stripping of types would take 13 MB of each instance, and half of its start.
/**
 * Takes the place of Lambda's runtime in an instance, a worker thread or child process. It loads the bundle named by the
 * environment and hands it one event after the other.
 *
 * Not reproduced:
 * - Lambda freezes an instance between requests. Timers and sockets stand still, and time jumps.
 * - A worker shares the process's working directory, TZ and NODE_OPTIONS, and the machine's /tmp.
 * - Console lines have no time stamp and request id in front.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parentPort } from "node:worker_threads";
import { initRequestId, outputEnd } from "./output-end.mjs";

/**
 * @import { FromInstance, ReportedError, ToInstance } from "./protocol.ts"
 * @typedef {(event: unknown, context: unknown) => unknown} Handler
 */

const environment = { ...process.env };

const rightNow = Date.now;
/** A clock that is off, for tests. Lambda's deadline is by the right one. */
const skewMs = Number(environment.LOCAL_CLOCK_SKEW_MS ?? 0);
if (skewMs !== 0) Date.now = () => rightNow() + skewMs;

/**
 * Resolves when the message is on its way, so that an exit may follow.
 * @param {FromInstance} message
 * @returns {Promise<void>}
 */
function send(message) {
  if (parentPort) {
    parentPort.postMessage(message);
    return Promise.resolve();
  }
  return new Promise((resolve) => process.send?.(message, undefined, undefined, () => resolve()));
}

/** @param {string} requestId */
function markOutputEnd(requestId) {
  process.stdout.write(`${outputEnd(requestId)}\n`);
  process.stderr.write(`${outputEnd(requestId)}\n`);
}

/** @returns {Promise<Handler>} */
async function loadHandler() {
  const [module = "", name = ""] = (environment._HANDLER ?? "").split(".");
  const base = join(environment.LAMBDA_TASK_ROOT ?? "", module);
  // The order of Lambda's own Node runtime client.
  const file = [".js", ".mjs", ".cjs"].map((extension) => base + extension).find((path) => existsSync(path));
  if (!file) throw named("Runtime.ImportModuleError", `Error: Cannot find module '${module}'`);
  const handler = (await import(pathToFileURL(file).href))[name];
  if (typeof handler !== "function")
    throw named("Runtime.HandlerNotFound", `${environment._HANDLER} is undefined or not exported`);
  return handler;
}

/**
 * @param {Handler} handler
 * @param {ToInstance} message
 */
async function run(handler, message) {
  const { requestId } = message;
  process.env._X_AMZN_TRACE_ID = message.traceId;
  /** @type {FromInstance} */
  let reply;
  try {
    const answer = await handler(JSON.parse(message.eventJson), contextOf(message));
    reply = { kind: "answered", requestId, json: marshal(answer) };
  } catch (error) {
    reply = { kind: "failed", requestId, error: logged("Invoke Error", error) };
  }
  markOutputEnd(requestId);
  await send(reply);
}

/**
 * https://docs.aws.amazon.com/lambda/latest/dg/nodejs-context.html
 * @param {ToInstance} invocation
 */
function contextOf({ requestId, functionArn, deadline }) {
  return {
    awsRequestId: requestId,
    functionName: environment.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: environment.AWS_LAMBDA_FUNCTION_VERSION,
    invokedFunctionArn: functionArn,
    memoryLimitInMB: environment.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: environment.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: environment.AWS_LAMBDA_LOG_STREAM_NAME,
    // Of no effect any more: since nodejs24.x there are no callback handlers.
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => Math.max(0, deadline - rightNow()),
  };
}

/** @param {unknown} answer */
function marshal(answer) {
  /** @type {string} */
  let json;
  try {
    json = JSON.stringify(answer) ?? "null";
  } catch (error) {
    throw named(
      "Runtime.MarshalError",
      `Unable to stringify response body: ${error instanceof Error ? error.message : error}`,
    );
  }
  // Lambda's quota for a synchronous answer is 6 MB.
  if (Buffer.byteLength(json) > 6_291_556)
    throw named(
      "Function.ResponseSizeTooLarge",
      "Response payload size exceeded maximum allowed payload size (6291556 bytes).",
    );
  return json;
}

/**
 * @param {unknown} error
 * @returns {ReportedError}
 */
function reported(error) {
  if (!(error instanceof Error)) return { errorType: typeof error, errorMessage: String(error), trace: [] };
  return { errorType: error.name, errorMessage: error.message, trace: error.stack?.split("\n") ?? [] };
}

/**
 * A report is written into the function's log, too.
 * @param {string} what
 * @param {unknown} thrown
 */
function logged(what, thrown) {
  const error = reported(thrown);
  process.stderr.write(`${what} ${JSON.stringify(error)}\n`);
  return error;
}

/**
 * @param {string} name
 * @param {string} message
 */
const named = (name, message) => Object.assign(new Error(message), { name });

/**
 * Lambda's runtime reports and exits with these codes when an error escapes every handler.
 * @param {string} errorType
 * @param {unknown} error
 * @param {number} code
 */
async function crash(errorType, error, code) {
  const report = { ...logged(errorType, error), errorType };
  await send({ kind: "crashed", error: report });
  process.exit(code);
}
process.on("unhandledRejection", (reason) => void crash("Runtime.UnhandledPromiseRejection", reason, 128));
process.on("uncaughtException", (error) => void crash("Runtime.UncaughtException", error, 129));
// The pool is gone, however it went: no instance outlives it.
process.on("disconnect", () => process.exit());

try {
  const handler = await loadHandler();
  const receive = (/** @type {ToInstance} */ message) => void run(handler, message);
  if (parentPort) parentPort.on("message", receive);
  else process.on("message", receive);
  markOutputEnd(initRequestId);
  await send({ kind: "ready" });
} catch (thrown) {
  const error = logged("Init Error", thrown);
  markOutputEnd(initRequestId);
  await send({ kind: "init_failed", error });
  process.exit(1);
}
