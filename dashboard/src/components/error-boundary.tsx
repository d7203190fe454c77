// Keeps a fault in one part of the page from taking the rest down. React knows error boundaries as classes only.

import { Component, type ReactNode } from "react";
import { Notice } from "../ui/notice.tsx";
import { text } from "../util/strings.ts";

export class ErrorBoundary extends Component<{ children: ReactNode }, { failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError() {
    return { failed: true };
  }

  override render() {
    if (!this.state.failed) return this.props.children;
    return (
      <Notice
        title={text.problem.crashed}
        detail={text.problem.crashedDetail}
        action={text.problem.reload}
        onAction={() => {
          location.reload();
        }}
      />
    );
  }
}
