// Digits of a record's figures that the visitor raises one by one in a copy. It changes bytes and judges nothing.

import { cutFields, fieldDigits, fieldOf, type Field } from "../util/record-fields.ts";
import type { FieldName } from "../util/record-layout.ts";
import { fieldLabel, fieldValue } from "../util/record-text.ts";
import { t } from "../util/text.ts";
import buttons from "../ui/button.module.css";
import styles from "./record-forge.module.css";

interface RecordForgeProps {
  record: string;
  original: string;
  /** The figures to change. */
  names: readonly FieldName[];
  /** How many bytes differ in all. */
  changed: number;
  onRecord: (record: string) => void;
  onReset: () => void;
  onStop: () => void;
}

export function RecordForge({ record, original, names, changed, onRecord, onReset, onStop }: RecordForgeProps) {
  const fields = cutFields(record) ?? [];
  const signed = cutFields(original) ?? [];
  return (
    <section className={styles["forge"]} aria-labelledby="forge" data-testid="forge">
      <h3 id="forge">{t("proof.forge.heading")}</h3>
      <p className={styles["explain"]}>{t("proof.forge.explain")}</p>
      {names.map((name) => {
        const field = fieldOf(fields, name);
        const before = fieldOf(signed, name);
        if (!field || !before || field.value === null || before.value === null) return null;
        return (
          <DigitRow
            key={name}
            field={field}
            signed={fieldValue(before, Number.parseInt(original.slice(0, 2), 16))}
            isChanged={field.hex !== before.hex}
            onDigits={(digits) => {
              onRecord(record.slice(0, field.offset * 2) + digits + record.slice((field.offset + field.size) * 2));
            }}
          />
        );
      })}
      <p className={styles["changed"]} role="status">
        {t("proof.forge.changed", { count: changed })}
      </p>
      <div className={styles["actions"]}>
        <button type="button" className={buttons["button"]} disabled={changed === 0} onClick={onReset}>
          {t("proof.forge.reset")}
        </button>
        <button type="button" className={buttons["button"]} onClick={onStop}>
          {t("proof.forge.stop")}
        </button>
      </div>
    </section>
  );
}

interface DigitRowProps {
  field: Field;
  signed: string;
  isChanged: boolean;
  onDigits: (digits: string) => void;
}

/** Thousandths have three places behind the point; plain numbers none. */
const units: Partial<Record<FieldName, string>> = { power: "W", produced: "Wh", produced_open: "Wh", produced_close: "Wh" };

function DigitRow({ field, signed, isChanged, onDigits }: DigitRowProps) {
  const unit = units[field.name];
  const value = field.value ?? 0n;
  const size = value < 0n ? -value : value;
  // One place more than the figure has, so that it can grow.
  const digits = String(size).padStart(unit ? 4 : 1, "0").padStart(String(size).length + 1, "0");
  const point = unit ? digits.length - 3 : digits.length;
  const leading = /^0*/.exec(digits.slice(0, point - 1))?.[0].length ?? 0;
  const label = fieldLabel(field);
  const raise = (place: number) => {
    const digit = Number(digits[place]);
    const raised = BigInt(digits.slice(0, place) + String((digit + 1) % 10) + digits.slice(place + 1));
    const bytes = fieldDigits(field, value < 0n ? -raised : raised);
    if (bytes !== null) onDigits(bytes);
  };
  return (
    <div className={styles["row"]} data-changed={isChanged || undefined}>
      <p className={styles["label"]}>{label}</p>
      <div className={styles["digits"]} role="group" aria-label={label}>
        {value < 0n ? <span aria-hidden="true">{"\u2212"}</span> : null}
        {Array.from(digits, (digit, place) => (
          <button
            // Digits have no name but their place.
            // oxlint-disable-next-line react/no-array-index-key
            key={digits.length - place}
            type="button"
            data-leading={place < leading || undefined}
            data-after-point={place === point || undefined}
            aria-label={t("proof.forge.digit", { field: label, place: place + 1, count: digits.length, digit })}
            onClick={() => {
              raise(place);
            }}
          >
            {digit}
          </button>
        ))}
        {unit ? <span className={styles["unit"]}>{unit}</span> : null}
      </div>
      <p className={styles["signed"]}>{t("proof.forge.original", { value: signed })}</p>
    </div>
  );
}
