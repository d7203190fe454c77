// A number with its unit, the unit smaller. It formats nothing.

import type { Figure } from "../util/format.ts";
import styles from "./figure.module.css";

export function FigureText({ figure }: { figure: Figure }) {
  return (
    <span className={styles["figure"]}>
      {figure.value}
      {figure.unit ? <span className={styles["unit"]}>{`\u00a0${figure.unit}`}</span> : null}
    </span>
  );
}
