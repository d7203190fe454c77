// Makes an API key, and shows it the one time. It is in this component only, and goes with it.

import { useState } from "react";
import type { NewApiKeyAnswer } from "../api/administration.ts";
import type { Role } from "../api/types.ts";
import { useCreateKey } from "../hooks/keys.ts";
import buttons from "../ui/button.module.css";
import { CopyButton } from "../ui/copy-button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { CheckField, RadioField, TextField } from "../ui/field.tsx";
import { Form, FormActions, useProblems } from "../ui/form.tsx";
import { gatewayTime } from "../util/gateway-clock.ts";
import { t } from "../util/text.ts";
import { problemsOf } from "./administration-problems.ts";
import { expiryOf, spans, type Span } from "./key-state.ts";
import styles from "./key-create.module.css";

const roles: readonly Role[] = ["viewer", "operator", "firmware", "admin"];

/** Characters, not bytes: so the gateway counts a key's name. */
const longestName = 64;

export function KeyCreate({ onClose }: { onClose: () => void }) {
  const [made, setMade] = useState<NewApiKeyAnswer | null>(null);
  return made === null ? <KeyForm onMade={setMade} onClose={onClose} /> : <KeyShown made={made} onClose={onClose} />;
}

function KeyForm({ onMade, onClose }: { onMade: (made: NewApiKeyAnswer) => void; onClose: () => void }) {
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>("viewer");
  const [span, setSpan] = useState<Span>("days90");
  const [date, setDate] = useState("");
  const { attempt, problems, report } = useProblems();
  const create = useCreateKey();

  const submit = () => {
    if (create.isPending) return;
    const expires = expiryOf(span, date, gatewayTime());
    const found = [
      isKeyName(name) ? null : { field: "name", message: t("keys.create.nameProblem") },
      expires === undefined ? { field: "date", message: t("keys.create.dateProblem") } : null,
    ].filter((problem) => problem !== null);
    report(found);
    if (found.length > 0 || expires === undefined) return;
    create.mutate(
      { asked: { name: name.trim(), role, ...(expires === null ? {} : { expires_at: expires }) }, onKey: onMade },
      {
        onError: (error) => {
          report(
            problemsOf(error, {
              fieldOf: (field) => (field === "name" ? "name" : field === "expires_at" ? "date" : null),
              wordsOf: (kind) => (kind === "key-exists" ? { field: "name", message: t("keys.create.taken") } : null),
            }),
          );
        },
      },
    );
  };

  return (
    <Dialog title={t("keys.create.heading")} onClose={onClose}>
      <Form problemsTitle={t("app.form.problems", { count: problems.length })} problems={problems} attempt={attempt} onSubmit={submit}>
        <TextField name="name" label={t("keys.create.name")} hint={t("keys.create.nameHint")} required value={name} onChange={setName} />
        <RadioField
          name="role"
          label={t("keys.create.role")}
          value={role}
          onChange={setRole}
          options={roles.map((value) => ({ value, label: t(`app.role.${value}`), hint: t(`keys.may.${value}`) }))}
        />
        <RadioField
          name="span"
          label={t("keys.create.expires")}
          value={span}
          onChange={setSpan}
          hint={span === "never" ? t("keys.span.neverHint") : undefined}
          options={spans.map((value) => ({ value, label: t(`keys.span.${value}`) }))}
        />
        {span === "date" ? <TextField name="date" type="date" label={t("keys.create.date")} required value={date} onChange={setDate} /> : null}
        <FormActions>
          <button type="submit" className={buttons["button"]} data-primary aria-disabled={create.isPending}>
            {create.isPending ? t("app.form.pending") : t("keys.create.submit")}
          </button>
          <button type="button" className={buttons["button"]} onClick={onClose}>
            {t("app.form.cancel")}
          </button>
        </FormActions>
      </Form>
    </Dialog>
  );
}

/** As the gateway takes it: 1 to 64 characters, none of them a control character. */
function isKeyName(name: string): boolean {
  const length = Array.from(name.trim()).length;
  return length > 0 && length <= longestName && !/\p{Cc}/u.test(name.trim());
}

function KeyShown({ made, onClose }: { made: NewApiKeyAnswer; onClose: () => void }) {
  const [isStored, setStored] = useState(false);
  const { attempt, problems, report } = useProblems();
  const submit = () => {
    report(isStored ? [] : [{ field: "stored", message: t("keys.shown.notStored") }]);
    if (isStored) onClose();
  };
  return (
    <Dialog title={t("keys.shown.heading", { name: made.name })} onClose={onClose} mustStay>
      <p>{t("keys.shown.lead")}</p>
      <div className={styles["key"]}>
        <code data-testid="new-key">{made.key}</code>
        <CopyButton content={made.key} label={t("keys.shown.copy")} doneLabel={t("app.copied")} />
      </div>
      <Form problemsTitle={t("app.form.problems", { count: problems.length })} problems={problems} attempt={attempt} onSubmit={submit}>
        <CheckField name="stored" label={t("keys.shown.stored")} checked={isStored} onChange={setStored} />
        <FormActions>
          <button type="submit" className={buttons["button"]} data-primary>
            {t("keys.shown.done")}
          </button>
        </FormActions>
      </Form>
    </Dialog>
  );
}
