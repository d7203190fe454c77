// Which span a meter's chart shows, and which one of its kind: steps back and forth, a date to pick, and the way back to now.

import type { Installation } from "../api/types.ts";
import { usePrefetch } from "../hooks/meter-chart.ts";
import type { MeterView } from "../hooks/meter-view.ts";
import buttons from "../ui/button.module.css";
import { Choice } from "../ui/choice.tsx";
import { Glyph } from "../ui/glyph.tsx";
import { periodName } from "../util/format.ts";
import { isCurrent, isFuture, periodAt, periodNamed, spans, stepped, type Period } from "../util/period.ts";
import { t } from "../util/text.ts";
import styles from "./meter-chart.module.css";

interface MeterPeriodProps {
  installation: Installation;
  view: MeterView;
  zone: string;
  now: number;
}

export function MeterPeriod({ installation, view, zone, now }: MeterPeriodProps) {
  const { span, period } = view;
  const today = periodAt("day", now, zone).date;
  return (
    <div className={styles["head"]}>
      <div className={styles["spans"]}>
        <Choice
          label={t("meter.span.label")}
          options={spans.map((value) => ({ value, label: t(`meter.span.${value}`) }))}
          value={span}
          onChange={(next) => {
            view.showSpan(next);
          }}
        />
      </div>
      <div className={styles["steps"]}>
        <Step way={-1} installation={installation} view={view} zone={zone} now={now} />
        <h3 className={styles["period"]} aria-live="polite" data-testid="period">
          {periodName(span, period.start, period.end, zone)}
        </h3>
        <Step way={1} installation={installation} view={view} zone={zone} now={now} />
      </div>
      <div className={styles["pick"]}>
        <label className={styles["date"]}>
          <span className="visually-hidden">{t("meter.period.pick")}</span>
          <input
            type="date"
            value={period.date.slice(0, 10)}
            max={today}
            required
            onChange={(event) => {
              const chosen = picked(event.target.value, period, zone);
              if (chosen && !isFuture(chosen, now)) view.showPeriod(chosen);
            }}
          />
        </label>
        <button
          type="button"
          className={buttons["button"]}
          disabled={isCurrent(period, now)}
          onClick={() => {
            view.showPeriod(view.current);
          }}
        >
          {t("meter.period.now")}
        </button>
      </div>
    </div>
  );
}

/** The period of the date picked; of an hour, the same hour of that day. */
function picked(date: string, period: Period, zone: string): Period | null {
  const hour = period.span === "hour" ? period.date.slice(10, 13) : "";
  return periodNamed(period.span, `${date}${hour}`, zone);
}

function Step({ way, installation, view, zone, now }: MeterPeriodProps & { way: -1 | 1 }) {
  const prefetch = usePrefetch(installation, view);
  const target = stepped(view.period, way, zone);
  const name = periodName(target.span, target.start, target.end, zone);
  const label = way < 0 ? t("meter.period.previous", { period: name }) : t("meter.period.next", { period: name });
  const isOff = isFuture(target, now);
  const comeNear = () => {
    if (!isOff) prefetch(target);
  };
  return (
    <button
      type="button"
      className={buttons["button"]}
      aria-label={label}
      title={label}
      disabled={isOff}
      onPointerEnter={comeNear}
      onFocus={comeNear}
      onClick={() => {
        view.showPeriod(target);
      }}
    >
      <Glyph name={way < 0 ? "back" : "chevron"} size={18} />
    </button>
  );
}
