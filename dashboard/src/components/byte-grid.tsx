// Bytes as a grid that the pointer and the arrow keys move over, cut into spans that light up as one. In a copy each byte can be changed.

import { useRef, useState, type KeyboardEvent } from "react";
import { groups } from "../util/format.ts";
import { t } from "../util/text.ts";
import styles from "./byte-grid.module.css";

/** Bytes that belong together. */
export interface ByteSpan {
  readonly offset: number;
  readonly size: number;
  readonly label: string;
  readonly value: string | null;
}

interface ByteGridProps {
  label: string;
  hex: string;
  spans: readonly ByteSpan[];
  /** The first byte of the span that is lit. */
  active: number | null;
  onActive: (offset: number | null) => void;
  /** The digits that were signed: bytes that differ are marked. */
  original?: string | undefined;
  /** Takes a byte that was changed; without it nothing can be. */
  onByte?: ((offset: number, byte: number) => void) | undefined;
}

export function ByteGrid({ label, hex, spans, active, onActive, original, onByte }: ByteGridProps) {
  const grid = useRef<HTMLDivElement>(null);
  const [current, setCurrent] = useState(0);
  const bytes = groups(hex, 2);
  const signed = original === undefined ? bytes : groups(original, 2);
  const spanOf = (offset: number) => spans.findLastIndex((span) => offset >= span.offset);
  const lit = spans.find(({ offset }) => offset === active) ?? null;

  const moveTo = (offset: number) => {
    const bounded = Math.max(0, Math.min(bytes.length - 1, offset));
    grid.current?.querySelector<HTMLButtonElement>(`[data-offset="${String(bounded)}"]`)?.focus();
  };

  const onKeyDown = (event: KeyboardEvent) => {
    const place = spanOf(current);
    const moves: Record<string, number> = {
      ArrowLeft: current - 1,
      ArrowRight: current + 1,
      ArrowUp: spans[place - 1]?.offset ?? 0,
      ArrowDown: spans[place + 1]?.offset ?? current,
      Home: 0,
      End: bytes.length - 1,
    };
    const to = moves[event.key];
    const digit = /^[0-9a-f]$/i.test(event.key) ? Number.parseInt(event.key, 16) : null;
    if (to !== undefined) moveTo(to);
    else if (digit !== null && onByte && !event.ctrlKey && !event.metaKey && !event.altKey) {
      onByte(current, (Number.parseInt(bytes[current] ?? "0", 16) << 4) | digit);
    } else return;
    event.preventDefault();
  };

  return (
    <div className={styles["bytes"]}>
      <div ref={grid} role="group" aria-label={label} className={styles["grid"]} data-changeable={onByte ? true : undefined}>
        {bytes.map((digits, offset) => {
          const place = spanOf(offset);
          const span = spans[place];
          const text = { offset, hex: digits, field: span?.label ?? "" };
          return (
            <button
              // Bytes have no name but their place.
              // oxlint-disable-next-line react/no-array-index-key
              key={offset}
              type="button"
              tabIndex={offset === Math.min(current, bytes.length - 1) ? 0 : -1}
              data-offset={offset}
              data-odd={place % 2 === 1 || undefined}
              data-active={(span !== undefined && span.offset === active) || undefined}
              data-changed={digits !== signed[offset] || undefined}
              aria-label={onByte ? t("proof.bytes.raise", text) : t("proof.bytes.byte", text)}
              onKeyDown={onKeyDown}
              onPointerEnter={() => {
                onActive(span?.offset ?? null);
              }}
              onFocus={() => {
                setCurrent(offset);
                onActive(span?.offset ?? null);
              }}
              onClick={() => {
                onActive(span?.offset ?? null);
                onByte?.(offset, Number.parseInt(digits, 16) + 1);
              }}
            >
              {digits}
            </button>
          );
        })}
      </div>
      <p className={styles["caption"]}>
        {lit === null ? (
          <span>{t("proof.bytes.hint")}</span>
        ) : (
          <>
            <span>
              {lit.size === 1
                ? t("proof.bytes.one", { first: lit.offset })
                : t("proof.bytes.range", { first: lit.offset, last: lit.offset + lit.size - 1 })}
            </span>
            <strong>{lit.label}</strong>
            {lit.value === null ? null : <span>{lit.value}</span>}
          </>
        )}
      </p>
    </div>
  );
}
