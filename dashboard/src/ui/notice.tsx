// Something went wrong, in place of what it concerns: what, why, and the way on.

import type { ReactNode } from "react";
import styles from "./notice.module.css";
import buttons from "./button.module.css";

interface NoticeProps {
  title: ReactNode;
  detail?: ReactNode;
  action?: string;
  onAction?: () => void;
  /** For a notice that is all there is on the page. */
  large?: boolean;
}

export function Notice({ title, detail, action, onAction, large = false }: NoticeProps) {
  return (
    <div className={styles["notice"]} data-large={large || undefined} role="alert">
      {large ? <h1 className={styles["title"]}>{title}</h1> : <p className={styles["title"]}>{title}</p>}
      {detail ? <p className={styles["detail"]}>{detail}</p> : null}
      {action ? (
        <button type="button" className={buttons["button"]} onClick={onAction}>
          {action}
        </button>
      ) : null}
    </div>
  );
}
