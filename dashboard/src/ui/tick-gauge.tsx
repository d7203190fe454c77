// A scale of ticks, filled up to a share, like the scale of an instrument.

import styles from "./tick-gauge.module.css";

const ticks = 80;

/** `share` is of the whole scale; above 1 the scale is full, null leaves it empty. */
export function TickGauge({ share, label, valueText }: { share: number | null; label: string; valueText: string }) {
  const bounded = Math.min(1, Math.max(0, share ?? 0));
  const lit = share === null ? -1 : Math.round(bounded * ticks);
  return (
    <div
      className={styles["gauge"]}
      role="meter"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(bounded * 100)}
      aria-valuetext={valueText}
    >
      {Array.from({ length: ticks + 1 }, (_, tick) => (
        <span
          key={tick}
          className={styles["tick"]}
          data-lit={tick <= lit || undefined}
          data-major={tick % (ticks / 4) === 0 || undefined}
          data-tip={tick === lit || undefined}
        />
      ))}
    </div>
  );
}
