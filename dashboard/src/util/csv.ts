// A table as a file for spreadsheets (RFC 4180), with local times that say their offset. What people have written is defused as in the gateway's tables: a
// spreadsheet runs a cell that begins like a formula. It asks nobody and says nothing in a language.

import { offsetOf } from "./instant.ts";

/** One line for each row, commas between the cells, quoted where they must be. */
export function csv(rows: readonly (readonly (string | number | null)[])[]): string {
  return rows.map((row) => `${row.map(cell).join(",")}\r\n`).join("");
}

/** UNIX seconds on the local clock with its offset (RFC 3339), so that an hour which the clocks repeat is there twice: 2026-10-25T02:00:00+01:00. */
export function localStamp(seconds: number, zone: string): string {
  const ms = seconds * 1000;
  const minutes = Math.round(offsetOf(ms, zone) / 60_000);
  const size = Math.abs(minutes);
  const local = new Date(ms + minutes * 60_000).toISOString().replace(/(?:\.000)?Z$/, "");
  return `${local}${minutes < 0 ? "-" : "+"}${twoDigits(Math.floor(size / 60))}:${twoDigits(size % 60)}`;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, "0");
}

function cell(value: string | number | null): string {
  if (value === null) return "";
  if (typeof value === "number") return String(value);
  const text = defused(value);
  return /[",;\t\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** A text with an apostrophe wherever a spreadsheet of any language could begin a cell that it runs: the rules are the gateway's. */
function defused(text: string): string {
  // Where cells are not parted by commas a quote inside one is a letter, so that a new line parts rows as well. Before it runs a cell a spreadsheet may
  // overlook spaces and quotes; some drop a tab or a line's end that the first begins with, and look at what comes then.
  const said = text.replaceAll(/(^|[;\t\r\n])(?=[ \u00a0"]*[=+\-@＝＋－＠])/g, "$1'");
  return /^\p{Cc}/u.test(said) ? `'${said}` : said;
}
