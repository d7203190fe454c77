// A table that becomes a row of labelled lines for each entry where it has no room. It sorts and asks for nothing.

import type { ReactNode } from "react";
import styles from "./table.module.css";

export interface Column<Row> {
  id: string;
  header: string;
  renderCell: (row: Row) => ReactNode;
  /** Set flush right, as figures are compared. */
  isNumber?: boolean;
}

interface TableProps<Row> {
  label: string;
  /** The first one names the row. */
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  rowKey: (row: Row) => string | number;
  /** For tests and styles: how a row is. */
  rowState?: (row: Row) => string | undefined;
}

/** Said again, as browsers have dropped them from tables that are not laid out as one. */
const roles = {
  table: { role: "table" },
  group: { role: "rowgroup" },
  row: { role: "row" },
  columnHead: { role: "columnheader" },
  rowHead: { role: "rowheader" },
  cell: { role: "cell" },
} as const;

export function Table<Row>({ label, columns, rows, rowKey, rowState }: TableProps<Row>) {
  return (
    <table className={styles["table"]} aria-label={label} {...roles.table}>
      <thead {...roles.group}>
        <tr {...roles.row}>
          {columns.map(({ id, header, isNumber }) => (
            <th key={id} scope="col" {...roles.columnHead} data-number={isNumber || undefined}>
              {header}
            </th>
          ))}
        </tr>
      </thead>
      <tbody {...roles.group}>
        {rows.map((row) => (
          <tr key={rowKey(row)} {...roles.row} data-state={rowState?.(row)}>
            {columns.map(({ id, header, renderCell, isNumber }, place) =>
              place === 0 ? (
                <th key={id} scope="row" {...roles.rowHead}>
                  {renderCell(row)}
                </th>
              ) : (
                <td key={id} {...roles.cell} data-label={header} data-number={isNumber || undefined}>
                  {renderCell(row)}
                </td>
              ),
            )}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
