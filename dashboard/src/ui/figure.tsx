// A number with its unit, the unit smaller. It formats nothing.

import type { Figure } from "../util/format.ts";
import styles from "./figure.module.css";

const minus = "\u2212";

export function FigureText({ figure }: { figure: Figure }) {
  const isNegative = figure.value.startsWith(minus);
  return (
    <span className={styles["figure"]}>
      {isNegative ? <span className={styles["sign"]}>{minus}</span> : null}
      {isNegative ? figure.value.slice(minus.length) : figure.value}
      {figure.unit ? <span className={styles["unit"]}>{`\u00a0${figure.unit}`}</span> : null}
    </span>
  );
}
