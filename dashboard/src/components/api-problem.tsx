// The page's own request failed: said in the gateway's own words (RFC 9457), or in ours when no answer came.

import { ApiError } from "../api/client.ts";
import { Notice } from "../ui/notice.tsx";
import { t } from "../util/text.ts";

export function ApiProblem({ error, onRetry }: { error: Error; onRetry: () => void }) {
  const isUnreachable = !(error instanceof ApiError) || error.status === 0;
  const title = isUnreachable
    ? t("app.problem.unreachable")
    : (error.problem.title ?? t("app.problem.unexpected", { status: error.status }));
  const detail = isUnreachable ? t("app.problem.unreachableDetail") : error.problem.detail;
  return <Notice title={title} detail={detail} action={t("app.problem.retry")} onAction={onRetry} large />;
}
