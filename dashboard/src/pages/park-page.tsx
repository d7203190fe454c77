// The park: power now, energy, alerts, today's curve of each meter, yields, and the latest records. It only arranges; the parts ask for their own data.

import { useQuery } from "@tanstack/react-query";
import { queries } from "../api/queries.ts";
import type { Installation } from "../api/types.ts";
import { AlertList } from "../components/alert-list.tsx";
import { ApiProblem } from "../components/api-problem.tsx";
import { ConnectionBanner } from "../components/connection-banner.tsx";
import { EmptyPark } from "../components/empty-park.tsx";
import { ErrorBoundary } from "../components/error-boundary.tsx";
import { LatestRecords } from "../components/latest-records.tsx";
import { MeterStrips } from "../components/meter-strips.tsx";
import { ParkEnergy } from "../components/park-energy.tsx";
import { ParkPower } from "../components/park-power.tsx";
import { YieldList } from "../components/yield-list.tsx";
import { useLiveStream } from "../hooks/live-stream.ts";
import { useKiosk } from "../hooks/url-state.ts";
import { knownZone } from "../util/instant.ts";
import styles from "./park-page.module.css";

export default function ParkPage() {
  const { data, error, refetch } = useQuery(queries.installations());
  const zone = zoneOf(data);
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

/** The park's clock: that of its first active meter. Each strip keeps its own site's. */
function zoneOf(installations: readonly Installation[] | undefined): string {
  if (!installations || installations.length === 0) return Intl.DateTimeFormat().resolvedOptions().timeZone;
  const first = installations.find(({ state }) => state === "active") ?? installations[0];
  return knownZone(first?.timezone);
}
