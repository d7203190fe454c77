// The page's last line: where its figures come from, and where to check them.

import { text } from "../util/strings.ts";
import styles from "./page-footer.module.css";

export function PageFooter() {
  return (
    <footer className={styles["footer"]}>
      <p>{text.footer.claim}</p>
      <a href="/docs">{text.footer.api}</a>
    </footer>
  );
}
