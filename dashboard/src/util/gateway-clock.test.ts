import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { gatewayTime, learnTime } from "./gateway-clock.ts";

const start = Date.UTC(2026, 10, 22, 12);
const hour = 3_600_000;

beforeEach(() => {
  vi.useFakeTimers({ now: start });
  learnTime(start, start);
});

afterEach(() => {
  vi.useRealTimers();
});

test.each([
  ["behind", hour],
  ["ahead", -26 * hour],
])("a device whose clock is %s has the gateway's time", (_which, offset) => {
  learnTime(start + offset, start);
  expect(Math.abs(gatewayTime() - (start + offset))).toBeLessThanOrEqual(1000);
  expect(gatewayTime(start + hour) - gatewayTime()).toBe(hour);
});

test("whole seconds and an answer's way change nothing", () => {
  learnTime(start - 999, start);
  learnTime(start + 3000, start);
  expect(gatewayTime()).toBe(start);
});

test("an answer that was long under way moves no clock", () => {
  vi.setSystemTime(start + 60_000);
  learnTime(start + 1000, start);
  expect(gatewayTime()).toBe(start + 60_000);
});

test("what was learnt stays still while the answers agree, and goes once the device's clock is set", () => {
  learnTime(start + hour, start);
  const learnt = gatewayTime();
  learnTime(start + hour + 2000, start);
  expect(gatewayTime()).toBe(learnt);
  vi.setSystemTime(start + hour);
  learnTime(start + hour, start + hour);
  expect(gatewayTime()).toBe(start + hour);
});

test.each([
  ["that bears no time", Number.NaN],
  ["of a gateway that has not learnt the time", 20_000],
])("an answer %s is not believed", (_which, said) => {
  learnTime(said, start);
  expect(gatewayTime()).toBe(start);
});
