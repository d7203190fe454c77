import { createElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { expect, test } from "vitest";
import { check, type Verdict } from "../util/verify-checks.ts";
import { VerdictPanel } from "./verdict-panel.tsx";

const verdict: Verdict = { overall: "proven", checks: [check("key", "holds", { found: "0123456789abcdef".repeat(4) })], engine: "webcrypto" };

test("proven in a list says by which key", () => {
  const panel = renderToStaticMarkup(createElement(VerdictPanel, { verdict, hasFailed: false, onRetry: () => undefined, isSmall: true }));
  expect(panel).toContain("0123\u00a04567\u00a089ab\u00a0cdef");
});
