// Copies a text, and says whether it was copied.

import { useState } from "react";
import { copy } from "../util/clipboard.ts";
import { t } from "../util/text.ts";
import styles from "./button.module.css";
import { Glyph } from "./glyph.tsx";

interface CopyButtonProps {
  content: string;
  label: string;
  doneLabel: string;
  /** Shows the glyph only; the label is still spoken. */
  compact?: boolean;
}

export function CopyButton({ content, label, doneLabel, compact = false }: CopyButtonProps) {
  const [tried, setTried] = useState<{ content: string; isCopied: boolean } | null>(null);
  const isCopied = tried?.content === content ? tried.isCopied : null;
  return (
    <button
      type="button"
      className={styles["button"]}
      data-compact={compact || undefined}
      onClick={() => {
        void copy(content).then((done) => {
          setTried({ content, isCopied: done });
        });
      }}
    >
      <Glyph name={isCopied ? "done" : "copy"} size={16} />
      <span className={compact && isCopied !== false ? "visually-hidden" : undefined} aria-live="polite">
        {isCopied === null ? label : isCopied ? doneLabel : t("app.copyFailed")}
      </span>
    </button>
  );
}
