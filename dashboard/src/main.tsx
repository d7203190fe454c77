// Where the dashboard begins: the query cache, the live stream into it, and the frame around every page.

import { QueryCache, QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { ApiError } from "./api/client.ts";
import { keys } from "./api/queries.ts";
import { Dashboard } from "./dashboard.tsx";
import { begin, preferredLanguage } from "./hooks/language.ts";
import { liveStreamInto, LiveStreamProvider } from "./hooks/live-stream.ts";
import { openEarly } from "./routes.tsx";
import { offerStartAgain } from "./ui/start-again.ts";
import { keepShell } from "./util/offline-shell.ts";
import "./ui/tokens.css";
import "./ui/base.css";

// The live stream keeps the answers fresh and has everything asked again after an interruption, so nothing is fetched for age or focus.
const client = new QueryClient({
  queryCache: new QueryCache({
    onError: (error) => {
      // Whoever is no longer let in learns it from the session.
      if (error instanceof ApiError && error.status === 401) void client.invalidateQueries({ queryKey: keys.session });
    },
  }),
  defaultOptions: {
    queries: {
      staleTime: Number.POSITIVE_INFINITY,
      refetchOnWindowFocus: false,
      refetchOnReconnect: false,
      networkMode: "always",
      // An answer that says no will say no again; only silence and faults are worth another try.
      retry: (failures, error) => failures < 3 && (!(error instanceof ApiError) || error.status === 0 || error.status >= 500),
    },
    mutations: { networkMode: "always" },
  },
});

const language = preferredLanguage();
openEarly(location.pathname, language);
const stream = liveStreamInto(client);

const root = document.getElementById("root");
if (root) {
  await begin(language).then(
    () => {
      createRoot(root).render(
        <StrictMode>
          <QueryClientProvider client={client}>
            <LiveStreamProvider value={stream}>
              <Dashboard />
            </LiveStreamProvider>
          </QueryClientProvider>
        </StrictMode>,
      );
    },
    () => {
      offerStartAgain(root);
    },
  );
}

if (import.meta.env.PROD) keepShell();
