// Keeps a fault in one part of the page from taking the rest down. React knows error boundaries as classes only.

import { Component, type ReactNode } from "react";
import { Notice } from "../ui/notice.tsx";
import { t } from "../util/text.ts";

export class ErrorBoundary extends Component<{ children: ReactNode }, { failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError() {
    return { failed: true };
  }

  override render() {
    if (!this.state.failed) return this.props.children;
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
}
