/** The clock and the source of names. */
import { randomBytes } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import type { Clock, Ids } from "../use-cases/ports.ts";

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: (milliseconds) => setTimeout(milliseconds),
};

/** 80 random bits in hex: they never collide, and need no escaping in a URL, a shell or a log query. */
export const randomIds: Ids = { next: () => randomBytes(10).toString("hex") };
