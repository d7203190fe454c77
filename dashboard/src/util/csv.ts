// A table as a file for spreadsheets (RFC 4180). It asks nobody and formats nothing.

/** One line for each row, commas between the cells, quoted where they must be. */
export function csv(rows: readonly (readonly (string | number | null)[])[]): string {
  return rows.map((row) => `${row.map(cell).join(",")}\r\n`).join("");
}

function cell(value: string | number | null): string {
  if (value === null) return "";
  if (typeof value === "number") return String(value);
  // What a spreadsheet would run as a formula is a text to it once an apostrophe stands before it.
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
