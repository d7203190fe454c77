import { expect, test } from "vitest";
import { fetchedPercent, metersOf, updatedPercent } from "./rollout-progress.ts";
import { nobody } from "./rollout.fixture.ts";

test("a rollout is at 100 % only when nobody is missing, and at 0 % only when nobody is done", () => {
  expect(updatedPercent({ ...nobody, updated: 999, waiting: 1 })).toBe(99);
  expect(updatedPercent({ ...nobody, updated: 1, waiting: 999 })).toBe(1);
  expect(updatedPercent({ ...nobody, updated: 5 })).toBe(100);
  expect(updatedPercent(nobody)).toBe(0);
});

test("failed meters are counted, and are not updated", () => {
  expect(metersOf({ ...nobody, updated: 1, failed: 3 })).toBe(4);
  expect(updatedPercent({ ...nobody, updated: 1, failed: 3 })).toBe(25);
});

test("a meter that is at no release has fetched no share of one", () => {
  expect(fetchedPercent({ done_bytes: 0, total_bytes: 0 })).toBeNull();
  expect(fetchedPercent({ done_bytes: 1023, total_bytes: 1_000_000 })).toBe(1);
  expect(fetchedPercent({ done_bytes: 999_999, total_bytes: 1_000_000 })).toBe(99);
});
