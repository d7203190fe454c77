// One release: everything that was signed of it, where it went, and the way to roll it out or take it back.

import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "wouter";
import { ApiError } from "../api/client.ts";
import { devicesListed, firmware, type FirmwareRelease } from "../api/firmware.ts";
import { ApiProblem } from "../components/api-problem.tsx";
import { ErrorBoundary } from "../components/error-boundary.tsx";
import { FirmwareEncodings } from "../components/firmware-encodings.tsx";
import { FirmwareReleaseFacts } from "../components/firmware-release-facts.tsx";
import { ReleaseState } from "../components/firmware-releases.tsx";
import { FirmwareWithdraw } from "../components/firmware-withdraw.tsx";
import { Restricted } from "../components/restricted.tsx";
import { RolloutForm } from "../components/rollout-form.tsx";
import { RolloutTable } from "../components/rollout-table.tsx";
import { useSession } from "../hooks/session.ts";
import { useUrlState } from "../hooks/url-state.ts";
import buttons from "../ui/button.module.css";
import { PageSkeleton } from "../ui/page-skeleton.tsx";
import { viewerZone } from "../util/instant.ts";
import { t } from "../util/text.ts";
import styles from "./administration-page.module.css";

export default function FirmwareReleasePage() {
  const digest = useParams()["digest"] ?? "";
  const release = useQuery(firmware.release(digest));
  if (release.error instanceof ApiError && release.error.status === 404) return <Missing />;
  if (release.error && !release.data) return <ApiProblem error={release.error} onRetry={() => void release.refetch()} />;
  return release.data ? <Release key={digest} release={release.data} /> : <PageSkeleton label={t("app.loading")} />;
}

function Missing() {
  return (
    <div className={styles["page"]}>
      <title>{t("app.pageTitle", { page: t("firmware.release.missing") })}</title>
      <h1>{t("firmware.release.missing")}</h1>
      <p>
        <Link href="/firmware">{t("firmware.back")}</Link>
      </p>
    </div>
  );
}

function Release({ release }: { release: FirmwareRelease }) {
  const roots = useQuery(firmware.roots());
  const rollouts = useQuery(firmware.rollouts());
  const devices = useQuery(firmware.devices());
  const session = useSession();
  const [url, setUrl] = useUrlState(["do"]);
  const zone = viewerZone();
  // Parts that came one by one would push each other down.
  if (!session || [roots, rollouts, devices].some(({ isPending }) => isPending)) return <PageSkeleton label={t("app.loading")} />;
  const ofIt = rollouts.data?.filter(({ release: digest }) => digest === release.digest) ?? [];
  const isPublished = release.state === "published";
  const isStarting = isPublished && url.do === "rollout";
  const close = () => {
    setUrl({ do: null });
  };
  return (
    <div className={styles["page"]} data-testid="release" data-state={release.state}>
      <title>{t("app.pageTitle", { page: t("firmware.release.title", { version: release.version }) })}</title>
      <div>
        <p className={styles["crumb"]}>
          <Link href="/firmware">{t("app.nav.firmware")}</Link>
        </p>
        <h1>{t("firmware.release.title", { version: release.version })}</h1>
        <div className={styles["state"]}>
          <ReleaseState state={release.state} />
        </div>
      </div>
      {isPublished ? (
        <Restricted to="firmware" what={t("firmware.restricted.roll")}>
          {isStarting ? null : <Actions onAct={(act) => setUrl({ do: act })} />}
        </Restricted>
      ) : (
        <p className={styles["remark"]} data-tone="late">
          {t("firmware.release.withdrawnThen")}
        </p>
      )}
      {isStarting ? (
        <Restricted to="firmware">
          <section aria-labelledby="start" className={styles["panel"]}>
            <h2 id="start">{t("firmware.form.heading", { version: release.version })}</h2>
            <RolloutForm release={release} devices={devices.data && devices.data.length < devicesListed ? devices.data : null} onClose={close} />
          </section>
        </Restricted>
      ) : null}
      <section aria-labelledby="facts" className={styles["panel"]}>
        <h2 id="facts">{t("firmware.facts.heading")}</h2>
        <FirmwareReleaseFacts release={release} root={roots.data?.find(({ number }) => number === release.root_number)} zone={zone} />
      </section>
      <section aria-labelledby="encodings" className={styles["panel"]}>
        <div>
          <h2 id="encodings">{t("firmware.encoding.heading")}</h2>
          <p className={styles["lead"]}>{t("firmware.encoding.lead")}</p>
        </div>
        <FirmwareEncodings release={release} />
      </section>
      {ofIt.length === 0 ? null : (
        <section aria-labelledby="rollouts" className={styles["panel"]}>
          <h2 id="rollouts">{t("firmware.rollouts.heading")}</h2>
          <ErrorBoundary>
            <RolloutTable rollouts={ofIt} zone={zone} />
          </ErrorBoundary>
        </section>
      )}
      {isPublished && url.do === "withdraw" ? (
        <Restricted to="firmware">
          <FirmwareWithdraw release={release} onClose={close} />
        </Restricted>
      ) : null}
    </div>
  );
}

function Actions({ onAct }: { onAct: (act: string) => void }) {
  return (
    <div className={styles["actions"]}>
      <button
        type="button"
        className={buttons["button"]}
        data-primary
        onClick={() => {
          onAct("rollout");
        }}
      >
        {t("firmware.form.open")}
      </button>
      <button
        type="button"
        className={buttons["button"]}
        data-danger
        onClick={() => {
          onAct("withdraw");
        }}
      >
        {t("firmware.withdraw.open")}
      </button>
    </div>
  );
}
