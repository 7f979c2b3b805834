import { expect, test } from "vitest";
import { brokerClock } from "../src/broker-clock.ts";

const day = Date.parse("2026-11-24T13:00:00Z");

test("until an answer told, the time is this machine's", () => {
  expect(
    brokerClock(
      () => day,
      () => 5,
    ).now(),
  ).toBe(day);
});

test("an answer's Date goes on by the time that has passed, however wrong this machine's clock is or becomes", () => {
  let passed = 1_000;
  let wall = day - 3_600_000;
  const clock = brokerClock(
    () => wall,
    () => passed,
  );
  clock.learn(day);
  passed += 2_500;
  wall += 86_400_000;
  expect(clock.now()).toBe(day + 2_500);
});

test("an answer that was long under way, or without a Date, takes nothing back", () => {
  let passed = 0;
  const clock = brokerClock(
    () => 0,
    () => passed,
  );
  clock.learn(day);
  passed = 3_000;
  clock.learn(day + 1_000);
  clock.learn(undefined);
  expect(clock.now()).toBe(day + 3_000);
});

test("after a sleep, during which nothing was counted, the next answer makes up for it", () => {
  const clock = brokerClock(
    () => 0,
    () => 7,
  );
  clock.learn(day);
  clock.learn(day + 600_000);
  expect(clock.now()).toBe(day + 600_000);
});
