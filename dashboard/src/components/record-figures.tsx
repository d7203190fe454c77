// The figures of a record, large, as its signed bytes say them.

import type { ReactNode } from "react";
import { FigureText } from "../ui/figure.tsx";
import type { Figure } from "../util/format.ts";
import styles from "./record-figures.module.css";

export interface RecordFigure {
  readonly id: string;
  readonly label: string;
  readonly value: Figure | string;
}

export function RecordFigures({ figures, note }: { figures: readonly RecordFigure[]; note?: ReactNode }) {
  return (
    <div>
      <dl className={styles["figures"]} data-testid="record-figures">
        {figures.map(({ id, label, value }) => (
          <div key={id}>
            <dt>{label}</dt>
            <dd>{typeof value === "string" ? value : <FigureText figure={value} />}</dd>
          </div>
        ))}
      </dl>
      {note ? <p className={styles["note"]}>{note}</p> : null}
    </div>
  );
}
