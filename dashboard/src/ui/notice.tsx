// Something went wrong, in place of what it concerns: what, why, and the way on.

import styles from "./notice.module.css";
import buttons from "./button.module.css";

interface NoticeProps {
  title: string;
  detail?: string | undefined;
  action?: string;
  onAction?: () => void;
}

export function Notice({ title, detail, action, onAction }: NoticeProps) {
  return (
    <div className={styles["notice"]} role="alert">
      <p className={styles["title"]}>{title}</p>
      {detail ? <p className={styles["detail"]}>{detail}</p> : null}
      {action ? (
        <button type="button" className={buttons["button"]} onClick={onAction}>
          {action}
        </button>
      ) : null}
    </div>
  );
}
