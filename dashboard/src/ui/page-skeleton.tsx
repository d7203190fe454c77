// Stands where a page will be, in its rough shape, until it is fetched.

import { Skeleton } from "./skeleton.tsx";
import styles from "./page-skeleton.module.css";

export function PageSkeleton({ label }: { label: string }) {
  return (
    <div className={styles["page"]} role="status" aria-label={label}>
      <Skeleton width="12rem" height="1.5rem" />
      <Skeleton width="18rem" height="4.5rem" />
      <Skeleton width="100%" height="14rem" />
    </div>
  );
}
