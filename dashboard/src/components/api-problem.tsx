// The page's own request failed: said in the gateway's own words (RFC 9457), or in ours when no answer came.

import { ApiError } from "../api/client.ts";
import { Notice } from "../ui/notice.tsx";
import { text } from "../util/strings.ts";

export function ApiProblem({ error, onRetry }: { error: Error; onRetry: () => void }) {
  const isUnreachable = !(error instanceof ApiError) || error.status === 0;
  const title = isUnreachable
    ? text.problem.unreachable
    : (error.problem.title ?? text.problem.unexpected(error.status));
  const detail = isUnreachable ? text.problem.unreachableDetail : error.problem.detail;
  return <Notice title={title} detail={detail} action={text.problem.retry} onAction={onRetry} large />;
}
