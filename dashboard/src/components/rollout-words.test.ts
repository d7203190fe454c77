import { describe, expect, test } from "vitest";
import type { RolloutDetail } from "../api/firmware.ts";
import { nextStep, reasonWords, stepWords } from "./rollout-words.ts";
import { rollout } from "./rollout.fixture.ts";

const now = Date.UTC(2026, 0, 3, 10);

function soaking(wave: number, until: string): RolloutDetail {
  const waves = rollout.waves.map((each) => (each.number === wave ? { ...each, soaks_until: until } : each));
  return { ...rollout, state: "soaking", wave, waves };
}

describe("what comes next", () => {
  test("while a wave updates itself: how many are needed, rounded up, and until when", () => {
    expect(nextStep(rollout, now, "UTC")).toBe("0 of 10 meters of wave 2 run it; 10 are needed to go on. They have until 12:00, in 2\u00a0h.");
  });

  test("while a wave is watched: when the next one starts", () => {
    expect(nextStep(soaking(2, "2026-01-03T10:12:00"), now, "UTC")).toBe("Wave 3 starts in 12\u00a0min, after soaking.");
  });

  test("a wave whose time has come starts at any moment", () => {
    expect(nextStep(soaking(2, "2026-01-03T09:59:59"), now, "UTC")).toBe("Wave 3 starts at any moment.");
  });

  test("after the last wave no other one starts", () => {
    expect(nextStep(soaking(3, "2026-01-03T10:12:00"), now, "UTC")).toBe("The last wave is watched for another 12\u00a0min.");
  });

  test.each(["completed", "aborted", "withdrawn"] as const)("of a rollout that is %s, nothing", (state) => {
    expect(nextStep({ ...rollout, state }, now, "UTC")).toBeNull();
  });
});

describe("why a rollout is as it is", () => {
  test.each([
    ["halted: 3 of 10 meters of wave 2 failed; the limit is 5 %", "3 of 10 meters of wave 2 failed; the limit is 5 %."],
    ["halted: 3 of 10 meters of wave 2 failed, so 95 % of it cannot be confirmed any more", "3 of 10 meters of wave 2 failed, so 95 % of it cannot succeed any more."],
    [
      "halted: all meters of wave 1 that were not confirmed have failed; tell some to retry, or abort",
      "All meters of wave 1 that were not confirmed have failed. Tell some to try again, or abort.",
    ],
  ])("%s", (reason, text) => {
    expect(reasonWords({ state: "halted", reason, wave: 2 })).toEqual({ text, lang: undefined });
  });

  test("a cause in no known form is the gateway's own English", () => {
    expect(reasonWords({ state: "halted", reason: "halted: moonshine", wave: 2 })).toEqual({ text: "moonshine", lang: "en" });
  });
});

function words(action: string, detail: string) {
  return stepWords({ time: null, actor: "gateway", action, detail }, () => "Barn south");
}

describe("what stands beside a step", () => {
  test.each([
    ["rollout.wave", "wave 2 of 10 meters started", "Wave 2, 10 meters"],
    ["rollout.succeed", "wave 2 succeeded: 9 of 10 meters confirmed", "Wave 2: 9 of 10 meters confirmed"],
    ["rollout.retry", `meter ${"a".repeat(64)} is to try again`, "Barn south"],
    ["rollout.begin", `release ${"a".repeat(64)}, 12 meters: valley`, "For 12 meters"],
  ])("%s: %s", (action, detail, text) => {
    expect(words(action, detail)).toEqual({ text, lang: undefined });
  });

  test("nothing where the action says it all, and English where it does not", () => {
    expect(words("rollout.pause", "paused")).toBeNull();
    expect(words("rollout.moon", "shine")).toEqual({ text: "shine", lang: "en" });
  });
});
