// What happened, on a rail along a chart's axis of time: moments and stretches, each told on hover and focus. It knows nothing of meters.

import { useMemo, useState } from "react";
import type { View } from "./chart-view.ts";
import styles from "./chart-marks.module.css";

export interface ChartMark {
  id: string;
  /** UNIX seconds; a moment where both are the same. */
  from: number;
  to: number;
  /** `moment` is drawn as a tick, `break` as a stretch where something is missing, `loss` as one that will never be known. */
  kind: "moment" | "break" | "loss";
  /** What it is and when, in a sentence. */
  label: string;
}

interface ChartMarksProps {
  marks: readonly ChartMark[];
  view: View;
  /** Of the plotted area, CSS pixels. */
  width: number;
}

/** No target is narrower, so marks that are closer become one. */
const target = 24;

export function ChartMarks({ marks, view, width }: ChartMarksProps) {
  // The label of a mark may lie over what one wants to read: Escape takes it away.
  const [dismissed, setDismissed] = useState<string | null>(null);
  const places = useMemo(() => gathered(marks, view, width), [marks, view, width]);
  return (
    <ol className={styles["rail"]} data-testid="marks" data-empty={places.length === 0 || undefined}>
      {places.map(({ left, span, marks: here }) => {
        const [first] = here;
        if (!first) return null;
        const share = left / Math.max(1, width);
        return (
          <li key={first.id} className={styles["place"]} style={{ left: `${String(left)}px`, width: `${String(span)}px` }}>
            <button
              type="button"
              className={styles["mark"]}
              data-kind={first.kind}
              data-dismissed={dismissed === first.id || undefined}
              onKeyDown={(event) => {
                if (event.key === "Escape") setDismissed(first.id);
              }}
              onPointerEnter={() => {
                setDismissed(null);
              }}
              onBlur={() => {
                setDismissed(null);
              }}
            >
              <span
                className={styles["shape"]}
                aria-hidden="true"
                style={first.kind === "moment" ? undefined : { width: `${String(Math.max(4, extent(here, view, width)))}px` }}
              />
              <span className={styles["label"]} data-side={share < 0.33 ? "start" : share > 0.66 ? "end" : "middle"}>
                {here.slice(0, shownAtOnce).map((mark) => (
                  <span key={mark.id}>{mark.label}</span>
                ))}
                {here.length > shownAtOnce ? <span>{`+ ${String(here.length - shownAtOnce)}`}</span> : null}
              </span>
            </button>
          </li>
        );
      })}
    </ol>
  );
}

const shownAtOnce = 6;

interface Place {
  left: number;
  span: number;
  marks: ChartMark[];
}

/** The marks within the view by their places on the rail, those too close to be told apart in one. */
function gathered(marks: readonly ChartMark[], view: View, width: number): Place[] {
  if (width <= 0) return [];
  const scale = width / (view.to - view.from);
  const places: Place[] = [];
  const within = marks.filter(({ from, to }) => to >= view.from && from <= view.to).toSorted((one, other) => one.from - other.from);
  for (const mark of within) {
    const start = Math.max(0, (mark.from - view.from) * scale);
    const end = Math.min(width, (mark.to - view.from) * scale);
    const span = Math.max(target, end - start);
    const left = Math.min(width - span, mark.kind === "moment" || end - start < target ? (start + end - span) / 2 : start);
    const last = places.at(-1);
    if (last && left < last.left + last.span) {
      last.span = Math.max(last.span, left + span - last.left);
      last.marks.push(mark);
    } else {
      places.push({ left, span, marks: [mark] });
    }
  }
  return places;
}

/** How wide the stretches of one place are together. */
function extent(marks: readonly ChartMark[], view: View, width: number): number {
  const scale = width / (view.to - view.from);
  const from = Math.max(view.from, Math.min(...marks.map((mark) => mark.from)));
  const to = Math.min(view.to, Math.max(...marks.map((mark) => mark.to)));
  return (to - from) * scale;
}
