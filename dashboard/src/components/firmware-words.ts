// What pages of firmware call the API's names of obstacles, outcomes and states; what is not known stays as the gateway wrote it.

import type { FirmwareDevice, FirmwareReport } from "../api/firmware.ts";
import type { GlyphName } from "../ui/glyph.tsx";
import { t } from "../util/text.ts";

/** A text, and whether it is the gateway's own English. */
export interface Words {
  text: string;
  lang: "en" | undefined;
}

export function ours(text: string): Words {
  return { text, lang: undefined };
}

export function theirs(text: string): Words {
  return { text, lang: "en" };
}

/** Everything that can be in the way of an update, by the number that a record has for it. */
export const obstacles = [
  "none",
  "paused",
  "brown-out",
  "no-answer",
  "refused",
  "malformed",
  "untrusted",
  "other-hardware",
  "counter-too-low",
  "too-large",
  "wrong-key",
  "bad-records",
  "bad-sector",
  "bad-delta",
  "bad-payload",
  "flash",
  "held",
  "crashes",
  "brown-outs",
  "sensor",
  "signer",
  "queue",
  "unreached",
  "time",
] as const;

/** Why a meter is not further, as a sentence. */
export function obstacleWords(obstacle: string): Words {
  const known = obstacles.find((each) => each === obstacle);
  return known ? ours(t(`firmware.obstacle.${known}`)) : theirs(obstacle);
}

/** Why a meter counts as failed. */
export function failureWords(failure: string): Words {
  const [, kind, obstacle = ""] = /^(rolled back|refused) \(([a-z-]+)\)$/.exec(failure) ?? [];
  const known = obstacles.find((each) => each === obstacle);
  if (kind !== undefined && known) {
    return ours(t(kind === "refused" ? "firmware.failure.refused" : "firmware.failure.rolledBack", { why: t(`firmware.obstacle.${known}`) }));
  }
  if (failure === "runs another payload again") return ours(t("firmware.failure.reverted"));
  if (failure === "was not done by its deadline") return ours(t("firmware.failure.late"));
  if (failure === "was silent past its deadline") return ours(t("firmware.failure.silent"));
  return theirs(failure);
}

interface Look {
  tone: "plain" | "good" | "late" | "gone";
  glyph: GlyphName;
}

export const updateLooks: Readonly<Record<NonNullable<FirmwareDevice["state"]>, Look>> = {
  idle: { tone: "plain", glyph: "done" },
  checking: { tone: "plain", glyph: "question" },
  fetching: { tone: "good", glyph: "download" },
  staged: { tone: "plain", glyph: "late" },
  trial: { tone: "late", glyph: "question" },
  confirmed: { tone: "good", glyph: "own" },
  rolled_back: { tone: "gone", glyph: "silent" },
};

export function updateStateText(state: NonNullable<FirmwareDevice["state"]>): string {
  return t(`firmware.state.${state}`);
}

export const outcomeLooks: Readonly<Record<FirmwareReport["outcome"], Look>> = {
  confirmed: { tone: "good", glyph: "own" },
  rolled_back: { tone: "gone", glyph: "silent" },
  refused: { tone: "late", glyph: "revoked" },
};

/** The first eight digits of a hardware class: enough to tell those of one fleet apart. */
export function shortClass(hardwareClass: string): string {
  return hardwareClass.split("-")[0] ?? hardwareClass;
}
