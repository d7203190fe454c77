// What can be done with a meter's chart: another quantity, a comparison, a closer look, the table, and files.

import { hasCurves, quantities, type Comparison } from "../hooks/meter-view.ts";
import buttons from "../ui/button.module.css";
import { isWhole, panned, zoomed } from "../ui/chart-view.ts";
import { Choice } from "../ui/choice.tsx";
import { Glyph, type GlyphName } from "../ui/glyph.tsx";
import { csv } from "../util/csv.ts";
import { t } from "../util/text.ts";
import type { ShownProps } from "./meter-shown.ts";
import styles from "./meter-chart.module.css";

interface MeterToolsProps extends ShownProps {
  /** The chart's data for a file, its heading first. */
  table: () => (string | number | null)[][];
  /** That data is not of the period shown, or not here yet: no file of the period's name may hold it. */
  isOld: boolean;
}

export function MeterTools(props: MeterToolsProps) {
  const { view } = props;
  return (
    <div className={styles["tools"]}>
      {hasCurves(view.span) ? (
        <Choice
          label={t("meter.quantity.label")}
          options={quantities.map((value) => ({ value, label: t(`meter.quantity.${value}`) }))}
          value={view.quantity}
          onChange={view.showQuantity}
        />
      ) : null}
      <Compare {...props} />
      <Zoom {...props} />
      <button
        type="button"
        className={buttons["button"]}
        aria-pressed={view.isTable}
        onClick={() => {
          view.showTable(!view.isTable);
        }}
      >
        <Glyph name="table" size={16} />
        {t("meter.tools.table")}
      </button>
      <Files {...props} />
    </div>
  );
}

function Compare({ installation, all, view }: MeterToolsProps) {
  const others = all.filter(({ id, state }) => id !== installation.id && state !== "waiting");
  return (
    <label className={styles["compare"]}>
      <span>{t("meter.compare.label")}</span>
      <select
        value={String(view.compare ?? "")}
        onChange={(event) => {
          view.showCompared(comparisonOf(event.target.value));
        }}
      >
        <option value="">{t("meter.compare.none")}</option>
        <option value="previous">{t(`meter.compare.previous.${view.span}`)}</option>
        {others.map(({ id, name }) => (
          <option key={id} value={String(id)}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}

function comparisonOf(value: string): Comparison {
  if (value === "") return null;
  return value === "previous" ? value : Number(value);
}

function Zoom({ view: { view, bounds, showView, isTable, quantity, span } }: MeterToolsProps) {
  const middle = (view.from + view.to) / 2;
  const shortest = quantity === "energy" ? (bounds.to - bounds.from) / barsIn[span] : 60;
  const whole = isWhole(view, bounds);
  const step = (view.to - view.from) / 4;
  const actions: { glyph: GlyphName; label: string; isOff: boolean; run: () => void }[] = [
    {
      glyph: "plus",
      label: t("meter.tools.closer"),
      isOff: view.to - view.from <= shortest,
      run: () => {
        showView(zoomed(view, 0.5, middle, bounds, shortest), true);
      },
    },
    {
      glyph: "minus",
      label: t("meter.tools.wider"),
      isOff: whole,
      run: () => {
        showView(zoomed(view, 2, middle, bounds, shortest), true);
      },
    },
    {
      glyph: "back",
      label: t("meter.tools.earlier"),
      isOff: view.from <= bounds.from,
      run: () => {
        showView(panned(view, -step, bounds), true);
      },
    },
    {
      glyph: "chevron",
      label: t("meter.tools.later"),
      isOff: view.to >= bounds.to,
      run: () => {
        showView(panned(view, step, bounds), true);
      },
    },
    {
      glyph: "whole",
      label: t("meter.tools.whole"),
      isOff: whole,
      run: () => {
        showView(bounds, true);
      },
    },
  ];
  if (isTable) return null;
  return (
    <div className={styles["zoom"]} role="group" aria-label={t("meter.tools.zoom")}>
      {actions.map(({ glyph, label, isOff, run }) => (
        <button key={glyph} type="button" className={buttons["button"]} data-compact aria-label={label} title={label} disabled={isOff} onClick={run}>
          <Glyph name={glyph} size={18} />
        </button>
      ))}
    </div>
  );
}

/** How many bars a span has, near enough to say how close one may look. */
const barsIn = { hour: 6, day: 24, week: 7, month: 30, year: 12 } as const;

function Files({ installation, view, table, isOld }: MeterToolsProps) {
  const { period, span, quantity } = view;
  const interval = new URLSearchParams({
    start_time: new Date(view.settledView.from * 1000).toISOString(),
    end_time: new Date(view.settledView.to * 1000 - 1).toISOString(),
  });
  return (
    <div className={styles["files"]}>
      <button
        type="button"
        className={buttons["button"]}
        disabled={isOld}
        onClick={() => {
          save(`${fileName(installation.name)}-${quantity}-${span}-${period.date.replace(/b$/, "-2")}.csv`, csv(table()));
        }}
      >
        <Glyph name="download" size={16} />
        {t("meter.tools.chartFile")}
      </button>
      <a className={buttons["button"]} href={`/api/v1/installations/${String(installation.id)}/readings.csv?${interval.toString()}`} download>
        <Glyph name="download" size={16} />
        {t("meter.tools.readingsFile")}
      </a>
    </div>
  );
}

/** A meter's name as part of a file's: letters and digits of any script, joined by hyphens. */
function fileName(name: string): string {
  return name.replaceAll(/[^\p{Letter}\p{Number}]+/gu, "-").replaceAll(/^-|-$/g, "").toLowerCase();
}

function save(name: string, content: string): void {
  const url = URL.createObjectURL(new Blob([content], { type: "text/csv;charset=utf-8" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}
