// Words of firmware as they are set: what is the gateway's own English says so, and a digest can be copied whole.

import { CopyButton } from "../ui/copy-button.tsx";
import { fingerprint, nothing } from "../util/format.ts";
import { t } from "../util/text.ts";
import type { Words } from "./firmware-words.ts";
import styles from "./firmware-text.module.css";

export function WordsText({ words }: { words: Words }) {
  return <span lang={words.lang}>{words.text}</span>;
}

/** The beginning of a digest or an id, with all of it to copy. */
export function Digest({ digest, label }: { digest: string | null; label: string }) {
  if (digest === null) return nothing;
  return (
    <span className={styles["digest"]}>
      <code>{fingerprint(digest)}</code>
      <CopyButton content={digest} label={t("firmware.copy", { what: label })} doneLabel={t("app.copied")} compact />
    </span>
  );
}
