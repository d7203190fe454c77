// The meters of this gateway: those that wait first, then all of them, and the way to bring in another.

import { useQuery } from "@tanstack/react-query";
import { queries } from "../api/queries.ts";
import { ApiProblem } from "../components/api-problem.tsx";
import { ErrorBoundary } from "../components/error-boundary.tsx";
import { InstallationEnrol } from "../components/installation-enrol.tsx";
import { InstallationTable } from "../components/installation-table.tsx";
import { InstallationWaiting } from "../components/installation-waiting.tsx";
import { Restricted } from "../components/restricted.tsx";
import { useMay } from "../hooks/session.ts";
import { useUrlState } from "../hooks/url-state.ts";
import buttons from "../ui/button.module.css";
import { PageSkeleton } from "../ui/page-skeleton.tsx";
import { viewerZone } from "../util/instant.ts";
import { t } from "../util/text.ts";
import styles from "./administration-page.module.css";

export default function InstallationsPage() {
  const installations = useQuery(queries.installations());
  const [url, setUrl] = useUrlState(["do"]);
  const mayEnrol = useMay("operator").allowed;
  const zone = viewerZone();
  const isEnrolling = url.do === "enrol";
  if (installations.error && !installations.data) {
    return <ApiProblem error={installations.error} onRetry={() => void installations.refetch()} />;
  }
  const close = () => {
    setUrl({ do: null });
  };
  return (
    <div className={styles["page"]}>
      <title>{t("app.pageTitle", { page: t("app.nav.installations") })}</title>
      <div className={styles["head"]}>
        <div>
          <h1>{t("app.nav.installations")}</h1>
          <p className={styles["lead"]}>{t("installations.list.lead", { zone: zone.replaceAll("_", " ") })}</p>
        </div>
        {mayEnrol && !isEnrolling ? (
          <button
            type="button"
            className={buttons["button"]}
            data-primary
            onClick={() => {
              setUrl({ do: "enrol" });
            }}
          >
            {t("installations.enrol.heading")}
          </button>
        ) : null}
      </div>
      {mayEnrol && !isEnrolling ? null : (
        <Restricted to="operator" what={t("installations.restricted.enrol")}>
          {installations.data && isEnrolling ? (
            <section aria-labelledby="enrol" className={styles["panel"]}>
              <h2 id="enrol">{t("installations.enrol.heading")}</h2>
              <InstallationEnrol known={installations.data} onClose={close} />
            </section>
          ) : null}
        </Restricted>
      )}
      {installations.data ? (
        <>
          <InstallationWaiting waiting={installations.data.filter(({ state }) => state === "waiting")} />
          <ErrorBoundary>
            {installations.data.length === 0 ? (
              <p className={styles["empty"]} data-testid="empty">
                {t("installations.list.empty")}
              </p>
            ) : (
              <InstallationTable installations={installations.data} zone={zone} />
            )}
          </ErrorBoundary>
        </>
      ) : (
        <PageSkeleton label={t("app.loading")} />
      )}
    </div>
  );
}
