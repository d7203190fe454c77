// Where the dashboard begins: the query cache, the live stream into it, and the frame around every page.

import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { ApiError } from "./api/client.ts";
import { ErrorBoundary } from "./components/error-boundary.tsx";
import { PageFooter } from "./components/page-footer.tsx";
import { PageHeader } from "./components/page-header.tsx";
import { liveStreamInto, LiveStreamProvider } from "./hooks/live-stream.ts";
import { usePath } from "./hooks/url-state.ts";
import { pageAt } from "./routes.tsx";
import { text } from "./util/strings.ts";
import "./ui/tokens.css";
import "./ui/base.css";
import styles from "./main.module.css";

// The live stream keeps the answers fresh and has everything asked again after an interruption, so nothing is fetched for age or focus.
const client = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: Number.POSITIVE_INFINITY,
      refetchOnWindowFocus: false,
      refetchOnReconnect: false,
      networkMode: "always",
      // An answer that says no will say no again; only silence and faults are worth another try.
      retry: (failures, error) => failures < 3 && (!(error instanceof ApiError) || error.status === 0 || error.status >= 500),
    },
  },
});

function Dashboard() {
  const page = pageAt(usePath());
  return (
    <div className={styles["frame"]}>
      <a href="#content" className={styles["skip"]}>
        {text.skipToContent}
      </a>
      <PageHeader />
      <main id="content" className={styles["content"]}>
        <ErrorBoundary>
          {page}
        </ErrorBoundary>
      </main>
      <PageFooter />
    </div>
  );
}

const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <QueryClientProvider client={client}>
        <LiveStreamProvider value={liveStreamInto(client)}>
          <Dashboard />
        </LiveStreamProvider>
      </QueryClientProvider>
    </StrictMode>,
  );
}
