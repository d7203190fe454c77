// One meter: what it measures now, its energy and power through any hour, day, week, month or year, how it is, what it is, and its latest records. It
// only arranges; the parts ask for their own data.

import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "wouter";
import { queries } from "../api/queries.ts";
import type { Installation } from "../api/types.ts";
import { ApiProblem } from "../components/api-problem.tsx";
import { ConnectionBanner } from "../components/connection-banner.tsx";
import { ErrorBoundary } from "../components/error-boundary.tsx";
import { LatestRecords } from "../components/latest-records.tsx";
import { MeterChart } from "../components/meter-chart.tsx";
import { MeterFacts } from "../components/meter-facts.tsx";
import { MeterLive } from "../components/meter-live.tsx";
import { MeterStatus } from "../components/meter-status.tsx";
import { MeterTotals } from "../components/meter-totals.tsx";
import { useLiveStream } from "../hooks/live-stream.ts";
import { useMay } from "../hooks/session.ts";
import { useKiosk } from "../hooks/url-state.ts";
import { Notice } from "../ui/notice.tsx";
import { Skeleton } from "../ui/skeleton.tsx";
import { knownZone } from "../util/instant.ts";
import { t } from "../util/text.ts";
import styles from "./meter-page.module.css";

export default function MeterPage() {
  const { id } = useParams();
  const { data, error, refetch } = useQuery(queries.installations());
  if (!data) return error ? <ApiProblem error={error} onRetry={() => void refetch()} /> : <Waiting />;
  const installation = data.find((each) => String(each.id) === id);
  if (!installation) return <Unknown />;
  return (
    <>
      <Meter key={installation.id} installation={installation} all={data} />
      <ConnectionBanner zone={knownZone(installation.timezone)} />
    </>
  );
}

function Meter({ installation, all }: { installation: Installation; all: readonly Installation[] }) {
  const { phase } = useLiveStream();
  const mayOperate = useMay("operator").allowed;
  const kiosk = useKiosk();
  const { id, name, state } = installation;
  return (
    <div className={styles["page"]} data-stale={phase === "waiting" || undefined} data-testid="meter-page">
      <title>{t("app.pageTitle", { page: name })}</title>
      <header className={styles["head"]}>
        <h1 className={styles["name"]}>{name}</h1>
        {mayOperate && !kiosk ? <Link href={`/installations/${String(id)}`}>{t("meter.manage")}</Link> : null}
      </header>
      <div className={styles["lead"]}>
        <ErrorBoundary>
          <MeterLive installation={installation} />
        </ErrorBoundary>
        <ErrorBoundary>
          <MeterTotals installation={installation} />
        </ErrorBoundary>
      </div>
      {state === "waiting" ? null : (
        <ErrorBoundary>
          <MeterChart installation={installation} all={all} />
        </ErrorBoundary>
      )}
      <ErrorBoundary>
        <MeterStatus installation={installation} all={all} />
      </ErrorBoundary>
      {kiosk ? null : (
        <ErrorBoundary>
          <MeterFacts installation={installation} />
        </ErrorBoundary>
      )}
      {state === "waiting" || kiosk ? null : (
        <ErrorBoundary>
          <LatestRecords installations={[installation]} />
        </ErrorBoundary>
      )}
    </div>
  );
}

function Waiting() {
  return (
    <div className={styles["page"]} aria-busy="true">
      <p className={styles["name"]}>
        <Skeleton width="12rem" />
      </p>
      <div className={styles["lead"]}>
        <div className={styles["waitingLead"]} />
      </div>
    </div>
  );
}

function Unknown() {
  return (
    <>
      <Notice title={t("meter.unknown")} detail={t("meter.unknownDetail")} large />
      <Link href="/">{t("app.notFound.back")}</Link>
    </>
  );
}
