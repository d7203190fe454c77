// Curves and bars of made-up figures: with a gap, a band, a limit and marks; and with nothing in them.

import { useState } from "react";
import { BarChart } from "../ui/bar-chart.tsx";
import type { ChartMark } from "../ui/chart-marks.tsx";
import { TimeChart } from "../ui/time-chart.tsx";
import { axisPower, hourMinute, power } from "../util/format.ts";
import { t } from "../util/text.ts";
import styles from "./style-charts.module.css";

/** Midsummer's day of 2026 in UTC. */
const from = 1_781_913_600;
const to = from + 86_400;
const whole = { from, to };
const times = Array.from({ length: 289 }, (_, place) => from + place * 300);
const gap = { from: from + 9 * 3600, to: from + 10.5 * 3600 };

function sun(time: number): number {
  return Math.max(0, Math.sin((Math.PI * (time - from - 4 * 3600)) / (16 * 3600)));
}

const curve = {
  times,
  values: times.map((time) => (time > gap.from && time < gap.to ? null : 4100 * sun(time) ** 1.4 * (0.85 + 0.15 * Math.sin(time / 1700)))),
  gaps: [gap],
};
const band = { times, low: times.map((time) => 3000 * sun(time) ** 1.3), high: times.map((time) => 4800 * sun(time) ** 1.2) };
const yesterday = { times, values: times.map((time) => 3600 * sun(time) ** 1.5) };
const empty = { times: [], values: [], gaps: [] };

const bars = Array.from({ length: 12 }, (_, place) => {
  const state = place === 11 ? ("ahead" as const) : place === 10 ? ("growing" as const) : place === 4 ? ("partial" as const) : ("whole" as const);
  const value = state === "ahead" || place === 6 ? null : 600 + 3000 * sun(from + (4 + place) * 3600);
  return { from: from + place * 7200, to: from + (place + 1) * 7200, value, other: place < 8 ? 2200 : null, state };
});

export function StyleCharts() {
  const [cursor, setCursor] = useState<number | null>(null);
  const [view, setView] = useState(whole);
  const marks: ChartMark[] = [
    { id: "boot", from: from + 6 * 3600, to: from + 6 * 3600, kind: "moment", label: t("style.chart.boot") },
    { id: "outage", from: gap.from, to: gap.to, kind: "break", label: t("style.chart.outage") },
    { id: "loss", from: from + 15 * 3600, to: from + 16 * 3600, kind: "loss", label: t("style.chart.loss") },
  ];
  const valueText = cursor === null ? "" : hourMinute(cursor * 1000, "UTC");
  const navigation = { bounds: whole, shortest: 3600, onView: setView, cursor, valueText, stops: times, help: t("style.chart.help") };
  const shared = { zone: "UTC", top: 5000, limitLabel: t("style.chart.limit"), gapLabel: t("style.chart.gap"), formatTime, onCursor: setCursor };
  return (
    <>
      <p className={styles["caption"]}>{cursor === null ? t("style.chart.hint") : hourMinute(cursor * 1000, "UTC")}</p>
      <div className={styles["chart"]}>
        <TimeChart
          {...shared}
          from={view.from}
          to={view.to}
          navigation={navigation}
          label={t("style.chart.curve", { peak: power(4100) })}
          curve={curve}
          others={[yesterday]}
          band={band}
          limit={4600}
          formatValue={axisPower}
          syncName="style"
          marks={marks}
        />
      </div>
      <p className={styles["caption"]}>{t("style.chart.empty")}</p>
      <div className={styles["low"]}>
        <TimeChart {...shared} {...whole} label={t("style.chart.empty")} curve={empty} limit={null} formatValue={unlabelled} syncName="style" />
      </div>
      <p className={styles["caption"]}>{t("style.chart.barsHint")}</p>
      <div className={styles["chart"]}>
        <BarChart
          label={t("style.chart.bars")}
          bars={bars}
          view={whole}
          top={4000}
          valueLines={[0, 2000, 4000]}
          gapLabel={t("style.chart.gap")}
          formatBar={formatTime}
          labelAt="start"
          formatValue={axisPower}
          onCursor={setCursor}
        />
      </div>
    </>
  );
}

function formatTime(seconds: number): string {
  return hourMinute(seconds * 1000, "UTC");
}

function unlabelled(): string {
  return "";
}
