// Bars over a stretch of time, each as wide as its own: months of 28 and of 31 days, days of 23 and of 25 hours. It knows no meters and formats nothing
// itself.

import { useCallback, useMemo } from "react";
import type { ChartMark } from "./chart-marks.tsx";
import { chartScale, type PlotBar, type PlotModel } from "./chart-plot.ts";
import { ChartSurface, type ChartNavigation } from "./chart-surface.tsx";
import type { View } from "./chart-view.ts";

export interface BarChartProps {
  /** What the chart shows, in a sentence, for those who do not see it. */
  label: string;
  /** At least one, oldest first. */
  bars: readonly PlotBar[];
  /** The stretch of time drawn, UNIX seconds. */
  view: View;
  top: number;
  valueLines: readonly number[];
  gapLabel: string;
  /** Names a bar by its start, UNIX seconds. */
  formatBar: (seconds: number) => string;
  /** `start`: the name stands under the bar's left edge, as hours do; else under its middle. */
  labelAt: "start" | "middle";
  formatValue: (value: number, top: number) => string;
  onCursor: (seconds: number | null) => void;
  navigation?: ChartNavigation | null;
  marks?: readonly ChartMark[] | null;
  left?: number;
}

const none: readonly never[] = [];

export function BarChart(props: BarChartProps) {
  const { label, bars, view, top, valueLines, gapLabel, formatBar, labelAt, formatValue, onCursor } = props;
  const { navigation = null, marks = null, left = 68 * chartScale() } = props;
  const ticks = useCallback(
    (shown: View, most: number) => {
      const within = bars.filter(({ from, to }) => to > shown.from && from < shown.to);
      const every = stepOf(Math.ceil(within.length / most));
      // Names stay with their bars while the view moves: which ones are left out goes by the bar's own place.
      const first = bars.indexOf(within[0] ?? bars[0] ?? { from: 0, to: 0, value: null, other: null, state: "ahead" });
      return within
        .filter((_bar, place) => (first + place) % every === 0)
        .map(({ from, to }) => ({ at: labelAt === "start" ? from : (from + to) / 2, label: formatBar(from) }));
    },
    [bars, formatBar, labelAt],
  );
  const model = useMemo<PlotModel>(
    () => ({
      lines: none,
      bars,
      band: null,
      isFilled: false,
      gaps: none,
      gapLabel,
      view,
      low: 0,
      top,
      valueLines,
      limit: null,
      formatValue: (value) => formatValue(value, top),
      ticks,
      reach: Number.POSITIVE_INFINITY,
    }),
    [bars, gapLabel, view, top, valueLines, formatValue, ticks],
  );
  return (
    <ChartSurface label={label} model={model} left={left} syncName={null} onCursor={onCursor} navigation={navigation} marks={marks} />
  );
}

/** Every, every second, third, sixth bar has its name: steps that suit hours and months. */
function stepOf(least: number): number {
  return [1, 2, 3, 4, 6, 12].find((step) => step >= least) ?? least;
}
