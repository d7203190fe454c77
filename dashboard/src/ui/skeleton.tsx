// A quiet stand-in of the size of what is coming, so that nothing moves when it comes.

import styles from "./skeleton.module.css";

/** `width` and `height` are any CSS length; without a height it is that of the line of text it stands in. */
export function Skeleton({ width, height }: { width: string; height?: string }) {
  return <span aria-hidden="true" className={styles["skeleton"]} style={{ width, height }} />;
}
