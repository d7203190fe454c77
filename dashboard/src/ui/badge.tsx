// A state in a word, with a shape of its own beside it so that the colour is not all that tells it.

import { Glyph, type GlyphName } from "./glyph.tsx";
import styles from "./badge.module.css";

interface BadgeProps {
  tone?: "plain" | "good" | "late" | "gone";
  glyph?: GlyphName;
  children: string;
}

export function Badge({ tone = "plain", glyph, children }: BadgeProps) {
  return (
    <span className={styles["badge"]} data-tone={tone}>
      {glyph ? <Glyph name={glyph} size={16} /> : null}
      <span>{children}</span>
    </span>
  );
}
