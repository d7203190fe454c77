import { expect, test } from "vitest";
import { following, untilEnd } from "./page-session.ts";
import type { Session } from "./types.ts";

const nobody: Session = { role: null, name: null, public_read: true, expires_at: null, csrf_token: null, version: "0.1.0" };
const admin: Session = { ...nobody, role: "admin", name: "admin", expires_at: "2026-11-22T20:00:00", csrf_token: "token" };

test("whoever was logged in and no longer is, is told so until he logs in again", () => {
  const ended = following(admin, nobody);
  expect(ended.ended).toBe(true);
  expect(following(ended, nobody).ended).toBe(true);
  expect(following(ended, admin).ended).toBeUndefined();
});

test("whoever comes without a session has lost none", () => {
  expect(following(undefined, nobody).ended).toBeUndefined();
  expect(following(nobody, nobody).ended).toBeUndefined();
});

test("a session is asked for anew when it ends", () => {
  const end = Date.UTC(2026, 10, 22, 20);
  expect(untilEnd(admin, end - 60_000)).toBe(61_000);
  expect(untilEnd(nobody, end)).toBe(false);
});

test("a session that has ended by this clock only is not asked for all the time", () => {
  expect(untilEnd(admin, Date.UTC(2026, 10, 22, 21))).toBe(10_000);
});

test("a long session is asked for within what a timer can wait", () => {
  expect(untilEnd(admin, Date.UTC(2026, 9, 22))).toBe(86_400_000);
});
