// Every drawn thing of the dashboard in all its states, with the colours and how well they are told apart. It asks the gateway for nothing.

import { useState, type ReactNode } from "react";
import { StyleCharts } from "../components/style-charts.tsx";
import { StyleColours } from "../components/style-colours.tsx";
import { StyleForms } from "../components/style-forms.tsx";
import { Badge } from "../ui/badge.tsx";
import buttons from "../ui/button.module.css";
import { Choice } from "../ui/choice.tsx";
import { CopyButton } from "../ui/copy-button.tsx";
import { FactList } from "../ui/fact-list.tsx";
import { FigureText } from "../ui/figure.tsx";
import { Glyph, glyphNames } from "../ui/glyph.tsx";
import { Notice } from "../ui/notice.tsx";
import { Skeleton } from "../ui/skeleton.tsx";
import { Table } from "../ui/table.tsx";
import { TickGauge } from "../ui/tick-gauge.tsx";
import { counter, energyFigure, percent, powerFigure, yieldFigure } from "../util/format.ts";
import { t } from "../util/text.ts";
import styles from "./style-page.module.css";

export default function StylePage() {
  return (
    <div className={styles["page"]}>
      <title>{t("app.pageTitle", { page: t("style.heading") })}</title>
      <div className={styles["head"]}>
        <h1>{t("style.heading")}</h1>
        <p>{t("style.lead")}</p>
      </div>
      <Part title={t("style.colours")}>
        <StyleColours />
      </Part>
      <Part title={t("style.type")}>
        <Letters />
      </Part>
      <Part title={t("style.buttons")}>
        <Buttons />
      </Part>
      <Part title={t("style.states")}>
        <States />
      </Part>
      <Part title={t("style.gauges")}>
        <Gauges />
      </Part>
      <Part title={t("style.charts")}>
        <StyleCharts />
      </Part>
      <Part title={t("style.tables")}>
        <Tables />
      </Part>
      <Part title={t("style.fields")}>
        <StyleForms />
      </Part>
      <Part title={t("style.notices")}>
        <Notices />
      </Part>
    </div>
  );
}

function Part({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className={styles["part"]}>
      <h2>{title}</h2>
      <div className={styles["things"]}>{children}</div>
    </section>
  );
}

const figures = [powerFigure(843), powerFigure(3421), powerFigure(-5.2), energyFigure(412_300), energyFigure(12_840_000), yieldFigure(3.42), powerFigure(null)];

function Letters() {
  return (
    <>
      {(["hero", "6", "5", "4", "3", "2", "1"] as const).map((size) => (
        <p key={size} style={{ fontSize: `var(--size-${size})` }} className={styles["sample"]}>
          {size === "hero" ? <FigureText figure={powerFigure(3421)} /> : t("style.sample")}
        </p>
      ))}
      <p className={styles["row"]}>
        {figures.map((figure) => (
          <span key={`${figure.value} ${figure.unit}`} className={styles["figure"]}>
            <FigureText figure={figure} />
          </span>
        ))}
      </p>
      <p>
        <code>{t("style.code")}</code>
      </p>
    </>
  );
}

const choices = ["one", "two", "three"] as const;

function Buttons() {
  const [chosen, choose] = useState<(typeof choices)[number]>("one");
  return (
    <>
      <p className={styles["row"]}>
        <button type="button" className={buttons["button"]} data-primary>
          {t("style.button.primary")}
        </button>
        <button type="button" className={buttons["button"]}>
          {t("style.button.plain")}
        </button>
        <button type="button" className={buttons["button"]} data-danger>
          {t("style.button.danger")}
        </button>
        <button type="button" className={buttons["button"]} disabled>
          {t("style.button.disabled")}
        </button>
        <CopyButton content={t("style.code")} label={t("style.button.copy")} doneLabel={t("app.copied")} />
        <CopyButton content={t("style.code")} label={t("style.button.copy")} doneLabel={t("app.copied")} compact />
        <a href="/style">{t("style.button.link")}</a>
      </p>
      <Choice
        label={t("style.choice.label")}
        options={choices.map((value) => ({ value, label: t(`style.choice.${value}`) }))}
        value={chosen}
        onChange={choose}
      />
    </>
  );
}

const states = ["live", "late", "silent", "waiting", "revoked", "replaced", "never"] as const;
const tones = { live: "good", late: "late", silent: "gone", waiting: "late", revoked: "gone", replaced: "plain", never: "plain" } as const;
const signatures = ["own", "sealed", "unverified"] as const;

function States() {
  return (
    <>
      <p className={styles["row"]}>
        {states.map((name) => (
          <Badge key={name} glyph={name} tone={tones[name]}>
            {t(`app.state.name.${name}`)}
          </Badge>
        ))}
      </p>
      <p className={styles["row"]}>
        {signatures.map((name) => (
          <Badge key={name} glyph={name} tone={name === "unverified" ? "late" : "good"}>
            {t(`app.signature.${name}.name`)}
          </Badge>
        ))}
      </p>
      <p className={styles["row"]}>
        {glyphNames.map((name) => (
          <span key={name} className={styles["glyph"]}>
            <Glyph name={name} size={24} />
            <code>{name}</code>
          </span>
        ))}
      </p>
    </>
  );
}

function Gauges() {
  return [null, 0, 0.24, 0.5, 1].map((share) => (
    <div key={String(share)} className={styles["gauge"]}>
      <TickGauge
        share={share}
        label={t("style.gauge", { share: share === null ? t("style.unknown") : percent(share) })}
        valueText={share === null ? t("style.unknown") : percent(share)}
      />
      <p>{share === null ? t("style.unknown") : percent(share)}</p>
    </div>
  ));
}

const rows = [
  { id: 1, state: "live", wattHours: 4_812_000 },
  { id: 2, state: "late", wattHours: 3_201_400 },
  { id: 3, state: "silent", wattHours: 912_700 },
] as const;

function Tables() {
  return (
    <>
      <Table
        label={t("style.tables")}
        columns={[
          { id: "name", header: t("style.table.meter"), renderCell: ({ id }) => t("style.table.name", { number: id }) },
          {
            id: "state",
            header: t("style.table.state"),
            renderCell: ({ state }) => (
              <Badge glyph={state} tone={tones[state]}>
                {t(`app.state.name.${state}`)}
              </Badge>
            ),
          },
          { id: "counter", header: t("style.table.counter"), renderCell: ({ wattHours }) => counter(wattHours), isNumber: true },
        ]}
        rows={rows}
        rowKey={({ id }) => id}
      />
      <FactList
        facts={rows.map(({ id, wattHours }) => ({ id: String(id), label: t("style.table.name", { number: id }), value: counter(wattHours) }))}
      />
    </>
  );
}

const nothing = () => {
  // There is nothing to try again here.
};

function Notices() {
  return (
    <>
      <Notice title={t("app.problem.crashed")} detail={t("app.problem.crashedDetail")} action={t("app.problem.reload")} onAction={nothing} />
      <Notice title={t("app.problem.unreachable")} detail={t("app.problem.unreachableDetail")} />
      <p className={styles["quiet"]}>{t("style.empty")}</p>
      <p className={styles["row"]}>
        <Skeleton width="4ch" />
        <Skeleton width="12rem" />
        <Skeleton width="6rem" height="2rem" />
      </p>
    </>
  );
}
