// The page's own request failed: said in the gateway's own words (RFC 9457), which are English, or in ours when no answer came.

import type { ReactNode } from "react";
import { ApiError } from "../api/client.ts";
import { Notice } from "../ui/notice.tsx";
import { t } from "../util/text.ts";

export function ApiProblem({ error, onRetry }: { error: Error; onRetry: () => void }) {
  return <Notice {...problemWords(error)} action={t("app.problem.retry")} onAction={onRetry} large />;
}

/** What went wrong, and what is known of it. */
export function problemWords(error: Error): { title: ReactNode; detail: ReactNode } {
  if (!(error instanceof ApiError) || error.status === 0) return { title: t("app.problem.unreachable"), detail: t("app.problem.unreachableDetail") };
  const { title, detail } = error.problem;
  return {
    title: title ? <span lang="en">{title}</span> : t("app.problem.unexpected", { status: error.status }),
    detail: detail ? <span lang="en">{detail}</span> : null,
  };
}
