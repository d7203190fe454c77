// The park: power now, energy, alerts, today's curve of each meter, yields, and the latest records. It only arranges; the parts ask for their own data.

import { useQuery } from "@tanstack/react-query";
import { lazy } from "react";
import { queries } from "../api/queries.ts";
import type { Installation } from "../api/types.ts";
import { AlertList } from "../components/alert-list.tsx";
import { ApiProblem } from "../components/api-problem.tsx";
import { ConnectionBanner } from "../components/connection-banner.tsx";
import { ErrorBoundary } from "../components/error-boundary.tsx";
import { LatestRecords } from "../components/latest-records.tsx";
import { MeterStrips } from "../components/meter-strips.tsx";
import { ParkEnergy } from "../components/park-energy.tsx";
import { ParkPower } from "../components/park-power.tsx";
import { YieldList } from "../components/yield-list.tsx";
import { useLiveStream } from "../hooks/live-stream.ts";
import { parkZone } from "../hooks/park.ts";
import { useKiosk } from "../hooks/url-state.ts";
import styles from "./park-page.module.css";

// Few parks are empty.
const EmptyPark = lazy(async () => ({ default: (await import("../components/empty-park.tsx")).EmptyPark }));

export default function ParkPage() {
  const { data, error, refetch } = useQuery(queries.installations());
  const zone = parkZone(data);
  return (
    <>
      <Park installations={data ?? null} error={data ? null : error} retry={() => void refetch()} zone={zone} />
      <ConnectionBanner zone={zone} />
    </>
  );
}

interface ParkProps {
  installations: readonly Installation[] | null;
  error: Error | null;
  retry: () => void;
  zone: string;
}

function Park({ installations, error, retry, zone }: ParkProps) {
  const { phase } = useLiveStream();
  const kiosk = useKiosk();
  if (error) return <ApiProblem error={error} onRetry={retry} />;
  if (installations?.length === 0) return <EmptyPark />;
  return (
    <div className={styles["page"]} data-stale={phase === "waiting" || undefined}>
      <div className={styles["lead"]}>
        <ErrorBoundary>
          <ParkPower installations={installations} zone={zone} />
        </ErrorBoundary>
        <ErrorBoundary>
          <ParkEnergy installations={installations} zone={zone} />
        </ErrorBoundary>
      </div>
      <ErrorBoundary>
        <AlertList zone={zone} />
      </ErrorBoundary>
      <ErrorBoundary>
        <MeterStrips installations={installations} zone={zone} />
      </ErrorBoundary>
      {kiosk ? null : (
        <>
          <ErrorBoundary>
            <YieldList installations={installations} />
          </ErrorBoundary>
          <ErrorBoundary>
            <LatestRecords installations={installations} />
          </ErrorBoundary>
        </>
      )}
    </div>
  );
}
