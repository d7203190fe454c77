// What both kinds of chart of a meter are given, and how they name what they are compared with.

import type { Installation } from "../api/types.ts";
import type { Counterpart } from "../hooks/meter-chart.ts";
import type { MeterView } from "../hooks/meter-view.ts";
import { periodName } from "../util/format.ts";

export interface ShownProps {
  installation: Installation;
  /** Every meter, for those to compare with. */
  all: readonly Installation[];
  view: MeterView;
  zone: string;
  now: number;
  /** UNIX seconds: before it nothing is missing. */
  since: number;
  counterpart: Counterpart | null;
}

/** What the chart is compared with, in words: another meter's name, or the period before. */
export function counterpartName({ installation, counterpart }: Pick<ShownProps, "installation" | "counterpart">): string | null {
  if (!counterpart) return null;
  const { period, zone, installation: other } = counterpart;
  return other.id === installation.id ? periodName(period.span, period.start, period.end, zone) : other.name;
}
