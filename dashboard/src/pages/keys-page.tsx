// The API keys of this gateway: made, given a role and an end, and revoked. For administrators.

import { useQuery } from "@tanstack/react-query";
import { administration } from "../api/administration.ts";
import { ApiProblem } from "../components/api-problem.tsx";
import { KeyCreate } from "../components/key-create.tsx";
import { KeyRevoke } from "../components/key-revoke.tsx";
import { KeyTable } from "../components/key-table.tsx";
import { Restricted } from "../components/restricted.tsx";
import { useSession } from "../hooks/session.ts";
import { useUrlState } from "../hooks/url-state.ts";
import buttons from "../ui/button.module.css";
import { PageSkeleton } from "../ui/page-skeleton.tsx";
import { viewerZone } from "../util/instant.ts";
import { t } from "../util/text.ts";
import styles from "./administration-page.module.css";

export default function KeysPage() {
  const zone = viewerZone();
  return (
    <div className={styles["page"]}>
      <title>{t("app.pageTitle", { page: t("app.nav.keys") })}</title>
      <div>
        <h1>{t("app.nav.keys")}</h1>
        <p className={styles["lead"]}>{t("keys.list.lead", { zone: zone.replaceAll("_", " ") })}</p>
      </div>
      <Restricted to="admin" what={t("keys.restricted")}>
        <Keys zone={zone} />
      </Restricted>
    </div>
  );
}

function Keys({ zone }: { zone: string }) {
  const session = useSession();
  const keys = useQuery(administration.keys());
  const [url, setUrl] = useUrlState(["do"]);
  const revoked = keys.data?.find(({ id, revoked_at }) => url.do === `revoke-${String(id)}` && revoked_at === null);
  const own = session?.name ?? null;
  const close = () => {
    setUrl({ do: null });
  };
  if (keys.error && !keys.data) return <ApiProblem error={keys.error} onRetry={() => void keys.refetch()} />;
  return (
    <>
      <div className={styles["actions"]}>
        <button
          type="button"
          className={buttons["button"]}
          data-primary
          onClick={() => {
            setUrl({ do: "create" });
          }}
        >
          {t("keys.create.heading")}
        </button>
      </div>
      {keys.data ? (
        <KeyTable
          keys={keys.data}
          own={own}
          zone={zone}
          onRevoke={({ id }) => {
            setUrl({ do: `revoke-${String(id)}` });
          }}
        />
      ) : (
        <PageSkeleton label={t("app.loading")} />
      )}
      {url.do === "create" ? <KeyCreate onClose={close} /> : null}
      {revoked ? <KeyRevoke apiKey={revoked} isOwn={revoked.name === own} onClose={close} /> : null}
    </>
  );
}
