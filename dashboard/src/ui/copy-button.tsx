// Copies a text. Browsers hide the clipboard on plain http addresses, where a park's gateway often is: then an old way is taken.

import { useState } from "react";
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
  const [copied, setCopied] = useState<string | null>(null);
  const done = copied === content;
  return (
    <button
      type="button"
      className={styles["button"]}
      data-compact={compact || undefined}
      onClick={() => {
        void copy(content).then(() => {
          setCopied(content);
        });
      }}
    >
      <Glyph name={done ? "done" : "copy"} size={16} />
      <span className={compact ? "visually-hidden" : undefined} aria-live="polite">
        {done ? doneLabel : label}
      </span>
    </button>
  );
}

async function copy(content: string): Promise<void> {
  if ("clipboard" in navigator) {
    await navigator.clipboard.writeText(content);
    return;
  }
  const area = document.createElement("textarea");
  area.value = content;
  area.style.position = "fixed";
  area.style.opacity = "0";
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}
