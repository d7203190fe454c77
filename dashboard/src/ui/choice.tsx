// A row of choices of which one holds: native radio buttons, so that keyboards and screen readers know it.

import { useId, type ReactNode } from "react";
import styles from "./choice.module.css";

interface ChoiceOption<Value extends string> {
  value: Value;
  label: string;
  /** Drawn instead of the label, which is then spoken only. */
  glyph?: ReactNode;
}

interface ChoiceProps<Value extends string> {
  label: string;
  options: readonly ChoiceOption<Value>[];
  value: Value;
  onChange: (value: Value) => void;
}

export function Choice<Value extends string>({ label, options, value, onChange }: ChoiceProps<Value>) {
  const name = useId();
  return (
    <fieldset className={styles["choice"]}>
      <legend className="visually-hidden">{label}</legend>
      {options.map((option) => (
        <label key={option.value} className={styles["option"]} title={option.glyph ? option.label : undefined}>
          <input
            type="radio"
            className={styles["input"]}
            name={name}
            value={option.value}
            checked={option.value === value}
            onChange={() => {
              onChange(option.value);
            }}
          />
          {option.glyph}
          <span className={option.glyph ? "visually-hidden" : undefined}>{option.label}</span>
        </label>
      ))}
    </fieldset>
  );
}
