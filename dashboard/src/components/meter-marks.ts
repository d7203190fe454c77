// What happened to a meter, as marks on an axis of time with their words.

import type { Mark } from "../api/types.ts";
import type { ChartMark } from "../ui/chart-marks.tsx";
import { dateTime, duration, energy } from "../util/format.ts";
import { t } from "../util/text.ts";
import { termOf } from "./terms.ts";

const kinds = { boot: "moment", outage: "break", gap: "loss" } as const;

export function marksOf(marks: readonly Mark[], now: number, zone: string): ChartMark[] {
  return marks.map((mark) => ({
    id: `${mark.kind}-${String(mark.start)}`,
    from: mark.start,
    to: mark.end ?? now / 1000,
    kind: kinds[mark.kind],
    label: labelOf(mark, now, zone),
  }));
}

function labelOf(mark: Mark, now: number, zone: string): string {
  const time = dateTime(mark.start * 1000, zone);
  const lasted = duration((mark.end === null ? now : mark.end * 1000) - mark.start * 1000);
  switch (mark.kind) {
    case "boot":
      return t("meter.mark.boot", {
        time,
        count: String(mark.boot ?? ""),
        reason: termOf("reset", mark.reset_reason ?? "unknown"),
        version: mark.firmware_version ?? "",
      });
    case "outage": {
      const outage = mark.end === null ? t("meter.mark.lasting", { time, duration: lasted }) : t("meter.mark.outage", { time, duration: lasted });
      return mark.energy_wh === null ? outage : `${outage} ${t("meter.mark.counted", { energy: energy(mark.energy_wh) })}`;
    }
    case "gap":
      return mark.readings_lost === null
        ? t("meter.mark.gap", { time, duration: lasted })
        : t("meter.mark.gapReadings", { time, duration: lasted, count: mark.readings_lost });
  }
}
