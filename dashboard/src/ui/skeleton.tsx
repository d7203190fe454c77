// A quiet stand-in of the size of what is coming, so that nothing moves when it comes.

import styles from "./skeleton.module.css";

/** `width` is any CSS length; the height is that of the line of text it stands in. */
export function Skeleton({ width }: { width: string }) {
  return <span aria-hidden="true" className={styles["skeleton"]} style={{ width }} />;
}
