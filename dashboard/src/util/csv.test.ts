import { expect, test } from "vitest";
import { csv } from "./csv.ts";

test("cells with commas, quotes and line ends are quoted", () => {
  expect(csv([["a,b", 'c"d', "e\nf", "g"]])).toBe('"a,b","c""d","e\nf",g\r\n');
});

test("numbers are written as they are, and what is not known is empty", () => {
  expect(csv([[1.5, -2, null]])).toBe("1.5,-2,\r\n");
});

test.each(["=1+1", "+1", "-1", "@SUM(A1)", "\tx"])("a text that a spreadsheet would run (%j) is defused", (text) => {
  expect(csv([[text]])).toBe(`'${text}\r\n`);
});
