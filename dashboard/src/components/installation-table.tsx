// All meters: how each is, where it is, what it measures, and since when it is known. Those that wait for an operator stand first.

import { Link } from "wouter";
import { isInService } from "../api/meter-state.ts";
import type { Installation } from "../api/types.ts";
import { Table, type Column } from "../ui/table.tsx";
import { TimeText } from "../ui/time-text.tsx";
import { dateTime, fingerprint, nothing, power } from "../util/format.ts";
import { instantOf } from "../util/instant.ts";
import { t } from "../util/text.ts";
import { InstallationState } from "./installation-state.tsx";
import { sensorName } from "./installation-words.ts";
import styles from "./installation-table.module.css";

export function InstallationTable({ installations, zone }: { installations: readonly Installation[]; zone: string }) {
  const columns: Column<Installation>[] = [
    {
      id: "name",
      header: t("installations.list.name"),
      renderCell: ({ id, name, meter_id }) => (
        <span className={styles["name"]}>
          <Link href={`/installations/${String(id)}`}>{name}</Link>
          <code>{fingerprint(meter_id)}</code>
        </span>
      ),
    },
    {
      id: "state",
      header: t("installations.list.state"),
      renderCell: (installation) => (
        <>
          <InstallationState installation={installation} />
          {installation.state === "active" && !installation.enrolment_accepted && installation.replaced_by === null ? (
            <span className={styles["remark"]}>{t("installations.list.unaccepted")}</span>
          ) : null}
        </>
      ),
    },
    { id: "rated", header: t("installations.list.rated"), isNumber: true, renderCell: ({ rated_power_w }) => power(rated_power_w) },
    { id: "place", header: t("installations.list.place"), renderCell: ({ timezone }) => timezone.replaceAll("_", " ") },
    { id: "sensor", header: t("installations.list.sensor"), renderCell: ({ sensor_model }) => sensorName(sensor_model) ?? nothing },
    {
      id: "announced",
      header: t("installations.list.announced"),
      renderCell: ({ created_at }) => {
        const at = instantOf(created_at);
        return at === null ? nothing : <TimeText at={at}>{dateTime(at, zone)}</TimeText>;
      },
    },
  ];
  return (
    <Table
      label={t("installations.list.heading")}
      columns={columns}
      rows={installations.toSorted((one, other) => rank(one) - rank(other) || one.id - other.id)}
      rowKey={({ id }) => id}
      rowState={({ state }) => state}
    />
  );
}

function rank(installation: Installation): number {
  if (installation.state === "waiting") return 0;
  return isInService(installation) ? 1 : 2;
}
