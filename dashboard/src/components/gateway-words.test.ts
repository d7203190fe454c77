import { createElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { expect, test } from "vitest";
import { ApiError } from "../api/client.ts";
import { AlertText } from "./alert-list.tsx";
import { ApiProblem, problemWords } from "./api-problem.tsx";
import { AuditTable } from "./audit-table.tsx";

const alert = { installation_id: 1, name: "Roof", kind: "plausibility", since: "2026-01-03T00:00:00", count: 2 } as const;

function problem(status: number, words: { title?: string; detail?: string }): string {
  return renderToStaticMarkup(createElement(ApiProblem, { error: new ApiError(status, words), onRetry: () => undefined }));
}

test("a problem in the gateway's words is English", () => {
  const shown = problem(409, { title: "Conflict", detail: "It is taken." });
  expect(shown).toContain('<span lang="en">Conflict</span>');
  expect(shown).toContain('<span lang="en">It is taken.</span>');
});

test("a problem without an answer is said in the page's words", () => {
  expect(problem(0, {})).not.toContain("lang=");
  expect(problemWords(new ApiError(0, {})).title).toBe("The gateway does not answer");
});

test("a finding that this page has no words for is English, and only it", () => {
  expect(renderToStaticMarkup(createElement(AlertText, { alert: { ...alert, detail: "moon-shine" } }))).toBe(
    ' · <span lang="en">moon-shine</span> (2 records)',
  );
});

test("a finding that this page has words for is said in them", () => {
  expect(renderToStaticMarkup(createElement(AlertText, { alert: { ...alert, detail: "future-time" } }))).toBe(" · Time in the future (2 records)");
});

test("of a change, what has no words here is English", () => {
  const entry = { id: 1, time: "2026-01-03T00:00:00", actor: "gateway", subject: "gateway" };
  const shown = (action: string, detail: string) =>
    renderToStaticMarkup(createElement(AuditTable, { entries: [{ ...entry, action, detail }], installations: [], zone: "UTC" }));
  expect(shown("moon.shine", "by moonlight").match(/lang="en"/g)).toHaveLength(2);
  expect(shown("key.create", "role viewer")).not.toContain("lang=");
});
