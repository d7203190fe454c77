import { expect, test } from "vitest";
import type { ApiKey } from "../api/administration.ts";
import { expiryOf, keyState } from "./key-state.ts";

const now = Date.UTC(2026, 10, 22, 12);
const key: ApiKey = { id: 1, name: "control room", role: "viewer", created_at: null, expires_at: null, revoked_at: null };

test.each([
  ["a key without an end is valid", {}, "valid"],
  ["a key whose end is near says so", { expires_at: "2026-11-30T00:00:00" }, "ending"],
  ["a key that has reached its end is expired", { expires_at: "2026-11-22T12:00:00" }, "expired"],
  ["a key that was revoked is revoked, whenever it would have ended", { expires_at: "2026-11-01T00:00:00", revoked_at: "2026-10-01T00:00:00" }, "revoked"],
] as const)("%s", (_, changes, state) => {
  expect(keyState({ ...key, ...changes }, now)).toBe(state);
});

test("a key ends after the span that was chosen", () => {
  expect(expiryOf("never", "", now)).toBeNull();
  expect(expiryOf("days30", "", now)).toBe("2026-12-22T12:00:00.000Z");
  expect(expiryOf("days90", "", now)).toBe("2027-02-20T12:00:00.000Z");
  expect(expiryOf("year", "", now)).toBe("2027-11-22T12:00:00.000Z");
});

test("a key that ends on a date is good on that day", () => {
  const end = expiryOf("date", "2026-12-31", now);
  expect(end).toBe(new Date(2027, 0, 1).toISOString());
});

test.each(["", "2026-11-21", "31.12.2026", "9999-12-31"])("%j is no date on which a key could end", (date) => {
  expect(expiryOf("date", date, now)).toBeUndefined();
});
