import { createElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { afterEach, expect, test, vi } from "vitest";
import { TimeChart, type TimeChartProps } from "./time-chart.tsx";

const props: TimeChartProps = {
  label: "",
  curve: { times: [], values: [], gaps: [] },
  from: 0,
  to: 86_400,
  zone: "UTC",
  top: 10,
  limit: null,
  limitLabel: "",
  gapLabel: "",
  formatTime: String,
  formatValue: String,
  syncName: null,
  onCursor: () => {},
};

afterEach(() => {
  vi.unstubAllGlobals();
});

/** The width of the axis of values where the page's letters have so many pixels. */
function axisAt(letters: number, left: Pick<TimeChartProps, "left">): string | undefined {
  vi.stubGlobal("document", { documentElement: null });
  vi.stubGlobal("getComputedStyle", () => ({ fontSize: `${String(letters)}px` }));
  return /--plot-left:(\d+px)/.exec(renderToStaticMarkup(createElement(TimeChart, { ...props, ...left })))?.[1];
}

test("the axis of values grows with the letters of a wall screen, whoever says its width", () => {
  expect([axisAt(15, {}), axisAt(30, {})]).toEqual(["58px", "116px"]);
  expect([axisAt(15, { left: 68 }), axisAt(30, { left: 68 })]).toEqual(["68px", "136px"]);
});
