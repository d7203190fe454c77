// Who changed what: filtered, page by page, and as a file. For administrators.

import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { administration, auditExport, auditRows } from "../api/administration.ts";
import { queries } from "../api/queries.ts";
import { ApiProblem } from "../components/api-problem.tsx";
import { auditParameters, filterOf, pageOf } from "../components/audit-filter.ts";
import { AuditForm } from "../components/audit-form.tsx";
import { AuditTable } from "../components/audit-table.tsx";
import { Restricted } from "../components/restricted.tsx";
import { useUrlState } from "../hooks/url-state.ts";
import buttons from "../ui/button.module.css";
import { PageSkeleton } from "../ui/page-skeleton.tsx";
import { viewerZone } from "../util/instant.ts";
import { t } from "../util/text.ts";
import styles from "./administration-page.module.css";

export default function AuditPage() {
  const zone = viewerZone();
  return (
    <div className={styles["page"]}>
      <title>{t("app.pageTitle", { page: t("app.nav.audit") })}</title>
      <div>
        <h1>{t("app.nav.audit")}</h1>
        <p className={styles["lead"]}>{t("audit.list.lead", { zone: zone.replaceAll("_", " ") })}</p>
      </div>
      <Restricted to="admin" what={t("audit.restricted")}>
        <Audit zone={zone} />
      </Restricted>
    </div>
  );
}

function Audit({ zone }: { zone: string }) {
  const [url, setUrl] = useUrlState(auditParameters);
  const filter = filterOf(url, zone);
  const before = pageOf(url.before);
  const audit = useQuery({ ...administration.audit(filter, before), placeholderData: keepPreviousData });
  const installations = useQuery(queries.installations());
  const keys = useQuery(administration.keys());
  const entries = audit.data ?? [];
  const oldest = entries.at(-1);
  if (audit.error && !audit.data) return <ApiProblem error={audit.error} onRetry={() => void audit.refetch()} />;
  return (
    <>
      <AuditForm
        key={auditParameters.map((name) => url[name]).join("|")}
        address={url}
        actors={[...new Set(["gateway", ...(keys.data ?? []).map(({ name }) => name)])]}
        onFilter={setUrl}
      >
        <a href={auditExport(filter)} download className={buttons["button"]}>
          {t("audit.export")}
        </a>
      </AuditForm>
      {audit.data ? (
        <div aria-busy={audit.isPlaceholderData} className={styles["panel"]}>
          {entries.length === 0 ? (
            <p className={styles["empty"]} role="status">
              {t("audit.list.empty")}
            </p>
          ) : (
            <AuditTable entries={entries} installations={installations.data ?? []} zone={zone} />
          )}
          <div className={styles["pages"]}>
            {before === null ? null : (
              <button
                type="button"
                className={buttons["button"]}
                onClick={() => {
                  setUrl({ before: null });
                }}
              >
                {t("audit.list.newest")}
              </button>
            )}
            {oldest === undefined || entries.length < auditRows ? null : (
              <button
                type="button"
                className={buttons["button"]}
                onClick={() => {
                  setUrl({ before: String(oldest.id) });
                }}
              >
                {t("audit.list.older")}
              </button>
            )}
          </div>
        </div>
      ) : (
        <PageSkeleton label={t("app.loading")} />
      )}
    </>
  );
}
