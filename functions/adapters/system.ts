/** The clock and the source of names. */
import { randomBytes } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import type { Clock, Ids } from "../core/ports.ts";

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: (milliseconds) => setTimeout(milliseconds),
};

/** 96 random bits, which never collide in this life, in 16 characters that need no escaping anywhere. */
export const randomIds: Ids = { next: () => randomBytes(12).toString("base64url") };
