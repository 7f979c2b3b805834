/** One allowed call on its way to the engine and back, with the fault that it is to meet. */
import type { ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type { Fault, FaultAnswer } from "./call.ts";
import type { EngineAnswer } from "./engine.ts";

export interface Exchange {
  response: ServerResponse;
  /** Ends every delay when the AWS proxy closes. */
  signal: AbortSignal;
  answered(status: number, errorType?: string): void;
  fail(kind: FaultAnswer): void;
}

export async function forward(
  fault: Fault | undefined,
  send: () => Promise<EngineAnswer>,
  exchange: Exchange,
): Promise<void> {
  const { delayMs, throw: thrown, when = "before" } = fault ?? {};
  // A client that gives up meanwhile changes nothing: a service that is slow does the work all the same.
  const delay = () => sleep(delayMs, undefined, { ref: false, signal: exchange.signal });

  if (when === "before") {
    if (delayMs !== undefined) await delay();
    if (thrown !== undefined) return end(thrown, exchange);
  }
  const answer = await send();
  if (when === "after") {
    if (thrown !== undefined) await answer.drop();
    if (delayMs !== undefined) await delay();
    if (thrown !== undefined) return end(thrown, exchange);
  }
  exchange.answered(answer.status, await answer.passTo(exchange.response));
}

function end(kind: NonNullable<Fault["throw"]>, { response, fail }: Exchange): void {
  if (kind === "hang") return;
  // RST rather than FIN: what a client sees when something between it and AWS drops the connection.
  if (kind === "reset") response.socket?.resetAndDestroy();
  else fail(kind);
}
