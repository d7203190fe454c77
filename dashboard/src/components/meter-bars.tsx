// The energy of one meter's period in bars, with its figures, its table and its file.

import { useMemo } from "react";
import type { EnergyBars } from "../hooks/meter-chart.ts";
import { BarChart } from "../ui/bar-chart.tsx";
import type { ChartMark } from "../ui/chart-marks.tsx";
import { ChartTable } from "../ui/chart-table.tsx";
import { Skeleton } from "../ui/skeleton.tsx";
import type { DrawnBar } from "../util/bars.ts";
import { localStamp } from "../util/csv.ts";
import { axisEnergy, barFullName, barName, counted, energy, nothing, periodName } from "../util/format.ts";
import { clocksChange } from "../util/instant.ts";
import type { Span } from "../util/period.ts";
import { valueAxis } from "../util/series-axis.ts";
import { t } from "../util/text.ts";
import { MeterReadout } from "./meter-readout.tsx";
import { counterpartName, type ShownProps } from "./meter-shown.ts";
import { MeterTools } from "./meter-tools.tsx";
import styles from "./meter-chart.module.css";

interface MeterBarsProps extends ShownProps {
  energy: EnergyBars;
  marks: readonly ChartMark[];
  cursor: number | null;
  onCursor: (seconds: number | null) => void;
}

const finer: Readonly<Record<Span, Span | null>> = { year: "month", month: "day", week: "day", day: "hour", hour: null };

export function MeterBars(props: MeterBarsProps) {
  const { installation, view, zone, counterpart, energy: shown, marks, cursor, onCursor } = props;
  const { span, period } = view;
  const { bars } = shown;
  const highest = Math.max(10, ...bars.flatMap(({ value, other }) => [value ?? 0, other ?? 0]));
  const axis = useMemo(() => valueAxis(0, highest, 6), [highest]);
  const withZone = clocksChange(period.start, zone);
  const nameOf = (bar: DrawnBar) => barFullName(span, bar.from * 1000, bar.to * 1000, zone, withZone);
  const pointed = cursor === null ? undefined : bars.find(({ from, to }) => from <= cursor && cursor < to);
  const stops = useMemo(() => bars.map(({ from, to }) => (from + to) / 2), [bars]);
  const formatBar = useMemo(() => (seconds: number) => barName(span, seconds * 1000, zone), [span, zone]);
  const name = periodName(span, period.start, period.end, zone);
  const otherName = counterpart ? counterpartName(props) : null;
  const label = t("meter.chart.bars", { name: installation.name, period: name, total: energy(shown.total) });
  const next = finer[span];

  const rows = bars.map((bar) => ({ bar, name: nameOf(bar), note: noteOf(bar) }));
  return (
    <>
      <MeterReadout
        view={view}
        zone={zone}
        total={shown.total}
        otherTotal={shown.otherTotal}
        otherName={otherName}
        isPending={shown.isPending}
        at={pointed ? nameOf(pointed) : null}
        value={pointed ? (pointed.value === null ? noteOf(pointed) || nothing : energy(pointed.value)) : null}
        otherValue={pointed && otherName !== null ? energy(pointed.other) : null}
      />
      {view.isTable ? (
        <ChartTable
          key={period.date}
          caption={label}
          columns={[
            t("meter.table.time"),
            t("meter.quantity.energy"),
            ...(otherName === null ? [] : [otherName]),
            t("meter.table.note"),
          ]}
          rows={rows.map(({ bar, name: heading, note }) => [
            heading,
            energy(bar.value),
            ...(otherName === null ? [] : [energy(bar.other)]),
            note,
          ])}
          showAllLabel={t("meter.table.all", { count: counted(bars.length) })}
          emptyLabel={t("meter.chart.empty")}
        />
      ) : (
        <div className={styles["chart"]} data-testid="bars" data-bars={bars.length}>
          {bars.length === 0 ? (
            <p className={styles["empty"]}>{shown.isPending ? <Skeleton width="100%" /> : t("meter.chart.empty")}</p>
          ) : (
            <BarChart
              label={label}
              bars={bars}
              view={view.view}
              top={axis.top}
              valueLines={axis.lines}
              gapLabel={t("meter.chart.gap")}
              formatBar={formatBar}
              labelAt={span === "hour" || span === "day" ? "start" : "middle"}
              formatValue={axisEnergy}
              onCursor={onCursor}
              marks={marks}
              navigation={{
                bounds: view.bounds,
                shortest: (view.bounds.to - view.bounds.from) / Math.max(1, bars.length),
                onView: view.showView,
                onPick:
                  next === null
                    ? undefined
                    : (seconds) => {
                        view.showSpan(next, seconds * 1000);
                      },
                cursor,
                valueText: pointed ? `${nameOf(pointed)}: ${pointed.value === null ? noteOf(pointed) : energy(pointed.value)}` : label,
                stops,
                help: t("meter.chart.keys"),
              }}
            />
          )}
        </div>
      )}
      <MeterTools
        {...props}
        isOld={shown.isOld || shown.isPending}
        table={() => [
          ["start_utc", "end_utc", "start_local", "energy_wh", "compared_energy_wh", "note"],
          ...rows.map(({ bar: { from, to, value, other }, note }) => [utcOf(from), utcOf(to), localStamp(from, zone), value, other, note]),
        ]}
      />
    </>
  );
}

function utcOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}

function noteOf({ value, state }: DrawnBar): string {
  if (state === "ahead") return "";
  if (value === null) return t("meter.chart.gap");
  if (state === "partial") return t("meter.chart.partial");
  return state === "growing" ? t("meter.chart.growing") : "";
}
