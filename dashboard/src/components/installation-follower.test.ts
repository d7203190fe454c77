import { expect, test } from "vitest";
import { installation } from "../api/installation.fixture.ts";
import { followable, followed } from "./installation-follower.ts";

const inService = { ...installation, id: 3 };

test.each([
  ["revoked", { ...inService, state: "revoked" as const }],
  ["waiting", { ...inService, state: "waiting" as const }],
  ["replaced already", { ...inService, replaced_by: 4 }],
  ["the same one", { ...inService, id: 1 }],
])("an address cannot have a meter followed that is %s", (_, other) => {
  expect(followed(String(other.id), followable(1, [other]))).toBeNull();
});

test("an address cannot have a meter followed that nobody knows", () => {
  expect(followed("9", followable(1, [inService]))).toBeNull();
});

test("a meter in service that nothing follows yet can be followed", () => {
  expect(followed("3", followable(1, [inService]))).toBe(inService);
});
