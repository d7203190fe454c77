// What cannot be taken back is confirmed by typing the name of what it befalls.

import { TextField } from "../ui/field.tsx";
import { t } from "../util/text.ts";

interface ConfirmNameProps {
  name: string;
  value: string;
  onChange: (value: string) => void;
}

/** Its field among the problems of a form. */
const confirmField = "confirm";

/** Null when the name was typed; else what is to be said. Spaces at the ends and runs of them are no difference. */
export function confirmProblem(value: string, name: string) {
  return plain(value) === plain(name) ? null : { field: confirmField, message: t("app.form.confirmProblem", { name }) };
}

function plain(text: string): string {
  return text.trim().replaceAll(/\s+/g, " ");
}

export function ConfirmName({ name, value, onChange }: ConfirmNameProps) {
  return <TextField name={confirmField} label={t("app.form.confirm", { name })} wide required value={value} onChange={onChange} />;
}
