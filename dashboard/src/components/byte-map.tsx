// A record's bytes and its fields side by side: what one points at on either side lights up on the other.

import { useRef, useState, type KeyboardEvent } from "react";
import { cutFields } from "../util/record-fields.ts";
import { fieldLabel, fieldValue } from "../util/record-text.ts";
import { t } from "../util/text.ts";
import { ByteGrid, type ByteSpan } from "./byte-grid.tsx";
import { Hex } from "./byte-hex.tsx";
import styles from "./byte-map.module.css";

interface ByteMapProps {
  record: string;
  /** The digits that were signed, where `record` is a copy that may be changed. */
  original?: string | undefined;
  onByte?: ((offset: number, byte: number) => void) | undefined;
}

export function ByteMap({ record, original, onByte }: ByteMapProps) {
  const [active, setActive] = useState<number | null>(null);
  const spans = spansOf(record) ?? (original === undefined ? null : spansOf(original));
  if (spans === null) return <Hex hex={record} />;
  return (
    <div className={styles["map"]}>
      <ByteGrid
        label={t("proof.bytes.group")}
        hex={record}
        spans={spans}
        active={active}
        onActive={setActive}
        original={original}
        onByte={onByte}
      />
      <FieldTable spans={spans} active={active} onActive={setActive} caption={t("proof.detail.bytes", { count: record.length / 2 })} />
    </div>
  );
}

/** The fields with their texts; null when the bytes are of no known type and version. */
function spansOf(record: string): ByteSpan[] | null {
  const type = Number.parseInt(record.slice(0, 2), 16);
  return cutFields(record)?.map((field) => ({ offset: field.offset, size: field.size, label: fieldLabel(field), value: fieldValue(field, type) })) ?? null;
}

interface FieldTableProps {
  spans: readonly ByteSpan[];
  active: number | null;
  onActive: (offset: number) => void;
  caption: string;
}

function FieldTable({ spans, active, onActive, caption }: FieldTableProps) {
  const body = useRef<HTMLTableSectionElement>(null);
  const current = Math.max(0, spans.findIndex(({ offset }) => offset === active));
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    body.current?.querySelectorAll("button")[current + step]?.focus();
  };
  return (
    <table className={styles["fields"]}>
      <caption>{caption}</caption>
      <thead className="visually-hidden">
        <tr>
          <th scope="col">{t("proof.detail.offset")}</th>
          <th scope="col">{t("proof.detail.field")}</th>
          <th scope="col">{t("proof.detail.value")}</th>
        </tr>
      </thead>
      <tbody ref={body}>
        {spans.map(({ offset, label, value }, place) => (
          <tr
            key={offset}
            data-active={offset === active || undefined}
            onPointerEnter={() => {
              onActive(offset);
            }}
          >
            <td className={styles["offset"]}>{offset}</td>
            <th scope="row">
              <button
                type="button"
                tabIndex={place === current ? 0 : -1}
                onKeyDown={onKeyDown}
                onFocus={() => {
                  onActive(offset);
                }}
                onClick={() => {
                  onActive(offset);
                }}
              >
                {label}
              </button>
            </th>
            <td className={styles["value"]}>{value}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
