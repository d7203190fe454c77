// The drawn part of a chart on a page: holds the plot, and makes it something that pointers, fingers and keys can read, zoom and move. It knows no
// meters and says nothing of its own: every text comes in.

import { useEffect, useId, useLayoutEffect, useRef, useState, type CSSProperties, type KeyboardEvent } from "react";
import { watchGestures } from "./chart-gestures.ts";
import { ChartMarks, type ChartMark } from "./chart-marks.tsx";
import { ChartPlot, plotRight, type PlotModel } from "./chart-plot.ts";
import { isWhole, keyShare, panned, reaching, zoomed, type View } from "./chart-view.ts";
import styles from "./chart-surface.module.css";

/** What makes a chart one that can be zoomed, moved and read by keys. */
export interface ChartNavigation {
  /** All there is to show. */
  bounds: View;
  /** The shortest view, seconds. */
  shortest: number;
  onView: (view: View, settled: boolean) => void;
  /** A click, a tap or Enter on a moment. */
  onPick?: ((seconds: number) => void) | undefined;
  /** Where the cursor is, UNIX seconds, and what the chart says there, for those who hear it. */
  cursor: number | null;
  valueText: string;
  /** The moments at which keys stop, oldest first. */
  stops: readonly number[];
  /** Which keys do what, in a sentence. */
  help: string;
}

interface ChartSurfaceProps {
  label: string;
  model: PlotModel;
  /** Width of the axis of values, CSS pixels. */
  left: number;
  syncName: string | null;
  onCursor: (seconds: number | null) => void;
  navigation: ChartNavigation | null;
  marks: readonly ChartMark[] | null;
}

export function ChartSurface(props: ChartSurfaceProps) {
  const { label, model, left, navigation, marks } = props;
  const holder = useRef<HTMLDivElement>(null);
  const chart = useRef<ChartPlot | null>(null);
  const [width, setWidth] = useState(0);
  const help = useId();
  // The plot calls back long after a render: it reads the newest props from here.
  const latest = useRef(props);
  useLayoutEffect(() => {
    latest.current = props;
  });

  const isNavigable = navigation !== null;
  useEffect(() => {
    const element = holder.current;
    if (!element) return;
    const plot = new ChartPlot(element, latest.current.model, {
      left: latest.current.left,
      syncName: latest.current.syncName,
      onCursor: (seconds) => {
        latest.current.onCursor(seconds);
      },
      onResize: setWidth,
    });
    chart.current = plot;
    const stop = isNavigable ? watchGestures(plot.area, gesturesFor(latest, plot)) : () => {};
    return () => {
      stop();
      plot.destroy();
      chart.current = null;
    };
  }, [isNavigable]);

  useEffect(() => {
    chart.current?.update(model);
  }, [model]);

  const place = { "--plot-left": `${String(left)}px`, "--plot-right": `${String(plotRight)}px` } as CSSProperties;
  if (!navigation) return <div ref={holder} className={styles["chart"]} role="img" aria-label={label} style={place} />;

  const { bounds, cursor, valueText } = navigation;
  return (
    <div className={styles["frame"]} style={place}>
      <div
        ref={holder}
        className={styles["chart"]}
        data-zoomed={!isWhole(model.view, bounds) || undefined}
        data-pickable={navigation.onPick ? true : undefined}
        role="slider"
        tabIndex={0}
        aria-label={label}
        aria-describedby={help}
        aria-orientation="horizontal"
        aria-valuemin={Math.round(bounds.from)}
        aria-valuemax={Math.round(bounds.to)}
        aria-valuenow={Math.round(cursor ?? model.view.to)}
        aria-valuetext={valueText}
        onKeyDown={(event) => {
          pressed(event, model.view, navigation, (seconds) => chart.current?.setCursor(seconds));
        }}
        onBlur={() => chart.current?.setCursor(null)}
      />
      <p id={help} className="visually-hidden">
        {navigation.help}
      </p>
      {marks ? <ChartMarks marks={marks} view={model.view} width={width} /> : null}
    </div>
  );
}

function gesturesFor(latest: { readonly current: ChartSurfaceProps }, plot: ChartPlot) {
  const navigation = () => latest.current.navigation;
  const whole = () => latest.current.model.view;
  return {
    view: () => latest.current.model.view,
    bounds: () => navigation()?.bounds ?? whole(),
    shortest: () => navigation()?.shortest ?? 0,
    onView: (view: View, settled: boolean) => {
      navigation()?.onView(view, settled);
    },
    onPick: (seconds: number) => {
      navigation()?.onPick?.(seconds);
    },
    onTouch: (seconds: number) => {
      plot.setCursor(seconds);
    },
  };
}

function pressed(event: KeyboardEvent, view: View, navigation: ChartNavigation, setCursor: (seconds: number | null) => void): void {
  if (event.altKey || event.ctrlKey || event.metaKey) return;
  const { bounds, shortest, onView, onPick, cursor } = navigation;
  const middle = cursor ?? (view.from + view.to) / 2;
  const span = view.to - view.from;
  const show = (next: View) => {
    onView(next, true);
  };
  switch (event.key) {
    case "+":
    case "=":
      show(zoomed(view, 0.5, middle, bounds, shortest));
      break;
    case "-":
    case "_":
      show(zoomed(view, 2, middle, bounds, shortest));
      break;
    case "0":
      show(bounds);
      break;
    case "Escape":
      if (cursor === null) show(bounds);
      else setCursor(null);
      break;
    case "ArrowLeft":
    case "ArrowRight": {
      const way = event.key === "ArrowLeft" ? -1 : 1;
      if (event.shiftKey) show(panned(view, way * span * keyShare, bounds));
      else walk(way, view, navigation, setCursor);
      break;
    }
    case "PageUp":
    case "PageDown":
      show(panned(view, (event.key === "PageUp" ? -1 : 1) * span * keyShare, bounds));
      break;
    case "Home":
    case "End":
      pointTo(event.key === "Home" ? navigation.stops[0] : navigation.stops.at(-1), view, navigation, setCursor);
      break;
    case "Enter":
      if (cursor === null || !onPick) return;
      onPick(cursor);
      break;
    default:
      return;
  }
  event.preventDefault();
}

/** Takes the cursor to the next stop that can be told from where it is. */
function walk(way: -1 | 1, view: View, navigation: ChartNavigation, setCursor: (seconds: number | null) => void): void {
  const { stops, cursor } = navigation;
  const least = (view.to - view.from) / 150;
  const start = cursor ?? (way > 0 ? view.from - least : view.to + least);
  const next = way > 0 ? stops.find((stop) => stop > start + least) : stops.findLast((stop) => stop < start - least);
  pointTo(next, view, navigation, setCursor);
}

/** Takes the cursor to a stop; where that is out of view, the view goes with it. */
function pointTo(stop: number | undefined, view: View, { bounds, onView }: ChartNavigation, setCursor: (seconds: number | null) => void): void {
  if (stop === undefined) return;
  const next = reaching(view, stop, bounds);
  if (next === view) {
    setCursor(stop);
    return;
  }
  onView(next, true);
  // The cursor is set in pixels, which mean another moment once the view has moved.
  requestAnimationFrame(() => {
    setCursor(stop);
  });
}
