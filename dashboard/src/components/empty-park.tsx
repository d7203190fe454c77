// A park without meters: the three commands that bring in the first.

import { CopyButton } from "../ui/copy-button.tsx";
import { text } from "../util/strings.ts";
import styles from "./empty-park.module.css";

export function EmptyPark() {
  return (
    <section aria-labelledby="empty" className={styles["empty"]} data-testid="empty">
      <h1 id="empty">{text.empty.heading}</h1>
      <p className={styles["lead"]}>{text.empty.lead}</p>
      <ol className={styles["steps"]}>
        {text.empty.steps.map(({ title, note, command }) => {
          const line = command(location.origin);
          return (
            <li key={title} className={styles["step"]}>
              <h2>{title}</h2>
              <p>{note}</p>
              <div className={styles["command"]}>
                <code>{line}</code>
                <CopyButton content={line} label={text.empty.copy(title)} doneLabel={text.record.copied} compact />
              </div>
            </li>
          );
        })}
      </ol>
      <p className={styles["waiting"]}>{text.empty.waiting}</p>
    </section>
  );
}
