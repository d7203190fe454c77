// One meter's firmware: what it runs by its own signed word, how far it is with an update, and what it reported of the earlier ones.

import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "wouter";
import { ApiError } from "../api/client.ts";
import { firmware } from "../api/firmware.ts";
import { queries } from "../api/queries.ts";
import { ApiProblem } from "../components/api-problem.tsx";
import { FirmwareDeviceFacts } from "../components/firmware-device-facts.tsx";
import { FirmwareReports } from "../components/firmware-reports.tsx";
import { PageSkeleton } from "../ui/page-skeleton.tsx";
import { knownZone } from "../util/instant.ts";
import { t } from "../util/text.ts";
import styles from "./administration-page.module.css";

export default function FirmwareDevicePage() {
  const meter = useParams()["meter"] ?? "";
  const device = useQuery(firmware.device(meter));
  const installations = useQuery(queries.installations());
  if (device.error instanceof ApiError && device.error.status === 404) return <Missing />;
  if (device.error && !device.data) return <ApiProblem error={device.error} onRetry={() => void device.refetch()} />;
  if (!device.data || installations.isPending) return <PageSkeleton label={t("app.loading")} />;
  const { name, installation_id: id, reports } = device.data;
  const zone = knownZone(installations.data?.find((each) => each.id === id)?.timezone);
  return (
    <div className={styles["page"]} data-testid="firmware-device">
      <title>{t("app.pageTitle", { page: t("firmware.device.title", { name }) })}</title>
      <div>
        <p className={styles["crumb"]}>
          <Link href="/firmware">{t("app.nav.firmware")}</Link>
        </p>
        <h1>{name}</h1>
        <div className={styles["state"]}>
          <Link href={`/meters/${String(id)}`}>{t("firmware.device.meter")}</Link>
        </div>
      </div>
      <section aria-labelledby="facts" className={styles["panel"]}>
        <div>
          <h2 id="facts">{t("firmware.device.heading")}</h2>
          <p className={styles["lead"]}>{t("firmware.device.lead", { zone: zone.replaceAll("_", " ") })}</p>
        </div>
        <FirmwareDeviceFacts device={device.data} zone={zone} />
      </section>
      <section aria-labelledby="reports" className={styles["panel"]}>
        <div>
          <h2 id="reports">{t("firmware.reports.heading")}</h2>
          <p className={styles["lead"]}>{t("firmware.reports.lead")}</p>
        </div>
        <FirmwareReports reports={reports} zone={zone} />
      </section>
    </div>
  );
}

function Missing() {
  return (
    <div className={styles["page"]}>
      <title>{t("app.pageTitle", { page: t("firmware.device.missing") })}</title>
      <h1>{t("firmware.device.missing")}</h1>
      <p>
        <Link href="/firmware">{t("firmware.back")}</Link>
      </p>
    </div>
  );
}
