// Curves over a stretch of time, their gaps hatched. It knows no meters and formats nothing itself.

import { useCallback, useMemo } from "react";
import { clockTicks } from "../util/series-axis.ts";
import type { ChartMark } from "./chart-marks.tsx";
import { chartScale, type PlotBand, type PlotLine, type PlotModel } from "./chart-plot.ts";
import { ChartSurface, type ChartNavigation } from "./chart-surface.tsx";
import type { View } from "./chart-view.ts";

interface ChartCurve extends PlotLine {
  gaps: readonly { from: number; to: number }[];
}

export interface TimeChartProps {
  /** What the chart shows, in a sentence, for those who do not see it. */
  label: string;
  curve: ChartCurve;
  /** Laid under the curve for comparison. */
  others?: readonly PlotLine[];
  /** What is to be expected, as a faint band behind the curve. */
  band?: PlotBand | null;
  /** The stretch of time drawn, UNIX seconds: fixed, so that the curve grows into it and nothing shifts. */
  from: number;
  to: number;
  zone: string;
  /** Smallest value of the axis; 0 unless said. */
  low?: number;
  /** Largest value of the axis. */
  top: number;
  /** Whether the area under the curve means something, as energy does under power; it does unless said. */
  isFilled?: boolean;
  /** Where the axis has lines; at both ends and in the middle unless said. */
  valueLines?: readonly number[];
  /** Marked with a dashed line where it is within the axis. */
  limit: number | null;
  limitLabel: string;
  gapLabel: string;
  /** `step` is how far apart the marks of the axis are, seconds. */
  formatTime: (seconds: number, step: number) => string;
  formatValue: (value: number, top: number) => string;
  /** The nearest measured point may be this far from the pointer, seconds; anywhere unless said. */
  reach?: number;
  /** Charts of the same name move their cursors together. */
  syncName: string | null;
  onCursor: (seconds: number | null) => void;
  /** Given, the chart can be zoomed, moved and read by keys. */
  navigation?: ChartNavigation | null;
  marks?: readonly ChartMark[] | null;
  /** Width of the axis of values on a desk, CSS pixels. */
  left?: number;
}

const none: readonly never[] = [];

export function TimeChart(props: TimeChartProps) {
  const { label, curve, others = none, band = null, from, to, zone, low = 0, isFilled = true, top, limit, limitLabel, gapLabel } = props;
  const { formatTime, formatValue, reach = Number.POSITIVE_INFINITY, syncName, onCursor, navigation = null, marks = null, left = 58 } = props;
  const valueLines = useMemo(() => props.valueLines ?? [low, (low + top) / 2, top], [props.valueLines, low, top]);
  const lines = useMemo(() => [curve, ...others], [curve, others]);
  const ticks = useCallback(
    (view: View, most: number) => {
      const { times, step } = clockTicks(view.from, view.to, most, zone);
      return times.map((at) => ({ at, label: formatTime(at, step) }));
    },
    [zone, formatTime],
  );
  const model = useMemo<PlotModel>(
    () => ({
      lines,
      bars: none,
      band,
      isFilled,
      gaps: curve.gaps,
      gapLabel,
      view: { from, to },
      low,
      top,
      valueLines,
      limit: limit === null ? null : { value: limit, label: limitLabel },
      formatValue: (value) => formatValue(value, top),
      ticks,
      reach,
    }),
    [lines, band, isFilled, curve.gaps, gapLabel, from, to, low, top, valueLines, limit, limitLabel, formatValue, ticks, reach],
  );
  // uPlot fixes what it draws for life: another number of curves, or other company, is another chart.
  return (
    <ChartSurface
      key={`${String(lines.length)} ${syncName ?? ""}`}
      label={label}
      model={model}
      left={left * chartScale()}
      syncName={syncName}
      onCursor={onCursor}
      navigation={navigation}
      marks={marks}
    />
  );
}
