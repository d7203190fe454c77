// What is looked for in the audit trail. It is asked for when the form is sent; the address keeps it.

import { useState, type ReactNode } from "react";
import { SelectField, TextField } from "../ui/field.tsx";
import { Form, FormActions, useProblems } from "../ui/form.tsx";
import buttons from "../ui/button.module.css";
import { t } from "../util/text.ts";
import type { AuditAddress } from "./audit-filter.ts";
import { actionGroups, actions } from "./audit-words.ts";
import styles from "./audit-form.module.css";

interface AuditFormProps {
  address: AuditAddress;
  /** Names to choose from; others can be typed. */
  actors: readonly string[];
  onFilter: (address: AuditAddress) => void;
  /** What else is done with what was found. */
  children: ReactNode;
}

const nothing: AuditAddress = { actor: null, action: null, subject: null, from: null, to: null, before: null };

export function AuditForm({ address, actors, onFilter, children }: AuditFormProps) {
  const [typed, setTyped] = useState(address);
  const { attempt, problems, report } = useProblems();
  const set = (name: keyof AuditAddress) => (value: string) => {
    setTyped((before) => ({ ...before, [name]: value === "" ? null : value }));
  };
  const isFiltered = Object.values({ ...address, before: null }).some(Boolean);
  const kinds = Object.entries(actionGroups);
  const known = Object.entries(actions);
  const isKnown = typed.action === null || typed.action in actions || typed.action in actionGroups;
  return (
    <Form
      label={t("audit.filter.heading")}
      problemsTitle={t("app.form.problems", { count: problems.length })}
      problems={problems}
      attempt={attempt}
      onSubmit={() => {
        const isReversed = typed.from !== null && typed.to !== null && typed.from > typed.to;
        report(isReversed ? [{ field: "to", message: t("audit.filter.reversed") }] : []);
        if (!isReversed) onFilter({ ...typed, actor: typed.actor?.trim() || null, subject: typed.subject?.trim() || null, before: null });
      }}
    >
      <div className={styles["filter"]}>
        <TextField name="actor" type="search" label={t("audit.filter.actor")} value={typed.actor ?? ""} onChange={set("actor")} suggestions={actors} />
        <SelectField
          name="action"
          label={t("audit.filter.action")}
          value={typed.action ?? ""}
          onChange={set("action")}
          options={[
            { value: "", label: t("audit.filter.every") },
            ...(isKnown ? [] : [{ value: typed.action ?? "", label: typed.action ?? "" }]),
          ]}
          groups={[
            { label: t("audit.filter.groups"), options: kinds.map(([value, id]) => ({ value, label: t(id) })) },
            { label: t("audit.filter.single"), options: known.map(([value, id]) => ({ value, label: t(id) })) },
          ]}
        />
        <TextField name="subject" type="search" label={t("audit.filter.subject")} value={typed.subject ?? ""} onChange={set("subject")} />
        <TextField name="from" type="date" label={t("audit.filter.from")} value={typed.from ?? ""} onChange={set("from")} />
        <TextField name="to" type="date" label={t("audit.filter.to")} value={typed.to ?? ""} onChange={set("to")} />
      </div>
      <FormActions>
        <button type="submit" className={buttons["button"]}>
          {t("audit.filter.apply")}
        </button>
        {isFiltered ? (
          <button
            type="button"
            className={buttons["button"]}
            onClick={() => {
              onFilter(nothing);
            }}
          >
            {t("audit.filter.clear")}
          </button>
        ) : null}
        {children}
      </FormActions>
    </Form>
  );
}
