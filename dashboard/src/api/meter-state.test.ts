import { describe, expect, test } from "vitest";
import { beganAt, countsInEnergy, countsNow, isInService, knownUntil, meterState, statesDiffer } from "./meter-state.ts";
import { installation } from "./installation.fixture.ts";
import type { Installation, MeterStatus } from "./types.ts";

const status: MeterStatus = {
  installation_id: 1,
  name: "Roof",
  state: "silent",
  decision: "active",
  liveness: "silent",
  is_alive: false,
  last_seen_at: "2026-01-03T00:00:00",
  expected_cadence_s: 10,
  since: "2026-01-04T00:00:00",
  why: "not heard for more than ten minutes",
};

test("a meter is known to run until it was last heard, and until now only while it reports", () => {
  const now = Date.UTC(2026, 1, 17);
  const heard: Installation = { ...installation, last_seen_at: "2026-01-03T00:00:00" };
  const untils = [
    { liveness: "live" } as const,
    { liveness: "late" } as const,
    { liveness: "silent" } as const,
    { liveness: "live", state: "revoked" } as const,
    { liveness: "live", replaced_by: 2 } as const,
  ].map((state) => knownUntil({ ...heard, ...state }, now));
  const lastHeard = Date.UTC(2026, 0, 3);
  expect(untils).toEqual([now, now, lastHeard, lastHeard, lastHeard]);
});

describe("a meter's state", () => {
  test("an operator's decision goes before what was last heard", () => {
    expect(meterState({ ...installation, state: "revoked" }, undefined).name).toBe("revoked");
    expect(meterState({ ...installation, state: "waiting", liveness: "never" }, undefined).name).toBe("waiting");
    expect(meterState({ ...installation, liveness: "silent" }, undefined).name).toBe("silent");
  });

  test("the gateway's own since is taken where it gives one", () => {
    expect(meterState({ ...installation, liveness: "silent" }, status)).toEqual({ name: "silent", since: Date.UTC(2026, 0, 4), note: null });
  });

  test("the operator's note is shown of a revoked meter only", () => {
    const revoked: MeterStatus = { ...status, state: "revoked", decision: "revoked", why: "Sold with the barn." };
    expect(meterState({ ...installation, state: "revoked" }, revoked).note).toBe("Sold with the barn.");
    expect(meterState({ ...installation, state: "revoked" }, { ...revoked, why: "" }).note).toBeNull();
  });

  test("a meter that another one replaced is not silent, whatever was last heard", () => {
    const replaced: Installation = { ...installation, liveness: "silent", replaced_by: 2 };
    expect(meterState(replaced, status)).toEqual({ name: "replaced", since: null, note: null });
    expect(meterState({ ...replaced, state: "revoked" }, undefined).name).toBe("revoked");
  });

  test("a silent meter is silent since it was last heard", () => {
    expect(meterState({ ...installation, liveness: "silent" }, undefined).since).toBe(Date.UTC(2026, 0, 3));
  });
});

test("the power now is of active meters that still report", () => {
  expect(countsNow(installation)).toBe(true);
  expect(countsNow({ ...installation, liveness: "late" })).toBe(true);
  expect(countsNow({ ...installation, liveness: "silent" })).toBe(false);
  expect(countsNow({ ...installation, state: "revoked" })).toBe(false);
});

test("a replaced meter is counted in neither power nor energy: the one that follows it carries both on", () => {
  const replaced: Installation = { ...installation, replaced_by: 2 };
  const following: Installation = { ...installation, id: 2, replaces: 1 };
  expect([replaced, following].filter(isInService)).toEqual([following]);
  expect([replaced, following].filter(countsNow)).toEqual([following]);
  expect([replaced, following].filter(countsInEnergy)).toEqual([following]);
});

test("energy counts from the approval on, and what a revoked meter produced stays", () => {
  expect(countsInEnergy({ ...installation, state: "waiting" })).toBe(false);
  expect(countsInEnergy({ ...installation, state: "revoked" })).toBe(true);
});

test.each([
  ["nothing changed but when it was heard", [{ ...installation, last_seen_at: "2026-01-03T00:00:10" }], false],
  ["a meter fell silent", [{ ...installation, liveness: "silent" as const }], true],
  ["a meter was revoked", [{ ...installation, state: "revoked" as const }], true],
  ["a meter was replaced", [{ ...installation, replaced_by: 2 }], true],
  ["a meter came", [installation, { ...installation, id: 2 }], true],
  ["a meter went", [], true],
  ["a meter went and another came", [{ ...installation, id: 2 }], true],
])("the states of two lists are compared: %s", (_claim, after, differ) => {
  expect(statesDiffer([installation], after)).toBe(differ);
});

test("a meter began as it was announced, or as it started if that was before", () => {
  const announced = { ...installation, created_at: "2026-01-02T00:00:00" };
  const second = Date.UTC(2026, 0, 2) / 1000;
  expect(beganAt({ ...announced, last_boot_timestamp: second - 60 })).toBe(second - 60);
  expect(beganAt({ ...announced, last_boot_timestamp: second + 60 })).toBe(second);
  expect(beganAt({ ...announced, last_boot_timestamp: null })).toBe(second);
});
