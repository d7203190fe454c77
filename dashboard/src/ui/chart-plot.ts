// The one place that knows uPlot: draws curves or bars over a stretch of time, with gaps, a band and a limit. It knows no React, takes no input but the
// pointer's place, and formats nothing itself.

import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import type { View } from "./chart-view.ts";

/** Columns of equal length: UNIX seconds, and values with a null where the line breaks. */
export interface PlotLine {
  times: readonly number[];
  values: readonly (number | null)[];
}

/** One bar over its own stretch of time, UNIX seconds. */
export interface PlotBar {
  from: number;
  to: number;
  /** Null where nothing is known: the bar's place is hatched. */
  value: number | null;
  /** What is laid beside it for comparison. */
  other: number | null;
  /** `partial`: something in it was not measured. `growing`: its time is not over. `ahead`: its time has not begun. */
  state: "whole" | "partial" | "growing" | "ahead";
}

export interface PlotBand {
  times: readonly number[];
  low: readonly number[];
  high: readonly number[];
}

export interface PlotTick {
  at: number;
  label: string;
}

/** Everything that is drawn. */
export interface PlotModel {
  /** The first is the one that matters; the others are laid under it for comparison. */
  lines: readonly PlotLine[];
  bars: readonly PlotBar[];
  band: PlotBand | null;
  /** Whether the area under the first line means something, as energy does under power. */
  isFilled: boolean;
  gaps: readonly { from: number; to: number }[];
  gapLabel: string;
  view: View;
  low: number;
  top: number;
  valueLines: readonly number[];
  /** Marked with a dashed line where it is within the axis. */
  limit: { value: number; label: string } | null;
  formatValue: (value: number) => string;
  /** The labels under the axis for what is shown; `most` is how many there is room for. */
  ticks: (view: View, most: number) => readonly PlotTick[];
  /** The nearest measured point may be this far from the pointer, seconds. */
  reach: number;
}

/** CSS pixels from the element's edges to the plotted area; overlays are placed by them. */
export const plotRight = 2;
const plotTop = 10;
const tickRoom = 62;

/** The name under which each drawing is measured, so that a benchmark can read how long it took. */
const measureName = "chart-draw";

interface PlotSettings {
  /** Width of the axis of values. */
  left: number;
  /** Charts of the same name move their cursors together. */
  syncName: string | null;
  onCursor: (seconds: number | null) => void;
  onResize: (width: number) => void;
}

export class ChartPlot {
  readonly #element: HTMLElement;
  readonly #plot: uPlot;
  readonly #highlight: HTMLElement;
  readonly #stop: () => void;
  #model: PlotModel;
  #began: number | null = null;

  constructor(element: HTMLElement, model: PlotModel, settings: PlotSettings) {
    this.#element = element;
    this.#model = model;
    this.#began = performance.now();
    this.#plot = new uPlot(this.#options(settings), columnsOf(model), element);
    this.#highlight = document.createElement("div");
    this.#highlight.dataset["highlight"] = "";
    this.#plot.over.append(this.#highlight);

    const size = new ResizeObserver(() => {
      if (element.clientWidth === 0) return;
      this.#plot.setSize({ width: element.clientWidth, height: element.clientHeight });
      settings.onResize(this.#plot.over.clientWidth);
    });
    size.observe(element);
    const redraw = () => {
      this.#plot.redraw(false, true);
    };
    const scheme = matchMedia("(prefers-color-scheme: dark)");
    scheme.addEventListener("change", redraw);
    const theme = new MutationObserver(redraw);
    theme.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    this.#stop = () => {
      size.disconnect();
      theme.disconnect();
      scheme.removeEventListener("change", redraw);
    };
  }

  /** The plotted area, over which pointers are. */
  get area(): HTMLElement {
    return this.#plot.over;
  }

  update(model: PlotModel): void {
    const before = this.#model;
    if (model === before) return;
    this.#model = model;
    this.#began = performance.now();
    this.#plot.batch(() => {
      if (model.lines !== before.lines || model.bars !== before.bars) this.#plot.setData(columnsOf(model), false);
      this.#plot.setScale("x", { min: model.view.from, max: model.view.to });
      this.#plot.setScale("y", { min: model.low, max: model.top });
      // What uPlot does not know of may have changed too: gaps, band, limit, labels.
      this.#plot.redraw(false, true);
    });
  }

  /** Puts the cursor at a moment, as a pointer would; null takes it away. */
  setCursor(seconds: number | null): void {
    const left = seconds === null ? -10 : this.#plot.valToPos(seconds, "x");
    this.#plot.setCursor({ left, top: seconds === null ? -10 : 0 });
  }

  destroy(): void {
    this.#stop();
    this.#plot.destroy();
  }

  #colour(name: string): string {
    return getComputedStyle(this.#element).getPropertyValue(name).trim();
  }

  #font(size: number): string {
    return `${String(size * chartScale())}px ${getComputedStyle(this.#element).fontFamily}`;
  }

  #options({ left, syncName, onCursor, onResize }: PlotSettings): uPlot.Options {
    const ink = () => this.#colour("--ink-soft");
    const isBars = this.#model.bars.length > 0;
    return {
      width: this.#element.clientWidth,
      height: this.#element.clientHeight,
      padding: [plotTop * chartScale(), plotRight, 0, 0],
      legend: { show: false },
      scales: {
        x: { time: true, range: () => [this.#model.view.from, this.#model.view.to] },
        y: { range: () => [this.#model.low, this.#model.top] },
      },
      axes: [
        {
          stroke: ink,
          grid: { show: false },
          ticks: { stroke: () => this.#colour("--line"), width: 1, size: isBars ? 0 : 4 },
          font: this.#font(12),
          size: 24 * chartScale(),
          gap: (isBars ? 7 : 3) * chartScale(),
          splits: () => this.#ticks().map(({ at }) => at),
          values: () => this.#ticks().map(({ label }) => label),
        },
        {
          stroke: ink,
          grid: { stroke: () => this.#colour("--chart-grid"), width: 1 },
          ticks: { show: false },
          border: { show: false },
          font: this.#font(12),
          size: left,
          gap: 8 * chartScale(),
          splits: () => [...this.#model.valueLines],
          values: (_plot, splits) => splits.map((split) => this.#model.formatValue(split)),
        },
      ],
      series: [{}, ...this.#series(isBars)],
      cursor: {
        y: false,
        x: !isBars,
        drag: { x: false, y: false },
        points: {
          show: !isBars,
          size: 7,
          width: 1.5,
          stroke: () => this.#colour("--ground"),
          fill: (_plot, series) => this.#colour(series === 1 ? "--chart-line" : "--line-strong"),
        },
        dataIdx: (plot, series, closest, seconds) => this.#nearest(plot, series, closest, seconds),
        ...(syncName === null ? {} : { sync: { key: syncName, setSeries: false, scales: ["x", null] as [string, null] } }),
        // A finger's touch leaves the cursor where it was set; a mouse that leaves takes it away.
        focus: { prox: -1 },
      },
      hooks: {
        ready: [
          (plot) => {
            onResize(plot.over.clientWidth);
          },
        ],
        drawClear: [
          () => {
            this.#began ??= performance.now();
          },
        ],
        drawAxes: [
          (plot) => {
            this.#drawBand(plot);
            this.#drawGaps(plot);
            this.#drawBars(plot);
            this.#drawLimit(plot);
          },
        ],
        draw: [
          () => {
            // One is kept: a page that is left open all day must not gather them.
            performance.clearMeasures(measureName);
            performance.measure(measureName, { start: this.#began ?? performance.now(), end: performance.now() });
            this.#began = null;
          },
        ],
        setCursor: [
          (plot) => {
            const { left: place } = plot.cursor;
            const seconds = place !== undefined && place >= 0 ? plot.posToVal(place, "x") : null;
            this.#highlightBar(plot, seconds);
            onCursor(seconds);
          },
        ],
      },
    };
  }

  #series(isBars: boolean): uPlot.Series[] {
    if (isBars) return [{ paths: () => null, points: { show: false } }];
    return this.#model.lines.map((_line, place) =>
      place === 0
        ? {
            stroke: () => this.#colour("--chart-line"),
            fill: () => (this.#model.isFilled ? this.#colour("--accent-wash") : "transparent"),
            // What is below zero is filled towards zero.
            fillTo: () => 0,
            width: 1.5,
            spanGaps: false,
            points: { show: false },
          }
        : { stroke: () => this.#colour("--line-strong"), width: 1, spanGaps: false, points: { show: false } },
    );
  }

  #ticks(): readonly PlotTick[] {
    const { view, ticks } = this.#model;
    const width = this.#element.clientWidth;
    const found = ticks(view, Math.max(2, Math.floor(width / tickRoom)));
    // A label at the right edge would be cut off.
    const last = view.to - ((view.to - view.from) * 16) / Math.max(1, width);
    return found.filter(({ at }) => at <= last);
  }

  /** Each line has points of its own, so the nearest row of the joined table may hold nothing of it. */
  #nearest(plot: uPlot, series: number, closest: number, seconds: number): number {
    const values = plot.data[series];
    const times = plot.data[0];
    if (series === 0 || !values || values[closest] != null) return closest;
    let [before, after] = [closest, closest];
    while (before >= 0 && values[before] == null) before -= 1;
    while (after < values.length && values[after] == null) after += 1;
    const apart = (row: number) => Math.abs((times[row] ?? Number.POSITIVE_INFINITY) - seconds);
    const best = apart(before) <= apart(after) ? before : after;
    return apart(best) <= this.#model.reach ? best : closest;
  }

  #highlightBar(plot: uPlot, seconds: number | null): void {
    const bar = seconds === null ? undefined : this.#model.bars.find(({ from, to }) => from <= seconds && seconds < to);
    this.#highlight.hidden = bar === undefined;
    if (!bar) return;
    const left = Math.max(0, plot.valToPos(bar.from, "x"));
    this.#highlight.style.left = `${String(left)}px`;
    this.#highlight.style.width = `${String(Math.min(plot.over.clientWidth, plot.valToPos(bar.to, "x")) - left)}px`;
  }

  #clipped(plot: uPlot, draw: (ctx: CanvasRenderingContext2D) => void): void {
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    draw(ctx);
    ctx.restore();
  }

  #drawBand(plot: uPlot): void {
    const { band } = this.#model;
    if (!band || band.times.length < 2) return;
    this.#clipped(plot, (ctx) => {
      ctx.beginPath();
      for (const [row, time] of band.times.entries()) {
        ctx.lineTo(plot.valToPos(time, "x", true), plot.valToPos(band.high[row] ?? 0, "y", true));
      }
      for (const [back, time] of band.times.toReversed().entries()) {
        ctx.lineTo(plot.valToPos(time, "x", true), plot.valToPos(band.low[band.times.length - 1 - back] ?? 0, "y", true));
      }
      ctx.closePath();
      ctx.globalAlpha = 0.55;
      ctx.fillStyle = this.#colour("--chart-hatch");
      ctx.fill();
    });
  }

  #drawGaps(plot: uPlot): void {
    const { gaps, gapLabel, view, bars } = this.#model;
    const { top, height } = plot.bbox;
    this.#clipped(plot, (ctx) => {
      const unknown = bars.flatMap((bar) => (bar.value === null && bar.state !== "ahead" ? [bar] : []));
      for (const gap of [...gaps, ...merged(unknown)]) {
        if (gap.to <= view.from || gap.from >= view.to) continue;
        const left = Math.max(plot.bbox.left, plot.valToPos(gap.from, "x", true));
        const right = Math.min(plot.bbox.left + plot.bbox.width, plot.valToPos(gap.to, "x", true));
        this.#hatch(ctx, { left, top, width: right - left, height });
        this.#labelGap(ctx, gapLabel, (left + right) / 2, top + height / 2, right - left);
      }
    });
  }

  #hatch(ctx: CanvasRenderingContext2D, { left, top, width, height }: Box): void {
    const ratio = uPlot.pxRatio;
    ctx.save();
    ctx.beginPath();
    ctx.rect(left, top, width, height);
    ctx.clip();
    ctx.strokeStyle = this.#colour("--chart-hatch");
    ctx.lineWidth = ratio;
    ctx.beginPath();
    const step = 6 * ratio;
    // The hatching hangs on the canvas, not on the gap, so that it stands still while a gap grows.
    for (let x = Math.floor((left - height) / step) * step; x < left + width; x += step) {
      ctx.moveTo(x, top + height);
      ctx.lineTo(x + height, top);
    }
    ctx.stroke();
    ctx.restore();
  }

  #labelGap(ctx: CanvasRenderingContext2D, label: string, middle: number, base: number, width: number): void {
    const ratio = uPlot.pxRatio;
    ctx.font = this.#font(11 * ratio);
    const text = ctx.measureText(label).width;
    if (text + 16 * ratio >= width) return;
    ctx.clearRect(middle - text / 2 - 5 * ratio, base - 10 * ratio, text + 10 * ratio, 20 * ratio);
    ctx.fillStyle = this.#colour("--ink-soft");
    ctx.textAlign = "center";
    ctx.textBaseline = "middle";
    ctx.fillText(label, middle, base);
  }

  #drawBars(plot: uPlot): void {
    const { bars, view } = this.#model;
    if (bars.length === 0) return;
    const ratio = uPlot.pxRatio;
    const zero = plot.valToPos(0, "y", true);
    const [solid, wash, outline] = [this.#colour("--chart-line"), this.#colour("--accent-wash"), this.#colour("--line-strong")];
    const compares = bars.some(({ other }) => other !== null);
    this.#clipped(plot, (ctx) => {
      for (const { from, to, value, other, state } of bars) {
        if (to <= view.from || from >= view.to) continue;
        const left = plot.valToPos(from, "x", true);
        const slot = plot.valToPos(to, "x", true) - left;
        const width = Math.max(ratio, slot - Math.min(Math.max(ratio, slot * 0.24), 16 * ratio));
        const box = (height: number, share: number): Box => {
          const y = Math.min(zero - Math.sign(height) * ratio, plot.valToPos(height, "y", true));
          return { left: Math.round(left + (slot - width * share) / 2), top: y, width: Math.round(width * share), height: zero - y };
        };
        if (other !== null && other !== 0) {
          ctx.strokeStyle = outline;
          ctx.lineWidth = ratio;
          ctx.stroke(rounded(box(other, 1), 2 * ratio));
        }
        if (value === null || value === 0) continue;
        const bar = box(value, compares ? 0.64 : 1);
        const path = rounded(bar, 2 * ratio);
        if (state === "partial") {
          ctx.fillStyle = wash;
          ctx.fill(path);
          ctx.save();
          ctx.clip(path);
          this.#hatch(ctx, bar);
          ctx.restore();
          ctx.strokeStyle = solid;
          ctx.lineWidth = ratio;
          ctx.stroke(path);
        } else {
          ctx.fillStyle = solid;
          ctx.globalAlpha = state === "growing" ? 0.62 : 1;
          ctx.fill(path);
          ctx.globalAlpha = 1;
        }
      }
      ctx.fillStyle = outline;
      ctx.fillRect(plot.bbox.left, Math.round(zero) - ratio / 2, plot.bbox.width, ratio);
    });
  }

  #drawLimit(plot: uPlot): void {
    const { limit, top, low } = this.#model;
    if (limit === null || limit.value > top || limit.value < low) return;
    const { ctx, bbox } = plot;
    const ratio = uPlot.pxRatio;
    const y = Math.round(plot.valToPos(limit.value, "y", true)) + 0.5;
    ctx.save();
    ctx.strokeStyle = this.#colour("--line-strong");
    ctx.lineWidth = ratio;
    ctx.setLineDash([4 * ratio, 4 * ratio]);
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
    ctx.fillStyle = this.#colour("--ink-soft");
    ctx.font = this.#font(11 * ratio);
    ctx.textAlign = "right";
    ctx.textBaseline = "bottom";
    ctx.fillText(limit.label, bbox.left + bbox.width, y - 3 * ratio);
    ctx.restore();
  }
}

/** How much larger than on a desk letters are: on a wall screen a chart's grow with the page's. */
export function chartScale(): number {
  return Number.parseFloat(getComputedStyle(document.documentElement).fontSize) / 15;
}

/** Device pixels. */
interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

/** A bar with its upper corners rounded. */
function rounded({ left, top, width, height }: Box, radius: number): Path2D {
  const path = new Path2D();
  const corner = Math.min(radius, width / 2, Math.abs(height));
  path.roundRect(left, top, width, height, [corner, corner, 0, 0]);
  return path;
}

function columnsOf({ lines, bars }: PlotModel): uPlot.AlignedData {
  if (bars.length > 0) {
    return [bars.map(({ from }) => from), bars.map(({ value }) => value)];
  }
  const [first = { times: [], values: [] }, ...others] = lines;
  return others.length === 0 ? table(first) : uPlot.join([first, ...others].map(table));
}

function table({ times, values }: PlotLine): uPlot.AlignedData {
  return [times as number[], values as (number | null)[]];
}

/** Stretches that touch, as one. */
function merged(stretches: readonly { from: number; to: number }[]): { from: number; to: number }[] {
  const found: { from: number; to: number }[] = [];
  for (const { from, to } of stretches) {
    const last = found.at(-1);
    if (last?.to === from) last.to = to;
    else found.push({ from, to });
  }
  return found;
}
