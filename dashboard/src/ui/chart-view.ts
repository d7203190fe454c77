// The stretch of time that a chart shows, and how zooming and panning change it. It draws nothing.

/** UNIX seconds. */
export interface View {
  from: number;
  to: number;
}

/** Keeps a view within the bounds and no shorter than `shortest`, moving it before it cuts it. */
export function bounded({ from, to }: View, bounds: View, shortest: number): View {
  const whole = bounds.to - bounds.from;
  const span = Math.min(whole, Math.max(Math.min(shortest, whole), to - from));
  const middle = (from + to) / 2;
  const start = Math.min(bounds.to - span, Math.max(bounds.from, to - from === span ? from : middle - span / 2));
  return { from: start, to: start + span };
}

/** The view `factor` times as long (below 1: closer), with the moment `anchor` staying where it is. */
export function zoomed(view: View, factor: number, anchor: number, bounds: View, shortest: number): View {
  const span = Math.min(bounds.to - bounds.from, Math.max(shortest, (view.to - view.from) * factor));
  const share = (anchor - view.from) / (view.to - view.from);
  const from = anchor - share * span;
  return bounded({ from, to: from + span }, bounds, shortest);
}

/** The view moved by `seconds`, as far as the bounds let it. */
export function panned(view: View, seconds: number, bounds: View): View {
  const moved = { from: view.from + seconds, to: view.to + seconds };
  return bounded(moved, bounds, 0);
}

/** How much of the view a key moves. */
export const keyShare = 0.25;

/** The view moved to hold `moment` with a key's room beyond it, as far as the bounds let it; as it is if it holds it already. */
export function reaching(view: View, moment: number, bounds: View): View {
  const room = (view.to - view.from) * keyShare;
  if (moment < view.from) return panned(view, moment - view.from - room, bounds);
  return moment > view.to ? panned(view, moment - view.to + room, bounds) : view;
}

/** The view in which two moments lie under two fingers, given as shares of the chart's width. */
export function pinched(one: Finger, other: Finger, bounds: View, shortest: number): View | null {
  const apart = other.share - one.share;
  if (Math.abs(apart) < 0.02) return null;
  const span = (other.time - one.time) / apart;
  if (!(span > 0)) return null;
  const from = one.time - one.share * span;
  return bounded({ from, to: from + span }, bounds, shortest);
}

interface Finger {
  time: number;
  share: number;
}

export function isWhole(view: View, bounds: View): boolean {
  return view.from <= bounds.from && view.to >= bounds.to;
}
