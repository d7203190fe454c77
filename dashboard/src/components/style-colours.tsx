// The colours by their names, with the contrast of each pair as this browser has it now.

import { useCallback, useState } from "react";
import { useTheme } from "../hooks/theme.ts";
import { channelsOf, contrast } from "../util/contrast.ts";
import { ratio } from "../util/format.ts";
import { t } from "../util/text.ts";
import styles from "./style-colours.module.css";

/** What is on what, and the least contrast that WCAG 2.2 AA asks for it: 4.5 of letters, 3 of what is drawn. */
const pairs = [
  ...(["ground", "raised", "sunken"] as const).flatMap((ground) =>
    (["ink", "ink-soft", "accent", "late", "gone"] as const).map((ink) => ({ ink, ground, least: 4.5 })),
  ),
  { ink: "on-accent", ground: "accent-ground", least: 4.5 },
  { ink: "line-strong", ground: "ground", least: 3 },
  { ink: "chart-line", ground: "ground", least: 3 },
  { ink: "focus", ground: "ground", least: 3 },
] as const;

export function StyleColours() {
  const [theme] = useTheme();
  return (
    // Another theme is another set of colours.
    <ul key={theme} className={styles["pairs"]}>
      {pairs.map((pair) => (
        <Pair key={`${pair.ink} ${pair.ground}`} {...pair} />
      ))}
    </ul>
  );
}

function Pair({ ink, ground, least }: (typeof pairs)[number]) {
  const [measured, measure] = useState<number | null>(null);
  const ref = useCallback((element: HTMLElement | null) => {
    if (!element) return undefined;
    return watchScheme(() => {
      measure(contrastOf(element));
    });
  }, []);
  const verdict = measured === null || measured >= least ? "style.contrast.enough" : "style.contrast.little";
  return (
    <li data-testid="contrast" data-ratio={measured ?? undefined} data-least={least}>
      <span ref={ref} className={styles["swatch"]} style={{ color: `var(--${ink})`, background: `var(--${ground})` }} aria-hidden="true">
        {least === 4.5 ? t("style.letter") : <span className={styles["line"]} />}
      </span>
      <span>
        <code>{ink}</code>
        <span className={styles["on"]}>{t("style.on", { ground })}</span>
        <span>{measured === null ? "\u00a0" : t(verdict, { ratio: ratio(measured), least: ratio(least) })}</span>
      </span>
    </li>
  );
}

function contrastOf(element: HTMLElement): number | null {
  const { color, backgroundColor } = getComputedStyle(element);
  const [ink, ground] = [channelsOf(color), channelsOf(backgroundColor)];
  return ink && ground ? contrast(ink, ground) : null;
}

/** Runs now, and again when the system changes between light and dark. */
function watchScheme(task: () => void): () => void {
  const scheme = matchMedia("(prefers-color-scheme: dark)");
  scheme.addEventListener("change", task);
  task();
  return () => {
    scheme.removeEventListener("change", task);
  };
}
