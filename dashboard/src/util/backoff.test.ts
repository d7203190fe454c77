import { expect, test } from "vitest";
import { backoff } from "./backoff.ts";

test("the wait doubles up to half a minute", () => {
  expect([1, 2, 3, 4, 5, 6, 7, 1000].map((attempt) => backoff(attempt, 1))).toEqual([
    1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000,
  ]);
});

test("jitter takes at most half of it away", () => {
  expect(backoff(3, 0)).toBe(2000);
  expect(backoff(3, 0.5)).toBe(3000);
});
