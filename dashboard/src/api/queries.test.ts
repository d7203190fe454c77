import { environmentManager, QueryClient, QueryObserver } from "@tanstack/react-query";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { queries } from "./queries.ts";

const isServer = environmentManager.isServer();

beforeEach(() => {
  vi.useFakeTimers();
  environmentManager.setIsServer(() => false);
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  environmentManager.setIsServer(() => isServer);
});

const nothing = () => undefined;

test("how the meters are is asked for again although nothing arrives", async () => {
  const asked: string[] = [];
  vi.stubGlobal("fetch", (url: string) => {
    asked.push(url);
    return Promise.resolve(Response.json([]));
  });
  const client = new QueryClient({ defaultOptions: { queries: { staleTime: Number.POSITIVE_INFINITY } } });
  const leave = [
    new QueryObserver(client, queries.installations()).subscribe(nothing),
    new QueryObserver(client, queries.status()).subscribe(nothing),
  ];

  await vi.advanceTimersByTimeAsync(120_000);

  const once = ["/api/v1/installations/", "/api/v1/status/"];
  expect(asked).toEqual([...once, ...once, ...once]);
  for (const end of leave) end();
});
