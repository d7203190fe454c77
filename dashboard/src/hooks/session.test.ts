import { describe, expect, test } from "vitest";
import type { Session } from "../api/types.ts";
import { permission } from "./session.ts";

function session(role: Session["role"], isPublic = false): Session {
  return { role, name: role, public_read: isPublic, expires_at: null, csrf_token: null, version: "0.1.0" };
}

describe("what one may do", () => {
  test.each([
    ["viewer", "viewer", true],
    ["viewer", "operator", false],
    ["operator", "viewer", true],
    ["operator", "admin", false],
    ["admin", "admin", true],
    ["admin", "firmware", true],
    ["operator", "operator", true],
    ["firmware", "firmware", true],
    ["firmware", "viewer", true],
    ["firmware", "operator", false],
    ["firmware", "admin", false],
    ["operator", "firmware", false],
    ["viewer", "operatorOrFirmware", false],
    ["operator", "operatorOrFirmware", true],
    ["firmware", "operatorOrFirmware", true],
    ["admin", "operatorOrFirmware", true],
    [null, "viewer", false],
  ] as const)("a %s where a %s is needed: %s", (role, needed, isAllowed) => {
    expect(permission(session(role), needed).allowed).toBe(isAllowed);
  });

  test("public read lets everybody read, and no more", () => {
    expect(permission(session(null, true), "viewer").allowed).toBe(true);
    expect(permission(session(null, true), "operator").allowed).toBe(false);
  });

  test("a refusal says what is needed and who one is", () => {
    expect(permission(session("viewer"), "admin").reason).toBe("This needs the role administrator. You are logged in as Viewer.");
    expect(permission(session(null), "operator").reason).toBe("This needs the role operator. You are not logged in.");
  });
});
