import { expect, test } from "vitest";
import { csv, localStamp } from "./csv.ts";

test("cells with what may part cells or rows are quoted", () => {
  expect(csv([["a,b", 'c"d', "e\nf", "g;h", "i\tj", "k"]])).toBe('"a,b","c""d","e\nf","g;h","i\tj",k\r\n');
});

test("numbers are written as they are, and what is not known is empty", () => {
  expect(csv([[1.5, -2, null]])).toBe("1.5,-2,\r\n");
});

test.each(["=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n", "\u0000"])("a text that a spreadsheet would run (%j) is defused", (begin) => {
  expect(csv([[`${begin}cmd`]])).toMatch(/^"?'/);
});

test.each([
  ["a;=cmd|'/C calc'!A0", "a;'=cmd|'/C calc'!A0"],
  ["a; \t+1", "a; \t'+1"],
  ["a\r\n@b", "a\r\n'@b"],
  ['a;"-1', "a;'\"-1"],
  ["a;;＝b", "a;;'＝b"],
  [" =a", "' =a"],
  ["\u00a0=a", "'\u00a0=a"],
  ['"=a', "'\"=a"],
  ["a;b=1; c-d", "a;b=1; c-d"],
  ["a=1", "a=1"],
])("a spreadsheet that parts cells elsewhere runs nothing either: %j", (said, defused) => {
  const quoted = /[",;\t\r\n]/.test(defused) ? `"${defused.replaceAll('"', '""')}"` : defused;
  expect(csv([[said]])).toBe(`${quoted}\r\n`);
});

test.each([
  ["the first of a repeated hour", "2026-10-25T00:00:00Z", "Europe/Berlin", "2026-10-25T02:00:00+02:00"],
  ["the second of it", "2026-10-25T01:00:00Z", "Europe/Berlin", "2026-10-25T02:00:00+01:00"],
  ["a zone behind UTC by half an hour more", "2026-01-01T00:00:10Z", "America/St_Johns", "2025-12-31T20:30:10-03:30"],
  ["UTC itself", "2026-01-01T00:00:00.500Z", "UTC", "2026-01-01T00:00:00.500+00:00"],
])("a local time in a file says its date and offset: %s", (_claim, iso, zone, stamp) => {
  expect(localStamp(Date.parse(iso) / 1000, zone)).toBe(stamp);
});
