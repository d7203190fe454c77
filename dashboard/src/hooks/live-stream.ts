// The live stream for components: one connection for the whole page, its events carried into the query cache.

import type { QueryClient } from "@tanstack/react-query";
import { createContext, use, useSyncExternalStore } from "react";
import { receiveInstallation, receiveReading } from "../api/live-cache.ts";
import { LiveStream, type StreamState } from "../api/live-stream.ts";
import { gatewayTime } from "../util/gateway-clock.ts";

const LiveStreamContext = createContext<LiveStream | null>(null);

export const LiveStreamProvider = LiveStreamContext.Provider;

/** Makes the page's stream. It connects when the first component watches it. */
export function liveStreamInto(client: QueryClient): LiveStream {
  const stream = new LiveStream(
    "/api/v1/live",
    {
      open: (url) => new EventSource(url),
      now: gatewayTime,
      random: Math.random,
      after: (ms, task) => {
        const timer = setTimeout(task, ms);
        return () => {
          clearTimeout(timer);
        };
      },
    },
    {
      onReading: (reading) => {
        receiveReading(client, reading);
      },
      onInstallation: (installation) => {
        receiveInstallation(client, installation);
      },
      // Few pages show rollouts: what takes them in is fetched with the first event.
      onRollout: (rollout) => {
        void import("../api/rollout-cache.ts").then(({ receiveRollout }) => {
          receiveRollout(client, rollout);
        });
      },
      onResume: () => {
        void client.invalidateQueries();
      },
    },
  );
  addEventListener("online", stream.retry);
  addEventListener("offline", stream.interrupt);
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") stream.retry();
  });
  return stream;
}

/** The state of the connection, and how to try again at once. */
export function useLiveStream(): StreamState & { retry: () => void } {
  const stream = use(LiveStreamContext);
  if (!stream) throw new Error("useLiveStream needs a LiveStreamProvider above it");
  const state = useSyncExternalStore(stream.watch, stream.state);
  return { ...state, retry: stream.retry };
}
