import { expect, test } from "vitest";
import { auditExport } from "../api/administration.ts";
import { installation } from "../api/installation.fixture.ts";
import { filterOf, pageOf, type AuditAddress } from "./audit-filter.ts";
import { actionText, detailText, named } from "./audit-words.ts";

const nothing: AuditAddress = { actor: null, action: null, subject: null, from: null, to: null, before: null };

test("days of the filter are the viewer's, the last one whole", () => {
  const { start, end } = filterOf({ ...nothing, from: "2026-10-25", to: "2026-10-25" }, "Europe/Berlin");
  expect(start).toBe(Date.UTC(2026, 9, 24, 22));
  // The clocks are put back: the day has 25 hours.
  expect(end).toBe(Date.UTC(2026, 9, 25, 23) - 1);
});

test("what an address says in no form of ours is left out", () => {
  expect(filterOf({ ...nothing, actor: "", from: "yesterday", to: "0001-01-01" }, "UTC")).toEqual({
    actor: null,
    action: null,
    subject: null,
    start: null,
    end: null,
  });
  expect(pageOf("12")).toBe(12);
  expect(pageOf("-1")).toBeNull();
});

test("the export has the filter of the page", () => {
  const filter = filterOf({ ...nothing, actor: "a&b", action: "key", from: "2026-11-22" }, "UTC");
  expect(auditExport(filter)).toBe("/api/v1/audit.csv?actor=a%26b&action=key&start_time=2026-11-22T00%3A00%3A00.000Z");
});

test("an action that is not known stays as it is", () => {
  expect(actionText("key.create")).toBe("made a key");
  expect(actionText("moon.landing")).toBe("moon.landing");
});

test("a meter is named, and one that is not known shows its fingerprint", () => {
  const id = "ab".repeat(32);
  const known = [{ ...installation, id: 7, name: "Barn", meter_id: id }];
  expect(named(`meter ${id}`, known)).toEqual({ text: "Barn", href: "/installations/7" });
  expect(named("installation 7", known)).toEqual({ text: "Barn", href: "/installations/7" });
  expect(named(`meter ${"cd".repeat(32)}`, known)).toEqual({ text: "Meter cdcd\u00a0cdcd\u00a0cdcd\u00a0cdcd", href: null });
  expect(named("control room", known)).toEqual({ text: "control room", href: null });
});

test("a digest beside a change is shown short, and words of people as they are", () => {
  expect(detailText(`enrolment ${"ab".repeat(32)}`)).toBe("Enrolment abab\u00a0abab\u00a0abab\u00a0abab");
  expect(detailText("role viewer")).toBe("role Viewer");
  expect(detailText("lost: with the barn")).toBe("lost: with the barn");
});

test("roots, releases and rollouts are named, and lead to their pages", () => {
  const digest = "ab".repeat(32);
  expect(named("root 2", [])).toEqual({ text: "Root 2", href: "/firmware" });
  expect(named(`release ${digest}`, [])).toEqual({ text: "Release abab\u00a0abab\u00a0abab\u00a0abab", href: `/firmware/releases/${digest}` });
  expect(named("rollout 7", [])).toEqual({ text: "Rollout 7", href: "/firmware/rollouts/7" });
});
