// One reading of a meter: its bytes, its signature, and a verdict that this browser computes. It arranges, and says so where there is nothing to judge.

import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "wouter";
import { ApiError } from "../api/client.ts";
import { queries } from "../api/queries.ts";
import type { Reading } from "../api/types.ts";
import { ApiProblem } from "../components/api-problem.tsx";
import { ByteMap } from "../components/byte-map.tsx";
import { RecordReading } from "../components/record-reading.tsx";
import { useKeyedMeter } from "../hooks/verdict.ts";
import { Notice } from "../ui/notice.tsx";
import { PageSkeleton } from "../ui/page-skeleton.tsx";
import { cutFields } from "../util/record-fields.ts";
import { t } from "../util/text.ts";
import { namedReading } from "../util/verify-reading.ts";
import styles from "./reading-page.module.css";

/** A live reading is asked for again this often, until its window seals it. */
const sealRefresh = 60_000;

export default function ReadingPage() {
  const parameters = useParams();
  const installation = Number(parameters["id"]);
  const reading = namedReading(installation, Number(parameters["reading"]));
  const meter = useKeyedMeter(installation);
  const isNamed = Number.isSafeInteger(installation) && Number.isSafeInteger(reading);
  const { data, error, refetch } = useQuery({
    ...queries.reading(installation, reading),
    enabled: isNamed,
    refetchInterval: ({ state }) => (state.data?.signature != null ? sealRefresh : false),
  });

  if (meter.error) return <ApiProblem error={meter.error} onRetry={meter.retry} />;
  if (!isNamed || meter.isMissing) return <Notice title={t("proof.page.noMeter")} detail={t("proof.page.noMeterDetail")} large />;
  if (error && !data) {
    const isGone = error instanceof ApiError && error.status === 404;
    if (!isGone) return <ApiProblem error={error} onRetry={() => void refetch()} />;
    return (
      <>
        <Notice title={t("proof.page.gone")} detail={t("proof.page.goneDetail")} large />
        <ToMeter id={installation} />
      </>
    );
  }
  if (!data || !meter.installation || !meter.key) return <PageSkeleton label={t("proof.page.loading")} />;
  const { record } = data;
  if (record === null) {
    return (
      <>
        <Notice title={t("proof.page.import")} detail={t("proof.page.importDetail")} large />
        <ToMeter id={installation} />
      </>
    );
  }
  if (isOfUnknownVersion(record)) return <UnknownRecord reading={data} record={record} />;
  return <RecordReading key={data.id} reading={{ ...data, record }} installation={meter.installation} meterKey={meter.key} asked={reading} />;
}

/** Whether this says to be a record, of a version that came after this page. */
function isOfUnknownVersion(record: string): boolean {
  return /^([0-9a-f]{2})(?!0[01])[0-9a-f]{2}/.test(record) && cutFields(record) === null;
}

function UnknownRecord({ reading, record }: { reading: Reading; record: string }) {
  return (
    <div className={styles["unknown"]} data-testid="unknown-record">
      <Notice title={t("proof.page.unknown")} detail={t("proof.page.unknownDetail")} large />
      <ByteMap record={record} />
      <ToMeter id={reading.installation_id} />
    </div>
  );
}

function ToMeter({ id }: { id: number }) {
  return (
    <p className={styles["way"]}>
      <Link href={`/meters/${String(id)}`}>{t("proof.page.toMeter")}</Link>
    </p>
  );
}
