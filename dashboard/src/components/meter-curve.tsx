// Power, voltage or reactive power of one meter through an hour or a day as a curve, with its figures, its table and its file.

import { useMemo } from "react";
import type { Curves, EnergyBars } from "../hooks/meter-chart.ts";
import type { ChartMark } from "../ui/chart-marks.tsx";
import { ChartTable } from "../ui/chart-table.tsx";
import { Skeleton } from "../ui/skeleton.tsx";
import { TimeChart } from "../ui/time-chart.tsx";
import type { ClearSkyBand } from "../util/clear-sky.ts";
import { localStamp } from "../util/csv.ts";
import {
  axisPower,
  axisReactive,
  axisVoltage,
  clock,
  counted,
  hourMinute,
  joined,
  nothing,
  periodName,
  powerFigure,
  reactiveFigure,
  tickTime,
  voltageFigure,
  type Figure,
} from "../util/format.ts";
import { clocksChange } from "../util/instant.ts";
import { valueAxis } from "../util/series-axis.ts";
import { nearestIn, type Curve } from "../util/series.ts";
import { t } from "../util/text.ts";
import { MeterReadout } from "./meter-readout.tsx";
import { counterpartName, type ShownProps } from "./meter-shown.ts";
import { MeterTools } from "./meter-tools.tsx";
import styles from "./meter-chart.module.css";

interface MeterCurveProps extends ShownProps {
  curves: Curves;
  energy: EnergyBars;
  band: ClearSkyBand | null;
  marks: readonly ChartMark[];
  cursor: number | null;
  onCursor: (seconds: number | null) => void;
}

type Drawn = "power" | "voltage" | "reactive";

const figures: Readonly<Record<Drawn, (value: number | null) => Figure>> = {
  power: powerFigure,
  voltage: voltageFigure,
  reactive: reactiveFigure,
};
const axes = { power: axisPower, voltage: axisVoltage, reactive: axisReactive } as const;
const columns = { power: "power_w", voltage: "voltage_v", reactive: "reactive_power_var" } as const;

/** The least that a zoomed chart shows: six readings of a usual meter. */
const shortest = 60;

export function MeterCurve(props: MeterCurveProps) {
  const { installation, view, zone, curves, energy, band, marks, cursor, onCursor } = props;
  const { period, span } = view;
  const quantity: Drawn = view.quantity === "energy" ? "power" : view.quantity;
  const { curve, other, step } = curves;
  const rated = quantity === "power" ? installation.rated_power_w : null;
  const axis = useMemo(() => axisOf(quantity, curve, other, rated, band), [quantity, curve, other, rated, band]);
  const others = useMemo(() => (other ? [other] : []), [other]);
  const formatTime = useMemo(() => (seconds: number, apart: number) => tickTime(seconds * 1000, apart, zone), [zone]);
  const withZone = clocksChange(period.start, zone);
  const textOf = (value: number | null) => joined(figures[quantity](value));
  const name = periodName(span, period.start, period.end, zone);
  const otherName = counterpartName(props);
  const peak = peakIn(curve);
  const quantityName = t(`meter.quantity.${quantity}`);
  const isEmpty = curve.times.length === 0;
  const label = isEmpty
    ? t("meter.chart.curveEmpty", { name: installation.name, quantity: quantityName, period: name })
    : t("meter.chart.curve", {
        name: installation.name,
        quantity: quantityName,
        period: name,
        peak: textOf(peak?.value ?? null),
        at: peak ? hourMinute(peak.time * 1000, zone, withZone) : nothing,
        gaps: curve.gaps.length,
      });
  const at = cursor === null ? null : nearestIn(curve, cursor, step);
  const otherAt = cursor === null || !other ? null : nearestIn(other, cursor, step);
  const time = cursor === null ? null : clock((at?.time ?? cursor) * 1000, zone, withZone);
  const value = cursor === null ? null : at ? textOf(at.value) : t("meter.chart.gap");

  const shownRows = view.isTable ? rowsOf(curve, view.view) : [];
  return (
    <>
      <MeterReadout
        view={view}
        zone={zone}
        total={energy.total}
        otherTotal={energy.otherTotal}
        otherName={otherName}
        isPending={energy.isPending}
        at={time}
        value={value}
        otherValue={cursor !== null && otherName !== null ? textOf(otherAt?.value ?? null) : null}
      />
      {view.isTable ? (
        <ChartTable
          key={`${period.date} ${quantity}`}
          caption={label}
          columns={[t("meter.table.time"), quantityName, ...(otherName === null ? [] : [otherName])]}
          rows={shownRows.map(([seconds, measured]) => [
            clock(seconds * 1000, zone, withZone),
            textOf(measured),
            ...(otherName === null || !other ? [] : [textOf(nearestIn(other, seconds, step)?.value ?? null)]),
          ])}
          showAllLabel={t("meter.table.all", { count: counted(shownRows.length) })}
          emptyLabel={t("meter.chart.empty")}
        />
      ) : (
        <div className={styles["chart"]} data-testid="curve" data-points={curve.times.length} data-gaps={curve.gaps.length}>
          <TimeChart
            label={label}
            curve={curve}
            others={others}
            band={band}
            isFilled={quantity === "power"}
            from={view.view.from}
            to={view.view.to}
            zone={zone}
            low={axis.low}
            top={axis.top}
            valueLines={axis.lines}
            limit={isEmpty ? null : rated}
            limitLabel={t("meter.now.rated", { rated: joined(powerFigure(rated)) })}
            gapLabel={t("meter.chart.gap")}
            formatTime={formatTime}
            formatValue={axes[quantity]}
            reach={step}
            syncName={null}
            onCursor={onCursor}
            left={68}
            marks={marks}
            navigation={{
              bounds: view.bounds,
              shortest,
              onView: view.showView,
              cursor,
              valueText: time === null ? label : `${time}: ${value ?? ""}`,
              stops: curve.times,
              help: t("meter.chart.keys"),
            }}
          />
          {isEmpty ? <p className={styles["empty"]}>{curves.isPending ? <Skeleton width="12rem" /> : t("meter.chart.empty")}</p> : null}
        </div>
      )}
      {band && !view.isTable ? <p className={styles["remark"]}>{t("meter.chart.clearSky")}</p> : null}
      <MeterTools
        {...props}
        isOld={curves.isOld || curves.isPending}
        table={() => [
          ["time_utc", "time_local", columns[quantity]],
          ...rowsOf(curve, view.view).map(([seconds, measured]) => [
            new Date(seconds * 1000).toISOString(),
            localStamp(seconds, zone),
            measured,
          ]),
        ]}
      />
    </>
  );
}

/** Voltage is shown where it is; all else begins at zero, and the area under power means energy. */
function axisOf(quantity: Drawn, curve: Curve, other: Curve | null, rated: number | null, band: ClearSkyBand | null) {
  const values = [...curve.values, ...(other?.values ?? [])].filter((value) => value !== null);
  let [low, high] = values.reduce<[number, number]>(
    ([least, most], value) => [Math.min(least, value), Math.max(most, value)],
    [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  );
  if (values.length === 0) [low, high] = quantity === "voltage" ? [220, 240] : [0, 10];
  if (quantity === "voltage") {
    const room = Math.max(1, (high - low) * 0.1);
    return valueAxis(low - room, high + room, 6);
  }
  if (quantity === "power") {
    high = Math.max(high * 1.04, rated !== null && high > rated * 0.6 ? rated * 1.02 : 0, ...(band?.high ?? []), 10);
  }
  // The night's draw of a few watts is no reason for half an axis below zero.
  return valueAxis(low < -0.05 * high ? low : 0, Math.max(high, 10), 6);
}

function peakIn({ times, values }: Curve): { time: number; value: number } | null {
  let peak: { time: number; value: number } | null = null;
  for (const [place, value] of values.entries()) {
    if (value !== null && (peak === null || value > peak.value)) peak = { time: times[place] ?? 0, value };
  }
  return peak;
}

/** The measured points within the view. */
function rowsOf({ times, values }: Curve, { from, to }: { from: number; to: number }): [time: number, value: number][] {
  return times.flatMap((time, place) => {
    const value = values[place] ?? null;
    return value === null || time < from || time > to ? [] : [[time, value] satisfies [number, number]];
  });
}
