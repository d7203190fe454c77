// One window of a meter: its bytes, its readings under one root, and a verdict that this browser computes. It arranges, and says where there is none.

import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "wouter";
import { ApiError } from "../api/client.ts";
import { proofQueries } from "../api/proof-queries.ts";
import { ApiProblem } from "../components/api-problem.tsx";
import { WindowRecord } from "../components/window-record.tsx";
import { useKeyedMeter } from "../hooks/verdict.ts";
import { Notice } from "../ui/notice.tsx";
import { PageSkeleton } from "../ui/page-skeleton.tsx";
import { t } from "../util/text.ts";
import type { PreviousClaim } from "../util/verify-window.ts";
import styles from "./window-page.module.css";

export default function WindowPage() {
  const parameters = useParams();
  const [installation, window] = [Number(parameters["id"]), Number(parameters["window"])];
  const meter = useKeyedMeter(installation);
  const isNamed = Number.isSafeInteger(installation) && Number.isSafeInteger(window);
  const { data, error, refetch } = useQuery({ ...proofQueries.window(installation, window), enabled: isNamed });
  const isLinked = data !== undefined && data.previous_id === data.chain_index - 1;
  const before = useQuery({ ...proofQueries.window(installation, data?.previous_id ?? -1), enabled: isLinked });

  if (meter.error) return <ApiProblem error={meter.error} onRetry={meter.retry} />;
  if (!isNamed || meter.isMissing) return <Notice title={t("proof.page.noMeter")} detail={t("proof.page.noMeterDetail")} large />;
  if (error && !data) {
    const isGone = error instanceof ApiError && error.status === 404;
    if (!isGone) return <ApiProblem error={error} onRetry={() => void refetch()} />;
    return (
      <>
        <Notice title={t("proof.window.gone")} detail={t("proof.window.goneDetail")} large />
        <p className={styles["way"]}>
          <Link href={`/meters/${String(installation)}`}>{t("proof.page.toMeter")}</Link>
        </p>
      </>
    );
  }
  if (!data || !meter.installation || !meter.key || (isLinked && before.isPending)) return <PageSkeleton label={t("proof.window.loading")} />;
  const previous = isLinked ? servedAs(before.data?.record) : data.previous_id === null ? "not-held" : "not-window";
  return <WindowRecord key={data.id} window={data} installation={meter.installation} meterKey={meter.key} previous={previous} asked={window} />;
}

function servedAs(record: string | undefined): PreviousClaim {
  return record === undefined ? "not-served" : { record };
}
