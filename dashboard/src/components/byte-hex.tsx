// Hexadecimal digits in groups of eight that break at their ends only; copying them gives the digits without gaps.

import { groups } from "../util/format.ts";
import styles from "./byte-hex.module.css";

/** With `against`, digits that differ from those are marked. */
export function Hex({ hex, against }: { hex: string; against?: string | undefined }) {
  const held = groups(against ?? hex, 8);
  return (
    <code className={styles["digits"]}>
      {groups(hex, 8).map((group, place) => (
        <span key={`${String(place)}-${group}`} data-differs={group !== held[place] || undefined}>
          {group}
        </span>
      ))}
    </code>
  );
}
