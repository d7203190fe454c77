// A rollout's plan in sentences, as it is shown before it begins and while it runs.

import type { NewRollout, RolloutWaveSize } from "../api/firmware.ts";
import { duration, percent } from "../util/format.ts";
import { t } from "../util/text.ts";

/** Which meters. */
function groupText({ labels, hardware_class: hardware, meters }: NewRollout["group"]): string {
  if (meters) return t("firmware.plan.meters", { count: meters.length });
  if (labels) return t("firmware.plan.names", { names: labels.join(", ") });
  return t("firmware.plan.hardware", { hardware: hardware ?? "" });
}

function waveText({ percent: share, count }: RolloutWaveSize, place: number, all: number): string {
  if (share === 100) return t(all === 1 ? "firmware.plan.all" : place === all - 1 ? "firmware.plan.rest" : "firmware.plan.all");
  return share == null ? t("firmware.plan.count", { count: count ?? 0 }) : t("firmware.plan.share", { percent: percent(share / 100) });
}

/** The waves in one phrase: 1 meter, then 10 % of them, then all that are left. */
function wavesText(waves: readonly RolloutWaveSize[]): string {
  return waves.map((wave, place) => waveText(wave, place, waves.length)).join(t("firmware.plan.then"));
}

/** The whole plan, a sentence for each thing that it says. */
export function planSentences(plan: NewRollout, version: string): string[] {
  const success = percent(plan.success_percent / 100);
  const soak = plan.soak_seconds;
  return [
    t("firmware.plan.what", { group: groupText(plan.group), version, count: plan.waves.length, waves: wavesText(plan.waves) }),
    soak === 0 ? t("firmware.plan.noSoak", { percent: success }) : t("firmware.plan.soak", { percent: success, duration: duration(soak * 1000) }),
    t("firmware.plan.halt", { percent: percent(plan.error_percent / 100), count: plan.error_minimum ?? 1 }),
    t("firmware.plan.deadline", { duration: duration(plan.deadline_seconds * 1000) }),
    plan.window ? t("firmware.plan.window", { from: plan.window.from, to: plan.window.to }) : t("firmware.plan.noWindow"),
  ];
}
