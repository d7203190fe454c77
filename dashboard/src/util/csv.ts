// A table as a file for spreadsheets (RFC 4180), with local times that say their offset. It asks nobody and says nothing in a language.

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
  // What a spreadsheet would run as a formula is a text to it once an apostrophe stands before it.
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
