// What the page of a meter shows, as its address says it: the span and its date, what is drawn, what it is compared with, the zoom, the table.

import { useMemo, useState } from "react";
import type { View } from "../ui/chart-view.ts";
import { isSpan, periodAt, periodNamed, type Period, type Span } from "../util/period.ts";
import { useUrlState } from "./url-state.ts";

export const quantities = ["power", "energy", "voltage", "reactive"] as const;
export type Quantity = (typeof quantities)[number];

/** Nothing, the period before, or another meter by its number. */
export type Comparison = null | "previous" | number;

export interface MeterView {
  span: Span;
  period: Period;
  /** The period that is going on: what the page shows unless a date is chosen, and moves on with. */
  current: Period;
  quantity: Quantity;
  compare: Comparison;
  /** UNIX seconds. */
  view: View;
  /** The view that the address holds: what a gesture passes through on its way is not asked for. */
  settledView: View;
  bounds: View;
  isTable: boolean;
  showSpan: (span: Span, at?: number) => void;
  showPeriod: (period: Period) => void;
  showQuantity: (quantity: Quantity) => void;
  showCompared: (compare: Comparison) => void;
  showTable: (isTable: boolean) => void;
  showView: (view: View, settled: boolean) => void;
}

/** Curves are drawn of hours and days; of anything longer they would be a smear. */
export function hasCurves(span: Span): boolean {
  return span === "hour" || span === "day";
}

export function useMeterView(zone: string, now: number): MeterView {
  const [url, setUrl] = useUrlState(["span", "date", "view", "compare", "zoom", "table"]);
  const span = isSpan(url.span) ? url.span : "day";
  // The time moves on every second; the period that it is in, far less often.
  const { start: currentStart } = periodAt(span, now, zone);
  const current = useMemo(() => periodAt(span, currentStart, zone), [span, currentStart, zone]);
  const period = useMemo(() => (url.date === null ? null : periodNamed(span, url.date, zone)) ?? current, [url.date, span, zone, current]);
  const bounds = useMemo(() => ({ from: period.start / 1000, to: period.end / 1000 }), [period]);
  const settledView = useMemo(() => zoomOf(url.zoom, bounds) ?? bounds, [url.zoom, bounds]);

  // A gesture that is not over shows its views without writing each of them into the address.
  const [passing, setPassing] = useState<{ bounds: View; view: View } | null>(null);
  const view = passing?.bounds === bounds ? passing.view : settledView;

  const dateOf = (chosen: Period) => (chosen.start === periodAt(chosen.span, now, zone).start ? null : chosen.date);
  return {
    span,
    period,
    current,
    quantity: quantityOf(url.view, span),
    compare: comparisonOf(url.compare),
    view,
    settledView,
    bounds,
    isTable: url.table !== null,
    showSpan: (next, at) => {
      // Of a period that is going on, the one of the other span that is going on too; of a past one, that in which it begins.
      const moment = at ?? (url.date === null ? now : period.start);
      setUrl({ span: next === "day" ? null : next, date: dateOf(periodAt(next, moment, zone)), zoom: null });
    },
    showPeriod: (next) => {
      setUrl({ date: dateOf(next), zoom: null });
    },
    showQuantity: (quantity) => {
      setUrl({ view: quantity === quantityOf(null, span) ? null : quantity });
    },
    showCompared: (compare) => {
      setUrl({ compare: compare === null ? null : String(compare) });
    },
    showTable: (isTable) => {
      setUrl({ table: isTable ? "1" : null });
    },
    showView: (next, settled) => {
      if (!settled) {
        setPassing({ bounds, view: next });
        return;
      }
      setPassing(null);
      const isAll = next.from <= bounds.from && next.to >= bounds.to;
      setUrl({ zoom: isAll ? null : `${String(Math.floor(next.from))}-${String(Math.ceil(next.to))}` });
    },
  };
}

function quantityOf(text: string | null, span: Span): Quantity {
  if (!hasCurves(span)) return "energy";
  return quantities.find((each) => each === text) ?? "power";
}

function comparisonOf(text: string | null): Comparison {
  if (text === "previous") return text;
  return text !== null && /^\d{1,9}$/.test(text) ? Number(text) : null;
}

/** A stretch of the period; null when the address names none, or one of another period. */
function zoomOf(text: string | null, bounds: View): View | null {
  const [, from, to] = /^(\d{1,12})-(\d{1,12})$/.exec(text ?? "") ?? [];
  if (from === undefined || to === undefined) return null;
  const view = { from: Math.max(bounds.from, Number(from)), to: Math.min(bounds.to, Number(to)) };
  return view.from < view.to ? view : null;
}
