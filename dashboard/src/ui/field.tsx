// What a form asks for: label, control, what it means and what is wrong with it, tied together so that all of it is also heard.

import type { ReactNode } from "react";
import { useField, type FieldState } from "./form.tsx";
import styles from "./field.module.css";

interface FieldProps {
  /** Its name among the problems of the form. */
  name: string;
  label: string;
  hint?: ReactNode;
  /** Takes the whole width although others stand beside each other. */
  wide?: boolean;
}

function describedBy({ hintId, problemId, problem }: FieldState, hint: ReactNode): string | undefined {
  const ids = [hint === undefined ? null : hintId, problem ? problemId : null].filter((id) => id !== null);
  return ids.length > 0 ? ids.join(" ") : undefined;
}

interface FrameProps extends FieldProps {
  field: FieldState;
  children: ReactNode;
}

function Frame({ field, label, hint, wide, children }: FrameProps) {
  return (
    <div className={styles["field"]} data-wide={wide || undefined} data-invalid={field.problem ? true : undefined}>
      <label id={field.labelId} htmlFor={field.id} className={styles["label"]}>
        {label}
      </label>
      {children}
      <Remarks field={field} hint={hint} />
    </div>
  );
}

function Remarks({ field, hint }: { field: FieldState; hint: ReactNode }) {
  return (
    <>
      {field.problem ? (
        <p id={field.problemId} className={styles["problem"]} lang={field.problem.lang}>
          {field.problem.message}
        </p>
      ) : null}
      {hint === undefined ? null : (
        <p id={field.hintId} className={styles["hint"]}>
          {hint}
        </p>
      )}
    </>
  );
}

interface TextFieldProps extends FieldProps {
  value: string;
  onChange: (value: string) => void;
  type?: "text" | "date" | "time" | "search";
  /** Set in the type of bytes and numbers that are compared digit by digit. */
  mono?: boolean;
  inputMode?: "text" | "decimal" | "numeric";
  unit?: string;
  lines?: number;
  required?: boolean;
  autoComplete?: string;
  suggestions?: readonly string[];
  readOnly?: boolean;
  min?: string;
}

export function TextField(props: TextFieldProps) {
  const { name, value, onChange, type = "text", mono, inputMode, unit, lines, required, autoComplete = "off", suggestions, readOnly, min } = props;
  const field = useField(name);
  const listId = `${field.id}-list`;
  const common = {
    id: field.id,
    name,
    value,
    readOnly,
    "aria-required": required,
    "aria-invalid": field.problem ? true : undefined,
    "aria-describedby": describedBy(field, props.hint),
    "data-mono": mono || undefined,
    className: styles["control"],
    spellCheck: false,
    autoComplete,
  } as const;
  return (
    <Frame {...props} field={field}>
      {lines === undefined ? (
        <span className={styles["box"]}>
          <input
            {...common}
            type={type}
            min={min}
            inputMode={inputMode}
            list={suggestions ? listId : undefined}
            onChange={(event) => {
              onChange(event.target.value);
            }}
          />
          {unit === undefined ? null : <span className={styles["unit"]}>{unit}</span>}
          {suggestions ? (
            <datalist id={listId}>
              {suggestions.map((each) => (
                <option key={each}>{each}</option>
              ))}
            </datalist>
          ) : null}
        </span>
      ) : (
        <textarea
          {...common}
          rows={lines}
          onChange={(event) => {
            onChange(event.target.value);
          }}
        />
      )}
    </Frame>
  );
}

interface FileFieldProps extends FieldProps {
  /** What names end with, such as `.wwr`. */
  accept: string;
  disabled?: boolean;
  onChange: (file: File | null) => void;
}

export function FileField(props: FileFieldProps) {
  const { name, accept, disabled, onChange } = props;
  const field = useField(name);
  return (
    <Frame {...props} field={field}>
      <input
        type="file"
        id={field.id}
        name={name}
        className={styles["control"]}
        accept={accept}
        disabled={disabled}
        aria-invalid={field.problem ? true : undefined}
        aria-describedby={describedBy(field, props.hint)}
        onChange={(event) => {
          onChange(event.target.files?.[0] ?? null);
        }}
      />
    </Frame>
  );
}

export interface FieldOption {
  value: string;
  label: string;
  /** What choosing it means. Radio buttons show it. */
  hint?: string;
}

interface SelectFieldProps extends FieldProps {
  value: string;
  onChange: (value: string) => void;
  options: readonly FieldOption[];
  /** Options under a common heading, after the others. */
  groups?: readonly { label: string; options: readonly FieldOption[] }[];
  required?: boolean;
  disabled?: boolean;
}

export function SelectField(props: SelectFieldProps) {
  const { name, value, onChange, options, groups = [], required, disabled } = props;
  const field = useField(name);
  return (
    <Frame {...props} field={field}>
      <select
        id={field.id}
        name={name}
        className={styles["control"]}
        value={value}
        disabled={disabled}
        aria-required={required}
        aria-invalid={field.problem ? true : undefined}
        aria-describedby={describedBy(field, props.hint)}
        onChange={(event) => {
          onChange(event.target.value);
        }}
      >
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.label}
          </option>
        ))}
        {groups.map((group) => (
          <optgroup key={group.label} label={group.label}>
            {group.options.map((option) => (
              <option key={option.value} value={option.value}>
                {option.label}
              </option>
            ))}
          </optgroup>
        ))}
      </select>
    </Frame>
  );
}

interface RadioFieldProps<Value extends string> extends FieldProps {
  value: Value;
  onChange: (value: Value) => void;
  options: readonly (FieldOption & { value: Value })[];
}

export function RadioField<Value extends string>({ name, label, hint, wide, value, onChange, options }: RadioFieldProps<Value>) {
  const field = useField(name);
  return (
    <fieldset
      className={styles["field"]}
      data-wide={wide || undefined}
      data-invalid={field.problem ? true : undefined}
      aria-describedby={describedBy(field, hint)}
    >
      <legend className={styles["label"]}>{label}</legend>
      <Remarks field={field} hint={hint} />
      <div className={styles["radios"]}>
        {options.map((option, place) => {
          const id = place === 0 ? field.id : `${field.id}-${option.value}`;
          return (
            <div key={option.value} className={styles["choice"]}>
              <input
                type="radio"
                id={id}
                name={field.id}
                value={option.value}
                checked={option.value === value}
                aria-describedby={option.hint === undefined ? undefined : `${id}-means`}
                onChange={() => {
                  onChange(option.value);
                }}
              />
              <label htmlFor={id}>{option.label}</label>
              {option.hint === undefined ? null : (
                <p id={`${id}-means`} className={styles["hint"]}>
                  {option.hint}
                </p>
              )}
            </div>
          );
        })}
      </div>
    </fieldset>
  );
}

interface CheckFieldProps extends FieldProps {
  checked: boolean;
  onChange: (checked: boolean) => void;
}

export function CheckField({ name, label, hint, wide, checked, onChange }: CheckFieldProps) {
  const field = useField(name);
  return (
    <div className={styles["field"]} data-wide={wide || undefined} data-invalid={field.problem ? true : undefined}>
      <div className={styles["choice"]}>
        <input
          type="checkbox"
          id={field.id}
          name={name}
          checked={checked}
          aria-invalid={field.problem ? true : undefined}
          aria-describedby={describedBy(field, hint)}
          onChange={(event) => {
            onChange(event.target.checked);
          }}
        />
        <label htmlFor={field.id}>{label}</label>
      </div>
      <Remarks field={field} hint={hint} />
    </div>
  );
}
