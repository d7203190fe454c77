// What a rollout is doing, why, and what comes next, in words. The gateway's own reasons are English sentences of known forms; others stay as they are.

import type { RolloutDetail, RolloutDevice, RolloutStep, RolloutWave } from "../api/firmware.ts";
import type { Rollout } from "../api/types.ts";
import type { GlyphName } from "../ui/glyph.tsx";
import { counted, duration, moment } from "../util/format.ts";
import { instantOf } from "../util/instant.ts";
import { t } from "../util/text.ts";
import { ours, theirs, type Words } from "./firmware-words.ts";

interface Look {
  tone: "plain" | "good" | "late" | "gone";
  glyph: GlyphName;
}

export const rolloutLooks: Readonly<Record<Rollout["state"], Look>> = {
  running: { tone: "good", glyph: "live" },
  soaking: { tone: "good", glyph: "late" },
  finishing: { tone: "good", glyph: "live" },
  paused: { tone: "late", glyph: "pause" },
  halted: { tone: "gone", glyph: "silent" },
  completed: { tone: "good", glyph: "own" },
  aborted: { tone: "plain", glyph: "revoked" },
  withdrawn: { tone: "plain", glyph: "revoked" },
};

export const waveLooks: Readonly<Record<RolloutWave["state"], Look>> = {
  waiting: { tone: "plain", glyph: "waiting" },
  running: { tone: "good", glyph: "live" },
  soaking: { tone: "good", glyph: "late" },
  passed: { tone: "good", glyph: "own" },
  stopped: { tone: "late", glyph: "pause" },
};

export const deviceLooks: Readonly<Record<RolloutDevice["rollout_state"], Look>> = {
  waiting: { tone: "plain", glyph: "waiting" },
  fetching: { tone: "good", glyph: "download" },
  staged: { tone: "plain", glyph: "late" },
  trial: { tone: "late", glyph: "question" },
  updated: { tone: "good", glyph: "own" },
  failed: { tone: "gone", glyph: "silent" },
};

/** Whether nothing can start it again. */
export function isOver(state: Rollout["state"]): boolean {
  return state === "completed" || state === "aborted" || state === "withdrawn";
}

/** Whether it goes on by itself. */
export function isUnderWay(state: Rollout["state"]): boolean {
  return state === "running" || state === "soaking" || state === "finishing";
}

/** Why a rollout is as it is. */
export function reasonWords({ state, reason, wave }: Pick<Rollout, "state" | "reason" | "wave">): Words {
  switch (state) {
    case "running":
    case "soaking":
      return ours(t(`firmware.reason.${state}`, { wave: String(wave) }));
    case "finishing":
    case "paused":
    case "completed":
    case "aborted":
      return ours(t(`firmware.reason.${state}`));
    case "halted":
      return causeWords(reason.replace(/^halted: /, ""));
    case "withdrawn":
      if (reason.includes("go back to the one before")) return ours(t("firmware.reason.goBack"));
      return reason.includes("keep it") ? ours(t("firmware.reason.keep")) : theirs(reason);
  }
}

/** Why it has halted. */
function causeWords(cause: string): Words {
  const [, failed = "", of = "", wave = "", rest = ""] = /^(\d+) of (\d+) meters of wave (\d+) failed(.*)$/.exec(cause) ?? [];
  const values = { failed: counted(Number(failed)), of: counted(Number(of)), wave };
  const [, limit] = /^; the limit is (\d+) %$/.exec(rest) ?? [];
  if (limit !== undefined) return ours(t("firmware.cause.tooMany", { ...values, limit }));
  const [, needed] = /^, so (\d+) % of it cannot be confirmed any more$/.exec(rest) ?? [];
  if (needed !== undefined) return ours(t("firmware.cause.outOfReach", { ...values, needed }));
  const [, left] = /^all meters of wave (\d+) that were not confirmed have failed/.exec(cause) ?? [];
  return left === undefined ? theirs(cause) : ours(t("firmware.cause.nobodyLeft", { wave: left }));
}

/** So many meters of a wave have to run the release before the next one begins; rounded up, as the gateway does. */
function neededOf(wave: RolloutWave, successPercent: number): number {
  return Math.ceil((wave.meters * successPercent) / 100);
}

/** What comes next, and when; null when nothing does. */
export function nextStep(rollout: RolloutDetail, now: number, zone: string): string | null {
  const wave = rollout.waves.find(({ number }) => number === rollout.wave);
  switch (rollout.state) {
    case "running":
      return wave ? runningStep(wave, rollout.plan.success_percent, now, zone) : null;
    case "soaking":
      return soakingStep(rollout, instantOf(wave?.soaks_until), now);
    case "finishing":
    case "paused":
    case "halted":
      return t(`firmware.next.${rollout.state}`);
    case "completed":
    case "aborted":
    case "withdrawn":
      return null;
  }
}

function runningStep(wave: RolloutWave, successPercent: number, now: number, zone: string): string {
  const values = {
    wave: String(wave.number),
    updated: counted(wave.counts.updated),
    meters: counted(wave.meters),
    needed: counted(neededOf(wave, successPercent)),
  };
  const deadline = instantOf(wave.deadline_at);
  const step = t("firmware.next.running", values);
  return deadline === null || deadline <= now ? step : `${step} ${t("firmware.next.deadline", { time: moment(deadline, now, zone), duration: duration(deadline - now) })}`;
}

function soakingStep(rollout: RolloutDetail, until: number | null, now: number): string {
  const isLast = rollout.wave >= rollout.waves_in_all;
  const next = String(rollout.wave + 1);
  if (until === null || until <= now) return isLast ? t("firmware.next.endsNow") : t("firmware.next.wavesNow", { next });
  const values = { next, duration: duration(until - now) };
  return t(isLast ? "firmware.next.ends" : "firmware.next.waves", values);
}

/** What stands beside a step; null where its action says it all. */
export function stepWords({ action, detail }: RolloutStep, named: (meter: string) => string): Words | null {
  if (action === "rollout.halt") return causeWords(detail.replace(/^halted: /, ""));
  const [, begun, size] = /^wave (\d+) of (\d+) meters started$/.exec(detail) ?? [];
  if (begun !== undefined) return ours(t("firmware.step.wave", { wave: begun, count: Number(size) }));
  const [, passed, updated = "", of = ""] = /^wave (\d+) succeeded: (\d+) of (\d+) meters confirmed$/.exec(detail) ?? [];
  if (passed !== undefined) return ours(t("firmware.step.succeeded", { wave: passed, updated: counted(Number(updated)), of: counted(Number(of)) }));
  const [, meter] = /^meter ([0-9a-f]{64}) is to try again$/.exec(detail) ?? [];
  if (meter !== undefined) return ours(named(meter));
  const [, meters] = /^release [0-9a-f]{64}, (\d+) meters: /.exec(detail) ?? [];
  if (meters !== undefined) return ours(t("firmware.step.begun", { count: Number(meters) }));
  if (action === "rollout.withdraw") return reasonWords({ state: "withdrawn", reason: detail, wave: 0 });
  return ["rollout.finish", "rollout.complete", "rollout.pause", "rollout.resume", "rollout.abort"].includes(action) || detail === "" ? null : theirs(detail);
}
