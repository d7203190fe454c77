// The time, for what is drawn from it. One timer for each period, however many components ask.

import { useSyncExternalStore } from "react";
import { gatewayTime } from "../util/gateway-clock.ts";

interface Ticker {
  watch(watcher: () => void): () => void;
  now(): number;
}

const tickers = new Map<number, Ticker>();

/** Milliseconds since 1970 on the gateway's clock, stepping every `periodMs`: components that ask for minutes are not drawn every second. */
export function useNow(periodMs: number): number {
  let ticker = tickers.get(periodMs);
  if (!ticker) {
    ticker = tickerOf(periodMs);
    tickers.set(periodMs, ticker);
  }
  return useSyncExternalStore(ticker.watch, ticker.now);
}

function tickerOf(periodMs: number): Ticker {
  const watchers = new Set<() => void>();
  let timer: ReturnType<typeof setInterval> | undefined;
  return {
    watch(watcher) {
      watchers.add(watcher);
      timer ??= setInterval(() => {
        for (const each of watchers) each();
      }, Math.min(periodMs, 1000));
      return () => {
        watchers.delete(watcher);
        if (watchers.size > 0) return;
        clearInterval(timer);
        timer = undefined;
      };
    },
    now: () => Math.floor(gatewayTime() / periodMs) * periodMs,
  };
}
