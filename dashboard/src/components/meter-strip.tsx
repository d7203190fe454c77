// One meter: what it is called, how it is, and its power through the day.

import { useQuery } from "@tanstack/react-query";
import { memo, useCallback, useEffect, useMemo } from "react";
import { Link } from "wouter";
import { beganAt, meterState, type MeterState } from "../api/meter-state.ts";
import { curvePoints, queries } from "../api/queries.ts";
import type { Installation } from "../api/types.ts";
import { useInView } from "../hooks/in-view.ts";
import { useNow } from "../hooks/now.ts";
import { useClearSky, useEnergyOf, useLatestOf, useStatusOf } from "../hooks/park.ts";
import { useKiosk } from "../hooks/url-state.ts";
import { FigureText } from "../ui/figure.tsx";
import { Glyph } from "../ui/glyph.tsx";
import { Notice } from "../ui/notice.tsx";
import { Skeleton } from "../ui/skeleton.tsx";
import { TimeChart } from "../ui/time-chart.tsx";
import type { ClearSkyBand } from "../util/clear-sky.ts";
import { axisTop, dayCurve, valueAt } from "../util/day-curve.ts";
import { axisPower, duration, energyFigure, fingerprint, hourMinute, moment, nothing, power, powerFigure } from "../util/format.ts";
import { instantOf, knownZone, localDay, type LocalDay } from "../util/instant.ts";
import { longestStep, peakOf, type Point } from "../util/series.ts";
import { t } from "../util/text.ts";
import styles from "./meter-strip.module.css";

interface MeterStripProps {
  installation: Installation;
  /** What the meter is called that took this one's place. */
  successor: string | null;
  /** Draws nothing while it is out of sight: one of very many. */
  isOneOfMany: boolean;
  cursor: number | null;
  onCursor: (seconds: number | null) => void;
  /** Called when there is a band of a clear day behind the curve. */
  onBand: () => void;
}

export const MeterStrip = memo(function MeterStrip({ installation, successor, isOneOfMany, cursor, onCursor, onBand }: MeterStripProps) {
  const { id, name } = installation;
  const zone = knownZone(installation.timezone);
  const now = useNow(10_000);
  const kiosk = useKiosk();
  const [ref, isInView] = useInView();
  const state = meterState(installation, useStatusOf(id));
  const measures = state.name !== "waiting" && state.name !== "replaced";
  const isDrawn = measures && (isInView || !isOneOfMany);
  const today = localDay(now, zone);
  const curve = useQuery({ ...queries.curve(id, today.start, today.end), enabled: isDrawn });
  const band = useClearSky(installation, today, isDrawn);
  useEffect(() => {
    if (band) onBand();
  }, [band, onBand]);
  return (
    <li ref={ref} className={styles["strip"]} data-testid={`meter-${String(id)}`} data-state={state.name} data-measures={measures || undefined}>
      <div className={styles["head"]}>
        <h3 className={styles["name"]}>{kiosk ? name : <Link href={`/meters/${String(id)}`}>{name}</Link>}</h3>
        <StateLine installation={installation} state={state} successor={successor} zone={zone} />
      </div>
      {measures ? (
        <>
          <Figures installation={installation} points={curve.data} cursor={cursor} zone={zone} />
          <div className={styles["chart"]}>
            {isDrawn ? (
              <DayChart
                installation={installation}
                day={today}
                points={curve.data}
                band={band}
                failed={curve.isError}
                retry={curve.refetch}
                onCursor={onCursor}
                zone={zone}
                now={now}
              />
            ) : null}
          </div>
        </>
      ) : null}
    </li>
  );
});

interface StateLineProps {
  installation: Installation;
  state: MeterState;
  successor: string | null;
  zone: string;
}

/** What state a meter is in, since when and why. */
export function StateLine({ installation, state, successor, zone }: StateLineProps) {
  const now = useNow(60_000);
  const kiosk = useKiosk();
  return (
    <>
      <p className={styles["state"]} data-state={state.name}>
        <Glyph name={state.name} size={16} />
        <span>
          <strong>{t(`app.state.name.${state.name}`)}</strong>
          {state.since === null ? null : ` ${t("app.state.since", { time: moment(state.since, now, zone) })}`}
        </span>
      </p>
      <p className={styles["why"]}>
        {state.note === null ? null : <q>{state.note}</q>} {reason(installation, state, successor, now, zone)}{" "}
        {state.name === "waiting" && !kiosk ? (
          <Link href={`/installations/${String(installation.id)}`}>{t("app.state.approve")}</Link>
        ) : null}
      </p>
    </>
  );
}

function reason(installation: Installation, state: MeterState, successor: string | null, now: number, zone: string): string {
  const seen = instantOf(installation.last_seen_at);
  const last = seen === null ? nothing : moment(seen, now, zone);
  const cadence = duration(installation.expected_cadence_s * 1000);
  switch (state.name) {
    case "live":
      return t("app.state.why.live", { cadence });
    case "late":
      return t("app.state.why.late", { last, cadence });
    case "silent":
      return t("app.state.why.silent", { last });
    case "waiting":
      return t("app.state.why.waiting", { fingerprint: fingerprint(installation.meter_id) });
    case "revoked":
      return t("app.state.why.revoked");
    case "replaced":
      return successor === null ? t("app.state.why.replaced", { last }) : t("app.state.why.replacedBy", { name: successor });
    case "never":
      return t("app.state.why.never");
  }
}

interface FiguresProps {
  installation: Installation;
  points: readonly Point[] | undefined;
  cursor: number | null;
  zone: string;
}

/** Power and energy at the right of the strip; while the pointer is on a curve, the power at that time stands in place of the power now. */
function Figures({ installation, points, cursor, zone }: FiguresProps) {
  const latest = useLatestOf(installation.id);
  const energy = useEnergyOf(installation.id);
  const reports = installation.liveness === "live" || installation.liveness === "late";
  const newest = reports ? (latest.data?.power_w ?? null) : null;
  const step = longestStep(86_400, curvePoints, installation.expected_cadence_s);
  const shown = cursor === null || !points ? newest : valueAt(points, cursor, step);
  return (
    <dl className={styles["figures"]}>
      <div>
        <dt>{cursor === null ? t("park.meters.now") : t("park.meters.at", { time: hourMinute(cursor * 1000, zone) })}</dt>
        <dd className={styles["now"]} data-testid="meter-power">
          {latest.isPending ? <Skeleton width="4ch" /> : <FigureText figure={powerFigure(shown)} />}
        </dd>
      </div>
      <div>
        <dt>{t("park.meters.today")}</dt>
        <dd>{energy.isPending ? <Skeleton width="5ch" /> : <FigureText figure={energyFigure(energy.data?.today_wh ?? null)} />}</dd>
      </div>
    </dl>
  );
}

/** An axis says nothing before anything was measured or is expected: its scale would be made up. */
const unlabelled = () => "";

interface DayChartProps {
  installation: Installation;
  day: LocalDay;
  points: readonly Point[] | undefined;
  band: ClearSkyBand | null;
  failed: boolean;
  retry: () => unknown;
  onCursor: (seconds: number | null) => void;
  zone: string;
  now: number;
}

/** Kept from drawing again while the pointer moves: only the figures beside it follow. */
const DayChart = memo(function DayChart({ installation, day, points, band, failed, retry, onCursor, zone, now }: DayChartProps) {
  const { name, rated_power_w: rated, expected_cadence_s: cadence } = installation;
  const began = beganAt(installation);
  const from = day.start / 1000;
  const to = day.end / 1000;
  const until = Math.min(now / 1000, to);
  const formatTime = useCallback((seconds: number) => hourMinute(seconds * 1000, zone), [zone]);
  const curve = useMemo(() => {
    const step = longestStep(to - from, curvePoints, cadence);
    return dayCurve(points ?? [], step, Math.max(from, began), until);
  }, [points, from, to, cadence, began, until]);
  if (failed && !points) {
    return <Notice title={t("park.meters.failed")} action={t("app.problem.retry")} onAction={() => void retry()} />;
  }
  const peak = peakOf(points ?? []);
  const said = peak
    ? t("park.meters.chart", { name, peak: power(peak.watts), at: formatTime(peak.time), gaps: t("park.meters.gaps", { count: curve.gaps.length }) })
    : t("park.meters.chartEmpty", { name });
  const label = band ? `${said} ${t("park.meters.clearSkyChart", { peak: power(Math.max(...band.high)) })}` : said;
  const isScaled = peak !== null || band !== null;
  return (
    <>
      <TimeChart
        label={label}
        curve={curve}
        band={band}
        from={from}
        to={to}
        zone={zone}
        top={axisTop(Math.max(peak?.watts ?? 0, ...(band?.high ?? [])), rated)}
        limit={isScaled ? rated : null}
        limitLabel={t("park.power.rated", { rated: power(rated) })}
        gapLabel={t("park.meters.gap")}
        formatTime={formatTime}
        formatValue={isScaled ? axisPower : unlabelled}
        syncName="day"
        onCursor={onCursor}
      />
      {points && peak === null ? <p className={styles["empty"]}>{t("park.meters.empty")}</p> : null}
    </>
  );
});
