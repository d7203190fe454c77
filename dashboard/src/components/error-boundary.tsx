// Keeps a fault in one part of the page from taking the rest down. React knows error boundaries as classes only.

import { useQueryErrorResetBoundary } from "@tanstack/react-query";
import { Component, type ReactNode } from "react";
import { ApiError } from "../api/client.ts";
import { Notice } from "../ui/notice.tsx";
import { t } from "../util/text.ts";
import { problemWords } from "./api-problem.tsx";

export class ErrorBoundary extends Component<{ children: ReactNode }, { caught: { error: unknown } | null }> {
  override state = { caught: null as { error: unknown } | null };

  static getDerivedStateFromError(error: unknown) {
    return { caught: { error } };
  }

  override render() {
    if (!this.state.caught) return this.props.children;
    return (
      <Failed
        error={this.state.caught.error}
        onRetry={() => {
          this.setState({ caught: null });
        }}
      />
    );
  }
}

/** What the gateway refused can be asked for again. Anything else, such as code that could not be loaded, stays as it is until the page is loaded anew. */
function Failed({ error, onRetry }: { error: unknown; onRetry: () => void }) {
  const { reset } = useQueryErrorResetBoundary();
  if (error instanceof ApiError) {
    return (
      <Notice
        {...problemWords(error)}
        action={t("app.problem.retry")}
        onAction={() => {
          reset();
          onRetry();
        }}
      />
    );
  }
  return (
    <Notice
      title={t("app.problem.crashed")}
      detail={t("app.problem.crashedDetail")}
      action={t("app.problem.reload")}
      onAction={() => {
        location.reload();
      }}
    />
  );
}
