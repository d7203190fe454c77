// What firmware runs where, how releases are rolled out, which releases there are, and the way to bring in another.

import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { firmware } from "../api/firmware.ts";
import { queries } from "../api/queries.ts";
import { ApiProblem } from "../components/api-problem.tsx";
import { ErrorBoundary } from "../components/error-boundary.tsx";
import { FirmwareCommands } from "../components/firmware-commands.tsx";
import { FirmwareDevices } from "../components/firmware-devices.tsx";
import { FirmwareReleases } from "../components/firmware-releases.tsx";
import { FirmwareRunning } from "../components/firmware-running.tsx";
import { FirmwareTrust } from "../components/firmware-trust.tsx";
import { FirmwareUpload } from "../components/firmware-upload.tsx";
import { runningVersions } from "../components/firmware-versions.ts";
import { Restricted } from "../components/restricted.tsx";
import { RolloutTable } from "../components/rollout-table.tsx";
import { useMay, useSession } from "../hooks/session.ts";
import { useUrlState } from "../hooks/url-state.ts";
import buttons from "../ui/button.module.css";
import { PageSkeleton } from "../ui/page-skeleton.tsx";
import { viewerZone } from "../util/instant.ts";
import { t } from "../util/text.ts";
import styles from "./administration-page.module.css";
import own from "./firmware-page.module.css";

export default function FirmwarePage() {
  const roots = useQuery(firmware.roots());
  const releases = useQuery(firmware.releases());
  const rollouts = useQuery(firmware.rollouts());
  const devices = useQuery(firmware.devices());
  const installations = useQuery(queries.installations());
  const session = useSession();
  const zone = viewerZone();
  const all = [roots, releases, rollouts, devices, installations];
  const failed = all.find(({ error, data }) => error && data === undefined);
  if (failed?.error) {
    return (
      <ApiProblem
        error={failed.error}
        onRetry={() => {
          for (const each of all) if (each.error) void each.refetch();
        }}
      />
    );
  }
  // Parts that came one by one would push each other down, and what one may do stands above them all.
  if (!session || !roots.data || !releases.data || !rollouts.data || !devices.data || !installations.data) return <PageSkeleton label={t("app.loading")} />;
  const newest = roots.data.at(-1);
  return (
    <div className={styles["page"]}>
      <title>{t("app.pageTitle", { page: t("app.nav.firmware") })}</title>
      <Head zone={zone} />
      {releases.data.length === 0 ? (
        <Part id="first" title={t("firmware.commands.heading")} lead={t(newest ? "firmware.commands.lead" : "firmware.commands.leadRoot")}>
          <FirmwareCommands hasRoot={newest !== undefined} />
        </Part>
      ) : null}
      <Part id="running" title={t("firmware.running.heading")} lead={t("firmware.running.lead")}>
        {installations.data.length === 0 ? (
          <p className={own["none"]}>{t("firmware.running.empty")}</p>
        ) : (
          <FirmwareRunning versions={runningVersions(installations.data, releases.data, devices.data)} />
        )}
      </Part>
      <Part id="rollouts" title={t("firmware.rollouts.heading")}>
        {rollouts.data.length === 0 ? (
          <p className={own["none"]}>{t(releases.data.length === 0 ? "firmware.rollouts.emptyFirst" : "firmware.rollouts.empty")}</p>
        ) : (
          <RolloutTable rollouts={rollouts.data} zone={zone} />
        )}
      </Part>
      {releases.data.length === 0 ? null : (
        <Part id="releases" title={t("firmware.release.heading")}>
          <FirmwareReleases releases={releases.data} zone={zone} />
        </Part>
      )}
      <Part id="devices" title={t("firmware.devices.heading")} lead={t("firmware.devices.lead")}>
        {devices.data.length === 0 ? <p className={own["none"]}>{t("firmware.devices.empty")}</p> : <FirmwareDevices devices={devices.data} zone={zone} />}
      </Part>
      {newest ? (
        <Part id="trust" title={t("firmware.trust.heading")} lead={t("firmware.trust.lead")}>
          <FirmwareTrust root={newest} zone={zone} />
        </Part>
      ) : null}
    </div>
  );
}

function Head({ zone }: { zone: string }) {
  const [url, setUrl] = useUrlState(["do"]);
  const mayPublish = useMay("firmware").allowed;
  const isUploading = url.do === "upload";
  return (
    <>
      <div className={styles["head"]}>
        <div>
          <h1>{t("app.nav.firmware")}</h1>
          <p className={styles["lead"]}>{t("firmware.lead", { zone: zone.replaceAll("_", " ") })}</p>
        </div>
        {mayPublish && !isUploading ? (
          <button
            type="button"
            className={buttons["button"]}
            data-primary
            onClick={() => {
              setUrl({ do: "upload" });
            }}
          >
            {t("firmware.upload.heading")}
          </button>
        ) : null}
      </div>
      {mayPublish && !isUploading ? null : (
        <Restricted to="firmware" what={t("firmware.restricted.publish")}>
          <section aria-labelledby="upload" className={styles["panel"]}>
            <h2 id="upload">{t("firmware.upload.heading")}</h2>
            <FirmwareUpload
              onClose={() => {
                setUrl({ do: null });
              }}
            />
          </section>
        </Restricted>
      )}
    </>
  );
}

function Part({ id, title, lead, children }: { id: string; title: string; lead?: string; children: ReactNode }) {
  return (
    <section aria-labelledby={id} className={styles["panel"]}>
      <div>
        <h2 id={id}>{title}</h2>
        {lead === undefined ? null : <p className={styles["lead"]}>{lead}</p>}
      </div>
      <ErrorBoundary>{children}</ErrorBoundary>
    </section>
  );
}
