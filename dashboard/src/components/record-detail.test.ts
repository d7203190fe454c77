import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { createElement, type ReactElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { installation } from "../api/installation.fixture.ts";
import { proofQueries } from "../api/proof-queries.ts";
import { queries } from "../api/queries.ts";
import { readingAt } from "../api/reading.fixture.ts";
import type { Reading } from "../api/types.ts";
import { LinkedRecord, RecordDetail } from "./record-detail.tsx";

beforeEach(() => {
  vi.stubGlobal("location", { pathname: "/" });
});

afterEach(() => {
  vi.unstubAllGlobals();
});

const served = readingAt(1_750_346_400, 5, { record: "0101" });

/** The page, and what the verdict on it is asked about. */
function shown(element: ReactElement, answer: Reading): { page: string; subject: unknown } {
  const client = new QueryClient();
  const installations = [installation, { ...installation, id: 2 }];
  client.setQueryData(queries.installations().queryKey, installations);
  client.setQueryData(proofQueries.enrolments(installation.meter_id).queryKey, []);
  client.setQueryData(queries.reading(1, 17).queryKey, answer);
  const page = renderToStaticMarkup(createElement(QueryClientProvider, { client }, element));
  const [verdict] = client.getQueryCache().findAll({ queryKey: ["verdict"] });
  return { page, subject: verdict?.queryKey[3] };
}

test("another_reading_than_the_address_names is held against the address", () => {
  const other = { ...served, id: 99, installation_id: 2 };
  const { page, subject } = shown(createElement(LinkedRecord, { recordKey: "1-17" }), other);
  expect(subject).toMatchObject({ claim: { shown: other, asked: { installation: 1, reading: 17 } } });
  expect(page).toContain("/meters/1/readings/17");
});

test.each([[undefined], [5], [""], [[]]])("an answer whose proof is none (%j) gets a verdict", (proof) => {
  const reading = { ...served, proof } as unknown as Reading;
  const { page, subject } = shown(createElement(RecordDetail, { reading }), reading);
  expect(page).toContain('data-testid="verdict"');
  expect(subject).toMatchObject({ claim: { asked: { installation: 1, reading: served.id } } });
});
