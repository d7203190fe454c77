import { expect, test } from "vitest";
import { channelsOf, contrast } from "./contrast.ts";

test("a colour is read as browsers write it, and nothing else is", () => {
  expect(channelsOf("rgb(20, 32, 28)")).toEqual([20, 32, 28]);
  expect(channelsOf("rgba(20, 32, 28, 0.5)")).toBeNull();
  expect(channelsOf("")).toBeNull();
});

test.each([
  ["black on white", [0, 0, 0], [255, 255, 255], 21],
  ["white on black", [255, 255, 255], [0, 0, 0], 21],
  ["a colour on itself", [11, 107, 92], [11, 107, 92], 1],
  // The lightest grey that is AA on white, and the first one that is not.
  ["#767676 on white", [118, 118, 118], [255, 255, 255], 4.54],
  ["#777777 on white", [119, 119, 119], [255, 255, 255], 4.48],
] as const)("%s has the contrast that WCAG gives it", (_claim, one, other, expected) => {
  expect(contrast(one, other)).toBeCloseTo(expected, 2);
});
