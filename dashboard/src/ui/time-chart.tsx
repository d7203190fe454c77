// The one wrapper around uPlot: a curve over a stretch of time, its gaps hatched. It knows no meters and formats nothing itself.

import { useEffect, useLayoutEffect, useRef } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import styles from "./time-chart.module.css";

/** Columns of equal length: UNIX seconds, and values with a null where the line breaks. */
interface ChartCurve {
  times: readonly number[];
  values: readonly (number | null)[];
  gaps: readonly { from: number; to: number }[];
}

export interface TimeChartProps {
  /** What the chart shows, in a sentence, for those who do not see it. */
  label: string;
  curve: ChartCurve;
  /** The stretch of time drawn, UNIX seconds: fixed, so that the curve grows into it and nothing shifts. */
  from: number;
  to: number;
  zone: string;
  /** Largest value of the axis. */
  top: number;
  /** Marked with a dashed line where it is within the axis. */
  limit: number | null;
  limitLabel: string;
  gapLabel: string;
  formatTime: (seconds: number) => string;
  formatValue: (value: number, top: number) => string;
  /** Charts of the same name move their cursors together. */
  syncName: string;
  onCursor: (seconds: number | null) => void;
}

export function TimeChart(props: TimeChartProps) {
  // A chart keeps its zone and its company for life: another one is another chart.
  return <Plot key={`${props.zone} ${props.syncName}`} {...props} />;
}

function Plot(props: TimeChartProps) {
  const holder = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | null>(null);
  // uPlot calls back long after a render: it reads the newest props from here.
  const latest = useRef(props);
  useLayoutEffect(() => {
    latest.current = props;
  });

  useEffect(() => {
    const element = holder.current;
    if (!element) return;
    const plot = new uPlot(optionsFor(element, latest), columns(latest.current.curve), element);
    chart.current = plot;

    const size = new ResizeObserver(() => {
      if (element.clientWidth > 0) plot.setSize({ width: element.clientWidth, height: element.clientHeight });
    });
    size.observe(element);
    const redraw = () => {
      plot.redraw(false, true);
    };
    const scheme = matchMedia("(prefers-color-scheme: dark)");
    scheme.addEventListener("change", redraw);
    const theme = new MutationObserver(redraw);
    theme.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    return () => {
      size.disconnect();
      theme.disconnect();
      scheme.removeEventListener("change", redraw);
      plot.destroy();
      chart.current = null;
    };
  }, []);

  const { curve, from, to, top } = props;
  useEffect(() => {
    const plot = chart.current;
    plot?.batch(() => {
      plot.setData(columns(curve), false);
      plot.setScale("x", { min: from, max: to });
      plot.setScale("y", { min: 0, max: top });
    });
  }, [curve, from, to, top]);

  return <div ref={holder} className={styles["chart"]} role="img" aria-label={props.label} />;
}

function columns(curve: ChartCurve): uPlot.AlignedData {
  return [curve.times as number[], curve.values as (number | null)[]];
}

function optionsFor(element: HTMLElement, latest: { readonly current: TimeChartProps }): uPlot.Options {
  const colour = (name: string) => getComputedStyle(element).getPropertyValue(name).trim();
  const font = () => `12px ${getComputedStyle(element).fontFamily}`;
  const zone = latest.current.zone;
  return {
    width: element.clientWidth,
    height: element.clientHeight,
    padding: [10, 2, 0, 0],
    legend: { show: false },
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), zone),
    scales: {
      x: { time: true, range: () => [latest.current.from, latest.current.to] },
      y: { range: () => [0, latest.current.top] },
    },
    axes: [
      {
        stroke: () => colour("--ink-soft"),
        grid: { show: false },
        ticks: { stroke: () => colour("--line"), width: 1, size: 4 },
        font: font(),
        size: 24,
        gap: 3,
        space: 64,
        incrs: [3600, 7200, 10_800, 21_600, 43_200],
        values: (_plot, splits) =>
          splits.map((split, place) => (place === 0 || split >= latest.current.to ? "" : latest.current.formatTime(split))),
      },
      {
        stroke: () => colour("--ink-soft"),
        grid: { stroke: () => colour("--chart-grid"), width: 1 },
        ticks: { show: false },
        border: { show: false },
        font: font(),
        size: 58,
        gap: 8,
        splits: () => [0, latest.current.top / 2, latest.current.top],
        values: (_plot, splits) => splits.map((split) => latest.current.formatValue(split, latest.current.top)),
      },
    ],
    series: [
      {},
      {
        stroke: () => colour("--chart-line"),
        fill: () => colour("--accent-wash"),
        width: 1.5,
        spanGaps: false,
        points: { show: false },
      },
    ],
    cursor: {
      y: false,
      drag: { x: false, y: false },
      points: { size: 7, width: 1.5, stroke: () => colour("--ground"), fill: () => colour("--chart-line") },
      sync: { key: latest.current.syncName, setSeries: false, scales: ["x", null] },
      // A finger's touch leaves the cursor where it was set; a mouse that leaves takes it away.
      focus: { prox: -1 },
    },
    hooks: {
      drawAxes: [
        (plot) => {
          drawGaps(plot, latest.current, colour("--chart-hatch"), colour("--ink-soft"));
          drawLimit(plot, latest.current, colour("--line-strong"), colour("--ink-soft"));
        },
      ],
      setCursor: [
        (plot) => {
          const { left } = plot.cursor;
          const inside = left !== undefined && left >= 0;
          latest.current.onCursor(inside ? plot.posToVal(left, "x") : null);
        },
      ],
    },
  };
}

/** uPlot sets a font of its own on its root; the page's is above it. */
function fontFamily(plot: uPlot): string {
  return getComputedStyle(plot.root.parentElement ?? plot.root).fontFamily;
}

function drawGaps(plot: uPlot, { curve, gapLabel }: TimeChartProps, hatch: string, ink: string): void {
  const { ctx } = plot;
  const { top, height } = plot.bbox;
  const ratio = uPlot.pxRatio;
  for (const gap of curve.gaps) {
    const left = plot.valToPos(gap.from, "x", true);
    const width = plot.valToPos(gap.to, "x", true) - left;
    ctx.save();
    ctx.beginPath();
    ctx.rect(left, top, width, height);
    ctx.clip();
    ctx.strokeStyle = hatch;
    ctx.lineWidth = ratio;
    ctx.beginPath();
    const step = 6 * ratio;
    // The hatching hangs on the canvas, not on the gap, so that it stands still while a gap grows.
    for (let x = Math.floor((left - height) / step) * step; x < left + width; x += step) {
      ctx.moveTo(x, top + height);
      ctx.lineTo(x + height, top);
    }
    ctx.stroke();
    ctx.font = `${String(11 * ratio)}px ${fontFamily(plot)}`;
    const text = ctx.measureText(gapLabel).width;
    if (text + 16 * ratio < width) {
      const middle = left + width / 2;
      const base = top + height / 2;
      ctx.clearRect(middle - text / 2 - 5 * ratio, base - 10 * ratio, text + 10 * ratio, 20 * ratio);
      ctx.fillStyle = ink;
      ctx.textAlign = "center";
      ctx.textBaseline = "middle";
      ctx.fillText(gapLabel, middle, base);
    }
    ctx.restore();
  }
}

function drawLimit(plot: uPlot, { limit, limitLabel, top }: TimeChartProps, line: string, ink: string): void {
  if (limit === null || limit > top) return;
  const { ctx, bbox } = plot;
  const ratio = uPlot.pxRatio;
  const y = Math.round(plot.valToPos(limit, "y", true)) + 0.5;
  ctx.save();
  ctx.strokeStyle = line;
  ctx.lineWidth = ratio;
  ctx.setLineDash([4 * ratio, 4 * ratio]);
  ctx.beginPath();
  ctx.moveTo(bbox.left, y);
  ctx.lineTo(bbox.left + bbox.width, y);
  ctx.stroke();
  ctx.fillStyle = ink;
  ctx.font = `${String(11 * ratio)}px ${fontFamily(plot)}`;
  ctx.textAlign = "right";
  ctx.textBaseline = "bottom";
  ctx.fillText(limitLabel, bbox.left + bbox.width, y - 3 * ratio);
  ctx.restore();
}
