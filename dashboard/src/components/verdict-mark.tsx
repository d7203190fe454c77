// The mark of a verdict or of one check: each outcome has a shape of its own.

import type { Verdict } from "../util/verify-checks.ts";
import styles from "./verdict-mark.module.css";

type VerdictTone = "holds" | "fails" | "unknown" | "pending";

/** A verdict's outcome in one mark. */
export const tones: Readonly<Record<Verdict["overall"], VerdictTone>> = { proven: "holds", unproven: "unknown", false: "fails" };

const shapes: Readonly<Record<VerdictTone, string>> = {
  holds: "M7.6 12.4l3.1 3.1 5.9-6.5",
  fails: "M8.4 8.4l7.2 7.2M15.6 8.4l-7.2 7.2",
  unknown: "M8 12h8",
  pending: "",
};

/** Hidden from screen readers: the words beside it say it. */
export function VerdictMark({ tone, size }: { tone: VerdictTone; size: number }) {
  return (
    <svg aria-hidden="true" className={styles["mark"]} data-tone={tone} width={size} height={size} viewBox="0 0 24 24">
      <circle cx="12" cy="12" r="10" className={styles["ring"]} />
      <path d={shapes[tone]} className={styles["sign"]} />
    </svg>
  );
}
