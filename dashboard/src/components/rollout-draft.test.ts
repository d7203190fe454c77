import { describe, expect, test } from "vitest";
import { membersOf, newDraft, readRollout, waveSizes, wavesOf, type RolloutDraft } from "./rollout-draft.ts";
import { planSentences } from "./rollout-plan.ts";
import { deviceOf, hardware, release, rollout } from "./rollout.fixture.ts";

function read(changes: Partial<RolloutDraft>, members: number | null = 20) {
  return readRollout({ ...newDraft(release), ...changes }, release, members);
}

function fieldsOf(changes: Partial<RolloutDraft>, members: number | null = 20): (string | null)[] {
  const answer = read(changes, members);
  return "problems" in answer ? answer.problems.map(({ field }) => field) : [];
}

describe("waves", () => {
  test("are numbers and shares with commas between", () => {
    expect(wavesOf("1, 10 %,50%, 100 %")).toEqual([{ count: 1 }, { percent: 10 }, { percent: 50 }, { percent: 100 }]);
    expect(wavesOf("1，10％")).toEqual([{ count: 1 }, { percent: 10 }]);
  });

  test.each(["", "0", "0 %", "101 %", "1,,2", "1.5 %", "-1", "all", Array.from({ length: 33 }, () => "1").join(",")])("%j is none", (text) => {
    expect(wavesOf(text)).toBeUndefined();
  });

  test("take no more than is left, and shares of all are rounded up", () => {
    expect(waveSizes([{ count: 1 }, { percent: 10 }, { percent: 50 }, { percent: 100 }], 12)).toEqual([1, 2, 6, 3]);
    expect(waveSizes([{ count: 5 }, { percent: 100 }], 3)).toEqual([3, 0]);
  });

  test("that leave meters out are to be put right, where it is known", () => {
    expect(fieldsOf({ waves: "1, 10 %" })).toEqual(["waves"]);
    expect(fieldsOf({ waves: "50 %, 20 %" }, null)).toEqual(["waves"]);
    expect(fieldsOf({ waves: "5, 15" })).toEqual([]);
    expect(fieldsOf({ waves: "5, 15" }, null)).toEqual([]);
  });
});

describe("which meters", () => {
  const devices = [
    deviceOf("Barn south"),
    deviceOf("Barn west"),
    deviceOf("Mill", { hardware_class: null }),
    deviceOf("Other", { hardware_class: "00000000-0000-0000-0000-000000000000" }),
    deviceOf("Done", { running_digest: release.payload_digest }),
  ];
  const namesOf = (changes: Partial<RolloutDraft>) => membersOf({ ...newDraft(release), ...changes }, release, devices).map(({ name }) => name);

  test("all of its hardware are those that said so and do not run it yet", () => {
    expect(namesOf({})).toEqual(["Barn south", "Barn west"]);
  });

  test("a name with a star at the end stands for all that begin so", () => {
    expect(namesOf({ group: "names", names: "Barn*\nMill\n" })).toEqual(["Barn south", "Barn west", "Mill"]);
  });

  test("of other hardware, none are taken by name or choice", () => {
    expect(namesOf({ group: "names", names: "Other" })).toEqual([]);
    expect(namesOf({ group: "meters", meters: devices.map(({ meter_id }) => meter_id) })).toEqual(["Barn south", "Barn west", "Mill"]);
  });
});

describe("what the gateway is asked for", () => {
  test("says one thing about the group, and times in seconds", () => {
    expect(read({ hasWindow: true })).toEqual({
      rollout: {
        release: release.digest,
        name: "1.4.0",
        group: { labels: null, hardware_class: hardware, meters: null },
        waves: [{ count: 1 }, { percent: 10 }, { percent: 50 }, { percent: 100 }],
        success_percent: 95,
        error_percent: 5,
        error_minimum: 1,
        soak_seconds: 3600,
        deadline_seconds: 86_400,
        window: { from: "22:00", to: "05:00" },
      },
    });
  });

  test.each([
    ["name", { name: " " }],
    ["names", { group: "names", names: "\n" }],
    ["meters", { group: "meters", meters: [] }],
    ["success", { success: "0" }],
    ["error", { error: "101" }],
    ["errorMinimum", { errorMinimum: "0" }],
    ["soak", { soakMinutes: "1.5" }],
    ["deadline", { deadlineHours: "" }],
    ["deadline", { deadlineHours: "23", hasWindow: true }],
    ["from", { hasWindow: true, from: "05:00" }],
  ] as const)("%s is to be put right: %j", (field, changes) => {
    expect(fieldsOf(changes)).toEqual([field]);
  });
});

test("a plan is said in sentences", () => {
  expect(planSentences(rollout.plan, "1.4.0")).toEqual([
    `All meters of the hardware class ${hardware} → 1.4.0, in 3 waves: 1 meter, then 50\u00a0% of all, then all that are left.`,
    "The next wave starts when 95\u00a0% of a wave run it and it was watched for 1\u00a0h after that.",
    "It halts by itself when 5\u00a0% of a wave have failed and at least 2 of them.",
    "A meter that is not done 1\u00a0d after its wave started has failed.",
    "Meters start it between 22:00 and 05:00, in the time of their own site.",
  ]);
});
