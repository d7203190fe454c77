// What a person enters of a rollout, read into what the gateway is asked for. It sends nothing.

import type { FirmwareDevice, FirmwareRelease, NewRollout, RolloutWaveSize } from "../api/firmware.ts";
import { t } from "../util/text.ts";
import type { FieldProblem } from "../ui/form.tsx";

type GroupKind = "hardware" | "names" | "meters";

/** The fields of the form as they are typed. */
export interface RolloutDraft {
  name: string;
  group: GroupKind;
  /** Names of meters, one on each line. */
  names: string;
  /** Ids of the meters that are chosen. */
  meters: readonly string[];
  waves: string;
  success: string;
  error: string;
  errorMinimum: string;
  soakMinutes: string;
  deadlineHours: string;
  hasWindow: boolean;
  from: string;
  to: string;
}

/** A careful start: one meter, and each wave is watched for an hour. */
export function newDraft(release: FirmwareRelease): RolloutDraft {
  return {
    name: release.version,
    group: "hardware",
    names: "",
    meters: [],
    waves: "1, 10 %, 50 %, 100 %",
    success: "95",
    error: "5",
    errorMinimum: "1",
    soakMinutes: "60",
    deadlineHours: "24",
    hasWindow: false,
    from: "22:00",
    to: "05:00",
  };
}

const mostWaves = 32;
const mostNames = 64;
const mostMeters = 1000;
const longestName = 64;
/** 366 days. */
const longestHours = 8784;

/** Waves as they are typed, `1, 10 %, 100 %`: so many meters each, or so many of a hundred of all. Undefined when they cannot be read. */
export function wavesOf(text: string): RolloutWaveSize[] | undefined {
  const parts = text.split(/[,;，、；→\n]/).map((part) => part.trim());
  const waves = parts.map((part): RolloutWaveSize | undefined => {
    const [, digits, sign] = /^(\d{1,7})\s*([%％]?)$/.exec(part) ?? [];
    const size = Number(digits);
    if (digits === undefined || size < 1) return undefined;
    if (sign === "") return { count: size };
    return size <= 100 ? { percent: size } : undefined;
  });
  const read = waves.filter((wave) => wave !== undefined);
  return read.length === parts.length && read.length <= mostWaves ? read : undefined;
}

/** How many meters of `whole` each wave gets, as the gateway counts: shares are of all and rounded up, and no wave gets more than are left. */
export function waveSizes(waves: readonly RolloutWaveSize[], whole: number): number[] {
  let left = whole;
  return waves.map(({ percent, count }) => {
    const size = Math.min(left, percent == null ? (count ?? 0) : Math.ceil((whole * percent) / 100));
    left -= size;
    return size;
  });
}

/** Whether the waves take every meter, however many there are. */
function takeAll(waves: readonly RolloutWaveSize[], whole: number | null): boolean {
  if (waves.reduce((sum, { percent }) => sum + (percent ?? 0), 0) >= 100) return true;
  return whole !== null && waveSizes(waves, whole).reduce((sum, size) => sum + size, 0) === whole;
}

function namesOf(text: string): string[] {
  return [...new Set(text.split("\n").map((name) => name.trim()).filter(Boolean))];
}

/** The meters that a rollout would take now, of those that are known here. */
export function membersOf(draft: RolloutDraft, release: FirmwareRelease, devices: readonly FirmwareDevice[]): FirmwareDevice[] {
  const names = namesOf(draft.names);
  const fits = (device: FirmwareDevice): boolean => {
    if (draft.group === "meters") return draft.meters.includes(device.meter_id);
    if (draft.group === "hardware") return device.hardware_class !== null;
    return names.some((name) => (name.endsWith("*") ? device.name.startsWith(name.slice(0, -1)) : device.name === name));
  };
  return devices.filter(
    (device) =>
      fits(device) &&
      (device.hardware_class === null || device.hardware_class === release.hardware_class) &&
      device.running_digest !== release.payload_digest,
  );
}

function wholeNumber(text: string, least: number, most: number): number | undefined {
  const value = Number(text.trim());
  return /^\d{1,9}$/.test(text.trim()) && value >= least && value <= most ? value : undefined;
}

/** Reads the form: what to ask for, or what is to be put right. `members` is null when nobody here knows how many meters there are. */
export function readRollout(draft: RolloutDraft, release: FirmwareRelease, members: number | null): { rollout: NewRollout } | { problems: FieldProblem[] } {
  const problems: FieldProblem[] = [];
  const read = <Value>(field: string, value: Value | undefined, message: string, otherwise: Value): Value => {
    if (value !== undefined) return value;
    problems.push({ field, message });
    return otherwise;
  };
  const percent = (field: "success" | "error") => read(field, wholeNumber(draft[field], 1, 100), t(`firmware.form.${field}Problem`), 1);

  const name = draft.name.trim();
  const length = Array.from(name).length;
  if (length === 0 || length > longestName || /\p{Cc}/u.test(name)) problems.push({ field: "name", message: t("firmware.form.nameProblem") });

  const names = namesOf(draft.names);
  if (draft.group === "names" && (names.length === 0 || names.length > mostNames)) problems.push({ field: "names", message: t("firmware.form.namesProblem") });
  if (draft.group === "meters" && (draft.meters.length === 0 || draft.meters.length > mostMeters)) {
    problems.push({ field: "meters", message: t("firmware.form.metersProblem") });
  }

  const waves = read("waves", wavesOf(draft.waves), t("firmware.form.wavesProblem"), [{ percent: 100 }]);
  // Where some are said in numbers and nobody here knows how many meters there are, the gateway says whether they are all taken.
  const isSure = members !== null || waves.every(({ count }) => count == null);
  if (isSure && !takeAll(waves, members)) problems.push({ field: "waves", message: t("firmware.form.wavesLeft") });

  const leastHours = draft.hasWindow ? 24 : 1;
  const hasTimes = /^\d\d:\d\d$/.test(draft.from) && /^\d\d:\d\d$/.test(draft.to) && draft.from !== draft.to;
  if (draft.hasWindow && !hasTimes) problems.push({ field: "from", message: t("firmware.form.windowProblem") });

  const rollout: NewRollout = {
    release: release.digest,
    name,
    group: {
      labels: draft.group === "names" ? names : null,
      hardware_class: draft.group === "hardware" ? release.hardware_class : null,
      meters: draft.group === "meters" ? [...draft.meters] : null,
    },
    waves,
    success_percent: percent("success"),
    error_percent: percent("error"),
    error_minimum: read("errorMinimum", wholeNumber(draft.errorMinimum, 1, 1_000_000), t("firmware.form.errorMinimumProblem"), 1),
    soak_seconds: 60 * read("soak", wholeNumber(draft.soakMinutes, 0, longestHours * 60), t("firmware.form.soakProblem"), 0),
    deadline_seconds:
      3600 * read("deadline", wholeNumber(draft.deadlineHours, leastHours, longestHours), t("firmware.form.deadlineProblem", { least: leastHours }), leastHours),
    window: draft.hasWindow ? { from: draft.from, to: draft.to } : null,
  };
  return problems.length > 0 ? { problems } : { rollout };
}

/** The form's field of a name of the API; null for none of ours. */
export function rolloutFieldOf(apiName: string | null | undefined): string | null {
  const fields: Readonly<Record<string, string>> = {
    name: "name",
    labels: "names",
    meters: "meters",
    waves: "waves",
    success_percent: "success",
    error_percent: "error",
    error_minimum: "errorMinimum",
    soak_seconds: "soak",
    deadline_seconds: "deadline",
    window: "from",
  };
  return fields[apiName ?? ""] ?? null;
}
