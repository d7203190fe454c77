// A form that says what is wrong with it: above it all that is to be put right, at each field its own part. It checks and sends nothing.

import { createContext, useContext, useId, useMemo, useState, type ReactNode } from "react";
import styles from "./form.module.css";

/** What is wrong; with no field it concerns the form as a whole. */
export interface FieldProblem {
  field: string | null;
  message: string;
  /** The message's language where it is not the page's. */
  lang?: string;
}

/** What the tries to send have come to. `report` takes what the last one was refused for: nothing, where there is nothing to put right. */
export function useProblems() {
  const [{ attempt, problems }, set] = useState<{ attempt: number; problems: readonly FieldProblem[] }>({ attempt: 0, problems: [] });
  const report = (found: readonly FieldProblem[]) => {
    set((before) => ({ attempt: before.attempt + 1, problems: found }));
  };
  return { attempt, problems, report };
}

interface FormState {
  id: string;
  problems: readonly FieldProblem[];
}

const FormContext = createContext<FormState>({ id: "", problems: [] });

interface FormProps {
  /** What the form is for, where no heading says it. */
  label?: string;
  /** Stands above what is to be put right. */
  problemsTitle: string;
  problems: readonly FieldProblem[];
  /** Counts the tries to send: after each one the list of problems is read out anew. */
  attempt: number;
  onSubmit: () => void;
  children: ReactNode;
}

export function Form({ label, problemsTitle, problems, attempt, onSubmit, children }: FormProps) {
  const id = useId();
  const state = useMemo(() => ({ id, problems }), [id, problems]);
  return (
    <FormContext value={state}>
      <form
        className={styles["form"]}
        aria-label={label}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          onSubmit();
        }}
      >
        {problems.length === 0 ? null : (
          // A new one for each try, so that the focus goes to it each time.
          <div key={attempt} className={styles["problems"]} role="alert" tabIndex={-1} ref={focusOn} data-testid="form-problems">
            <p>{problemsTitle}</p>
            <ul>
              {problems.map(({ field, message, lang }) => (
                <li key={`${field ?? ""} ${message}`} lang={lang}>
                  {field === null ? message : <a href={`#${fieldId(id, field)}`}>{message}</a>}
                </li>
              ))}
            </ul>
          </div>
        )}
        {children}
      </form>
    </FormContext>
  );
}

function focusOn(element: HTMLElement | null): void {
  element?.focus();
}

function fieldId(form: string, name: string): string {
  return `${form}-${name}`;
}

/** Ids of a field's parts and what is wrong with it. */
export interface FieldState {
  id: string;
  labelId: string;
  hintId: string;
  problemId: string;
  problem: FieldProblem | undefined;
}

export function useField(name: string): FieldState {
  const form = useContext(FormContext);
  const own = useId();
  const id = fieldId(form.id || own, name);
  return {
    id,
    labelId: `${id}-label`,
    hintId: `${id}-hint`,
    problemId: `${id}-problem`,
    problem: form.problems.find(({ field }) => field === name),
  };
}

/** A part of a long form. */
export function FormSection({ title, lead, children }: { title: string; lead?: ReactNode; children: ReactNode }) {
  const id = useId();
  return (
    <div className={styles["section"]} role="group" aria-labelledby={id}>
      <div className={styles["head"]}>
        <h3 id={id}>{title}</h3>
        {lead === undefined ? null : <p>{lead}</p>}
      </div>
      <div className={styles["fields"]}>{children}</div>
    </div>
  );
}

/** The buttons at the end. */
export function FormActions({ children }: { children: ReactNode }) {
  return <div className={styles["actions"]}>{children}</div>;
}
