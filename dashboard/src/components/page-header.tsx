// The bar on top: whose page it is, whether it is live, and in which light.

import { useLiveStream } from "../hooks/live-stream.ts";
import { themes, useTheme } from "../hooks/theme.ts";
import { Choice } from "../ui/choice.tsx";
import { Glyph } from "../ui/glyph.tsx";
import { text } from "../util/strings.ts";
import styles from "./page-header.module.css";

export function PageHeader() {
  const [theme, choose] = useTheme();
  return (
    <header className={styles["header"]}>
      <a href="/" className={styles["wordmark"]}>
        <span className={styles["mark"]}>
          <Glyph name="wordmark" size={24} />
        </span>
        <span>{text.product}</span>
      </a>
      <StreamBadge />
      <Choice
        label={text.theme.label}
        options={themes.map((value) => ({ value, label: text.theme[value], glyph: <Glyph name={value} /> }))}
        value={theme}
        onChange={choose}
      />
    </header>
  );
}

const badges = { open: text.stream.live, connecting: text.stream.connecting, waiting: text.stream.lost } as const;

function StreamBadge() {
  const { phase } = useLiveStream();
  return (
    <p className={styles["badge"]} data-phase={phase} data-testid="stream" role="status">
      <span className={styles["dot"]} aria-hidden="true" />
      {badges[phase]}
    </p>
  );
}
