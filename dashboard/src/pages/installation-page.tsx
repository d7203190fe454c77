// One meter as operators keep it: what was signed of it, what is to be done, and the record that each change left.

import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "wouter";
import { ApiError } from "../api/client.ts";
import { queries } from "../api/queries.ts";
import type { Installation, InstallationDetail } from "../api/types.ts";
import { ApiProblem } from "../components/api-problem.tsx";
import { InstallationApprove } from "../components/installation-approve.tsx";
import { InstallationChange } from "../components/installation-change.tsx";
import { InstallationFacts } from "../components/installation-facts.tsx";
import { InstallationHistory } from "../components/installation-history.tsx";
import { InstallationRename } from "../components/installation-rename.tsx";
import { InstallationReplace } from "../components/installation-replace.tsx";
import { InstallationRevoke } from "../components/installation-revoke.tsx";
import { InstallationState } from "../components/installation-state.tsx";
import { reasonName } from "../components/installation-words.ts";
import { Restricted } from "../components/restricted.tsx";
import { useUrlState } from "../hooks/url-state.ts";
import buttons from "../ui/button.module.css";
import { PageSkeleton } from "../ui/page-skeleton.tsx";
import { t } from "../util/text.ts";
import styles from "./administration-page.module.css";

export default function InstallationPage() {
  const id = Number(useParams()["id"]);
  const detail = useQuery({ ...queries.installation(id), enabled: Number.isSafeInteger(id) });
  const list = useQuery(queries.installations());
  if (!Number.isSafeInteger(id) || (detail.error instanceof ApiError && detail.error.status === 404)) return <Missing />;
  if (detail.error && !detail.data) return <ApiProblem error={detail.error} onRetry={() => void detail.refetch()} />;
  if (!detail.data) return <PageSkeleton label={t("app.loading")} />;
  // Before the other meters are known, nobody can be asked which of them this one is to replace.
  if (detail.data.state === "waiting" && !list.data) {
    return list.error ? <ApiProblem error={list.error} onRetry={() => void list.refetch()} /> : <PageSkeleton label={t("app.loading")} />;
  }
  return <InstallationView key={id} installation={detail.data} others={list.data ?? []} />;
}

function Missing() {
  return (
    <div className={styles["page"]}>
      <title>{t("app.pageTitle", { page: t("installations.page.missing") })}</title>
      <h1>{t("installations.page.missing")}</h1>
      <p>
        <Link href="/installations">{t("installations.page.all")}</Link>
      </p>
    </div>
  );
}

interface ViewProps {
  installation: InstallationDetail;
  others: readonly Installation[];
}

function InstallationView({ installation, others }: ViewProps) {
  const { id, name, state } = installation;
  const [url, setUrl] = useUrlState(["do", "follows"]);
  const follows = /^\d{1,9}$/.test(url.follows ?? "") ? Number(url.follows) : null;
  const isChanging = url.do === "change" && state === "active" && installation.enrolment !== null;
  const close = () => {
    setUrl({ do: null, follows: null });
  };
  return (
    <div className={styles["page"]} data-testid="installation" data-state={state}>
      <title>{t("app.pageTitle", { page: name })}</title>
      <div className={styles["head"]}>
        <div>
          <p className={styles["crumb"]}>
            <Link href="/installations">{t("app.nav.installations")}</Link>
          </p>
          <h1>{name}</h1>
          <div className={styles["state"]}>
            <InstallationState installation={installation} />
            {state === "waiting" ? null : <Link href={`/meters/${String(id)}`}>{t("installations.page.meter")}</Link>}
          </div>
        </div>
      </div>
      <Remarks installation={installation} />
      {state === "waiting" ? (
        <section aria-labelledby="approve" className={styles["panel"]}>
          <h2 id="approve">{t("installations.approve.heading")}</h2>
          <Restricted to="operator" what={t("installations.restricted.approve")}>
            <InstallationApprove installation={installation} others={others} follows={follows} onDone={close} />
          </Restricted>
        </section>
      ) : null}
      <section aria-labelledby="facts" className={styles["panel"]}>
        <h2 id="facts">
          {t(state === "waiting" ? "installations.page.announced" : isChanging ? "installations.change.heading" : "installations.page.facts")}
        </h2>
        {isChanging && installation.enrolment ? (
          <Restricted to="operator" what={t("installations.restricted.change")}>
            <InstallationChange installation={installation} held={installation.enrolment} onClose={close} />
          </Restricted>
        ) : (
          <>
            <InstallationFacts installation={installation} others={others} />
            <Actions installation={installation} />
          </>
        )}
      </section>
      <InstallationHistory installation={installation} />
      <Dialogs installation={installation} others={others} />
    </div>
  );
}

function Remarks({ installation }: { installation: InstallationDetail }) {
  const { state, enrolment, revocation, replaced_by } = installation;
  if (state === "revoked") {
    const note = revocation?.note ? ` ${t("installations.page.note", { note: revocation.note })}` : "";
    return (
      <p className={styles["remark"]} data-tone="gone">
        {t("installations.page.revoked", { reason: reasonName(revocation?.reason ?? "other") })}
        {note}
      </p>
    );
  }
  if (replaced_by !== null) return <p className={styles["remark"]}>{t("installations.page.replaced")}</p>;
  if (state === "active" && enrolment && !enrolment.accepted) {
    return (
      <p className={styles["remark"]} data-tone="late" role="status">
        {t("installations.page.unaccepted", { number: enrolment.number })}
      </p>
    );
  }
  return null;
}

const acts = ["rename", "change", "replace", "revoke"] as const;
type Act = (typeof acts)[number];

/** What can still be done: a key that is revoked stays so, of a replaced meter nothing more is taken, and one that waits can be refused. */
function actsOf({ state, replaced_by }: Installation): readonly Act[] {
  if (state === "waiting") return ["revoke"];
  if (state === "revoked") return [];
  return replaced_by === null ? acts : ["rename", "revoke"];
}

function Actions({ installation }: { installation: InstallationDetail }) {
  const [, setUrl] = useUrlState(["do"]);
  const possible = actsOf(installation);
  if (possible.length === 0) return null;
  return (
    <Restricted to="operator" what={t("installations.restricted.change")}>
      <div className={styles["actions"]}>
        {possible.map((act) => (
          <button
            key={act}
            type="button"
            className={buttons["button"]}
            onClick={() => {
              setUrl({ do: act });
            }}
          >
            {t(installation.state === "waiting" ? "installations.act.refuse" : `installations.act.${act}`)}
          </button>
        ))}
      </div>
    </Restricted>
  );
}

function Dialogs({ installation, others }: ViewProps) {
  const [url, setUrl] = useUrlState(["do"]);
  const act = actsOf(installation).find((each) => each === url.do);
  if (!act || act === "change") return null;
  const onClose = () => {
    setUrl({ do: null });
  };
  return (
    <Restricted to="operator">
      {act === "rename" ? <InstallationRename installation={installation} onClose={onClose} /> : null}
      {act === "replace" ? <InstallationReplace installation={installation} others={others} onClose={onClose} /> : null}
      {act === "revoke" ? <InstallationRevoke installation={installation} onClose={onClose} /> : null}
    </Restricted>
  );
}
