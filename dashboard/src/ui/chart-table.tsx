// What a chart shows, as a table: for those who do not see it, and for those who want the figures. Long ones begin with their first rows.

import { useState } from "react";
import buttons from "./button.module.css";
import styles from "./chart-table.module.css";

interface ChartTableProps {
  caption: string;
  columns: readonly string[];
  /** The first cell of each is its heading. */
  rows: readonly (readonly string[])[];
  /** Says that all rows are to be shown, with their count. */
  showAllLabel: string;
  emptyLabel: string;
}

const shownAtFirst = 31;

export function ChartTable({ caption, columns, rows, showAllLabel, emptyLabel }: ChartTableProps) {
  const [all, setAll] = useState(false);
  const shown = all ? rows : rows.slice(0, shownAtFirst);
  return (
    <div className={styles["holder"]}>
      <table className={styles["table"]} data-testid="chart-table">
        <caption>{caption}</caption>
        <thead>
          <tr>
            {columns.map((column, place) => (
              <th key={`${String(place)} ${column}`} scope="col">
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {shown.map(([heading, ...cells], row) => (
            // Two hours of a day may bear the same name, and two meters.
            <tr key={`${String(row)} ${heading ?? ""}`}>
              <th scope="row">{heading}</th>
              {cells.map((cell, column) => (
                <td key={`${String(column)} ${columns[column + 1] ?? ""}`}>{cell}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length === 0 ? <p className={styles["empty"]}>{emptyLabel}</p> : null}
      {rows.length > shown.length ? (
        <button
          type="button"
          className={buttons["button"]}
          onClick={() => {
            setAll(true);
          }}
        >
          {showAllLabel}
        </button>
      ) : null}
    </div>
  );
}
