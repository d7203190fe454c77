// One rollout as it goes: its waves, its meters, what comes next, the words that stop it, and who said what.

import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "wouter";
import { ApiError } from "../api/client.ts";
import { firmware, type RolloutDetail } from "../api/firmware.ts";
import { ApiProblem, problemWords } from "../components/api-problem.tsx";
import { ConnectionBanner } from "../components/connection-banner.tsx";
import { ErrorBoundary } from "../components/error-boundary.tsx";
import { WordsText } from "../components/firmware-text.tsx";
import { RolloutBar, RolloutLegend } from "../components/rollout-bar.tsx";
import { RolloutDevices } from "../components/rollout-devices.tsx";
import { RolloutOrders } from "../components/rollout-orders.tsx";
import { planSentences } from "../components/rollout-plan.ts";
import { updatedPercent } from "../components/rollout-progress.ts";
import { RolloutSteps } from "../components/rollout-steps.tsx";
import { RolloutWaves } from "../components/rollout-waves.tsx";
import { isOver, nextStep, reasonWords, rolloutLooks } from "../components/rollout-words.ts";
import { useMay, useSession } from "../hooks/session.ts";
import { useNow } from "../hooks/now.ts";
import { Badge } from "../ui/badge.tsx";
import { Notice } from "../ui/notice.tsx";
import { PageSkeleton } from "../ui/page-skeleton.tsx";
import { counted, percent } from "../util/format.ts";
import { viewerZone } from "../util/instant.ts";
import { t } from "../util/text.ts";
import styles from "./administration-page.module.css";
import own from "./firmware-page.module.css";

export default function FirmwareRolloutPage() {
  const id = Number(useParams()["id"]);
  const rollout = useQuery({ ...firmware.rollout(id), enabled: Number.isSafeInteger(id) });
  if (!Number.isSafeInteger(id) || (rollout.error instanceof ApiError && rollout.error.status === 404)) return <Missing />;
  if (rollout.error && !rollout.data) return <ApiProblem error={rollout.error} onRetry={() => void rollout.refetch()} />;
  return rollout.data ? <RolloutView key={id} rollout={rollout.data} /> : <PageSkeleton label={t("app.loading")} />;
}

function Missing() {
  return (
    <div className={styles["page"]}>
      <title>{t("app.pageTitle", { page: t("firmware.rollouts.missing") })}</title>
      <h1>{t("firmware.rollouts.missing")}</h1>
      <p>
        <Link href="/firmware">{t("firmware.back")}</Link>
      </p>
    </div>
  );
}

function RolloutView({ rollout }: { rollout: RolloutDetail }) {
  const { counts, meters, state } = rollout;
  const devices = useQuery(firmware.rolloutDevices(rollout.id));
  const session = useSession();
  const mayWithdraw = useMay("firmware").allowed;
  const zone = viewerZone();
  // Parts that came one by one would push each other down.
  if (!session || devices.isPending) return <PageSkeleton label={t("app.loading")} />;
  const names = new Map(devices.data?.map(({ meter_id: meter, name }) => [meter, name]));
  return (
    <div className={styles["page"]} data-testid="rollout" data-state={state}>
      <title>{t("app.pageTitle", { page: rollout.name })}</title>
      <div>
        <p className={styles["crumb"]}>
          <Link href="/firmware">{t("app.nav.firmware")}</Link>
        </p>
        <h1>{rollout.name}</h1>
        <div className={styles["state"]}>
          <Badge {...rolloutLooks[state]}>{t(`firmware.rollout.${state}`)}</Badge>
          <Link href={`/firmware/releases/${rollout.release}`}>{t("firmware.release.title", { version: rollout.version })}</Link>
          {mayWithdraw && !isOver(state) ? <Link href={`/firmware/releases/${rollout.release}?do=withdraw`}>{t("firmware.withdraw.open")}</Link> : null}
        </div>
      </div>
      <div className={own["now"]} data-testid="rollout-now">
        <p className={own["reason"]}>
          <WordsText words={reasonWords(rollout)} />
        </p>
        <NextStep rollout={rollout} zone={zone} />
      </div>
      <RolloutOrders rollout={rollout} />
      <section aria-labelledby="progress" className={styles["panel"]}>
        <h2 id="progress">{t("firmware.rollouts.updatedOf", { updated: counted(counts.updated), meters: counted(meters), percent: percent(updatedPercent(counts) / 100) })}</h2>
        <RolloutBar counts={counts} />
        <RolloutLegend counts={counts} />
      </section>
      <section aria-labelledby="waves" className={styles["panel"]}>
        <h2 id="waves">{t("firmware.waves.heading")}</h2>
        <RolloutWaves waves={rollout.waves} current={isOver(state) ? 0 : rollout.wave} />
      </section>
      <section aria-labelledby="devices" className={styles["panel"]}>
        <h2 id="devices">{t("firmware.devices.heading")}</h2>
        <ErrorBoundary>
          {devices.data ? (
            <RolloutDevices rollout={rollout} devices={devices.data} zone={zone} />
          ) : (
            <Notice {...problemWords(devices.error)} action={t("app.problem.retry")} onAction={() => void devices.refetch()} />
          )}
        </ErrorBoundary>
      </section>
      <section aria-labelledby="plan" className={styles["panel"]}>
        <h2 id="plan">{t("firmware.plan.heading")}</h2>
        <ul className={own["sentences"]}>
          {planSentences(rollout.plan, rollout.version).map((sentence) => (
            <li key={sentence}>{sentence}</li>
          ))}
        </ul>
      </section>
      <section aria-labelledby="steps" className={styles["panel"]}>
        <div>
          <h2 id="steps">{t("firmware.step.heading")}</h2>
          <p className={styles["lead"]}>{t("firmware.step.lead", { zone: zone.replaceAll("_", " ") })}</p>
        </div>
        <RolloutSteps rollout={rollout} names={names} zone={zone} />
      </section>
      <ConnectionBanner zone={zone} />
    </div>
  );
}

/** On its own, so that the page is not drawn anew every second. */
function NextStep({ rollout, zone }: { rollout: RolloutDetail; zone: string }) {
  const step = nextStep(rollout, useNow(1000), zone);
  return step === null ? null : <p data-testid="next-step">{step}</p>;
}
