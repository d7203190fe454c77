import { environmentManager, QueryClient, QueryObserver } from "@tanstack/react-query";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { installation } from "./installation.fixture.ts";
import { queries } from "./queries.ts";
import { gatewayTime } from "../util/gateway-clock.ts";
import type { Installation } from "./types.ts";

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

/** Watches the list of the meters and what hangs on it for three minutes of answers; what was asked for, in order. */
async function askedWhile(lists: readonly (readonly Installation[])[]): Promise<string[]> {
  const asked: string[] = [];
  let answers = 0;
  vi.stubGlobal("fetch", (url: string) => {
    asked.push(url);
    return Promise.resolve(Response.json(url === "/api/v1/installations/" ? lists[Math.min(answers++, lists.length - 1)] : []));
  });
  const client = new QueryClient({ defaultOptions: { queries: { staleTime: Number.POSITIVE_INFINITY } } });
  const leave = [
    new QueryObserver(client, queries.installations()).subscribe(nothing),
    new QueryObserver(client, queries.status()).subscribe(nothing),
    new QueryObserver(client, queries.alerts()).subscribe(nothing),
  ];
  await vi.advanceTimersByTimeAsync(120_000);
  for (const end of leave) end();
  return asked;
}

const [list, ...rest] = ["/api/v1/installations/", "/api/v1/status/", "/api/v1/alerts"];

test("the list of the meters is asked for again although nothing arrives, and nothing else while they are as they were", async () => {
  expect(await askedWhile([[installation]])).toEqual([list, ...rest, list, list]);
});

test("since when, and what is to be done, is asked for when a meter has fallen silent", async () => {
  expect(await askedWhile([[installation], [{ ...installation, liveness: "silent" }]])).toEqual([list, ...rest, list, ...rest, list]);
});

test("how the gateway and the meter that is looked at are is asked for again every five minutes", async () => {
  const asked: string[] = [];
  vi.stubGlobal("fetch", (url: string) => {
    asked.push(url);
    return Promise.resolve(Response.json({}));
  });
  const client = new QueryClient({ defaultOptions: { queries: { staleTime: Number.POSITIVE_INFINITY } } });
  const leave = [
    new QueryObserver(client, queries.status()).subscribe(nothing),
    new QueryObserver(client, queries.watchedInstallation(1)).subscribe(nothing),
  ];
  await vi.advanceTimersByTimeAsync(301_000);
  for (const end of leave) end();
  const both = ["/api/v1/installations/1", "/api/v1/status/"];
  expect(asked.toSorted()).toEqual([...both, ...both].toSorted());
});

test("every answer tells the page what time it is", async () => {
  const before = gatewayTime();
  const date = new Date(before + 3_600_000).toUTCString();
  vi.stubGlobal("fetch", () => Promise.resolve(Response.json([], { headers: { date } })));
  await new QueryClient().fetchQuery(queries.alerts());
  expect(gatewayTime() - before).toBeGreaterThan(3_590_000);
});
