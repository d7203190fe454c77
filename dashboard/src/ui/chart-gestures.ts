// Mouse, wheel and fingers over a chart, as views of time: dragging marks out a stretch, shift and drag or two fingers move, the wheel with ctrl and
// pinching zoom, a double click resets. It draws no more than the stretch being marked out.

import { panned, pinched, zoomed, type View } from "./chart-view.ts";

interface Gestures {
  view: () => View;
  bounds: () => View;
  /** The shortest view, seconds. */
  shortest: () => number;
  /** `settled`: the gesture is over, and the view is to be kept. */
  onView: (view: View, settled: boolean) => void;
  /** A click or tap that was no drag. */
  onPick: (seconds: number) => void;
  /** A finger that moves along the chart reads its values. */
  onTouch: (seconds: number) => void;
}

/** A movement shorter than this many pixels is a click. */
const clickReach = 5;

/** The wheel has no end of its own: the view is kept once it has been still for so long. */
const wheelRest = 250;

/** Watches `area`; the answer stops it. */
export function watchGestures(area: HTMLElement, gestures: Gestures): () => void {
  const { view, bounds, shortest, onView } = gestures;
  const selection = document.createElement("div");
  selection.dataset["selection"] = "";
  selection.hidden = true;
  area.append(selection);

  const shareAt = (clientX: number) => {
    const { left, width } = area.getBoundingClientRect();
    return Math.min(1, Math.max(0, (clientX - left) / Math.max(1, width)));
  };
  const timeAt = (clientX: number, of: View) => of.from + shareAt(clientX) * (of.to - of.from);

  const fingers = new Map<number, { startX: number; x: number; time: number }>();
  let mouse: { startX: number; from: View; moves: boolean } | null = null;
  let pinchedTo: View | null = null;
  let wasPinched = false;
  let resting: ReturnType<typeof setTimeout> | undefined;

  const down = (event: PointerEvent) => {
    if (event.pointerType === "mouse") {
      if (event.button !== 0) return;
      mouse = { startX: event.clientX, from: view(), moves: event.shiftKey };
      area.setPointerCapture(event.pointerId);
      return;
    }
    fingers.set(event.pointerId, { startX: event.clientX, x: event.clientX, time: timeAt(event.clientX, view()) });
    if (fingers.size === 1) wasPinched = false;
  };

  const move = (event: PointerEvent) => {
    const finger = fingers.get(event.pointerId);
    if (finger) {
      finger.x = event.clientX;
      touchMove();
      return;
    }
    if (!mouse || Math.abs(event.clientX - mouse.startX) < clickReach) return;
    if (mouse.moves) {
      onView(draggedTo(event.clientX, mouse), false);
      return;
    }
    const [left, right] = [shareAt(mouse.startX), shareAt(event.clientX)].toSorted((one, other) => one - other);
    selection.hidden = false;
    selection.style.left = `${String((left ?? 0) * 100)}%`;
    selection.style.width = `${String(((right ?? 0) - (left ?? 0)) * 100)}%`;
  };

  const touchMove = () => {
    const [one, other] = [...fingers.values()];
    if (!one) return;
    if (!other) {
      if (!wasPinched) gestures.onTouch(timeAt(one.x, view()));
      return;
    }
    wasPinched = true;
    const next = pinched({ time: one.time, share: shareAt(one.x) }, { time: other.time, share: shareAt(other.x) }, bounds(), shortest());
    if (!next) return;
    pinchedTo = next;
    onView(next, false);
  };

  const draggedTo = (clientX: number, { startX, from }: { startX: number; from: View }) => {
    const width = Math.max(1, area.clientWidth);
    return panned(from, ((startX - clientX) / width) * (from.to - from.from), bounds());
  };

  const up = (event: PointerEvent) => {
    const finger = fingers.get(event.pointerId);
    if (finger) {
      fingers.delete(event.pointerId);
      if (pinchedTo && fingers.size < 2) {
        onView(pinchedTo, true);
        pinchedTo = null;
      } else if (!wasPinched && event.type === "pointerup" && Math.abs(event.clientX - finger.startX) < clickReach) {
        gestures.onPick(timeAt(event.clientX, view()));
      }
      return;
    }
    const drag = mouse;
    mouse = null;
    selection.hidden = true;
    if (!drag || event.type !== "pointerup") return;
    if (Math.abs(event.clientX - drag.startX) < clickReach) {
      gestures.onPick(timeAt(event.clientX, view()));
    } else if (drag.moves) {
      onView(draggedTo(event.clientX, drag), true);
    } else {
      const [from, to] = [timeAt(drag.startX, drag.from), timeAt(event.clientX, drag.from)].toSorted((one, other) => one - other);
      const middle = ((from ?? 0) + (to ?? 0)) / 2;
      onView(zoomed({ from: from ?? 0, to: to ?? 0 }, 1, middle, bounds(), shortest()), true);
    }
  };

  const wheel = (event: WheelEvent) => {
    // Without ctrl the wheel scrolls the page, as it should; a pinch on a touchpad arrives as a wheel with ctrl.
    if (!event.ctrlKey) return;
    event.preventDefault();
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
    const now = view();
    onView(zoomed(now, Math.exp((event.deltaY * lines) / 300), timeAt(event.clientX, now), bounds(), shortest()), false);
    clearTimeout(resting);
    resting = setTimeout(() => {
      onView(view(), true);
    }, wheelRest);
  };

  const reset = () => {
    onView(bounds(), true);
  };

  area.addEventListener("pointerdown", down);
  area.addEventListener("pointermove", move);
  area.addEventListener("pointerup", up);
  area.addEventListener("pointercancel", up);
  area.addEventListener("dblclick", reset);
  area.addEventListener("wheel", wheel, { passive: false });
  return () => {
    clearTimeout(resting);
    area.removeEventListener("pointerdown", down);
    area.removeEventListener("pointermove", move);
    area.removeEventListener("pointerup", up);
    area.removeEventListener("pointercancel", up);
    area.removeEventListener("dblclick", reset);
    area.removeEventListener("wheel", wheel);
    selection.remove();
  };
}
