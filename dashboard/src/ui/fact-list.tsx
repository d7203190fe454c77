// What is known of one thing: a name and a value in each line, side by side where there is room.

import type { ReactNode } from "react";
import styles from "./fact-list.module.css";

export interface Fact {
  id: string;
  label: string;
  value: ReactNode;
}

export function FactList({ facts }: { facts: readonly Fact[] }) {
  return (
    <dl className={styles["facts"]}>
      {facts.map(({ id, label, value }) => (
        <div key={id}>
          <dt>{label}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
