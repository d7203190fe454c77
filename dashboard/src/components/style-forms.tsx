// A form with one of each field: empty, filled in, and refused.

import { useState } from "react";
import buttons from "../ui/button.module.css";
import { CheckField, RadioField, SelectField, TextField } from "../ui/field.tsx";
import { Form, FormActions, FormSection, useProblems } from "../ui/form.tsx";
import { t } from "../util/text.ts";

const directions = ["total", "returned"] as const;

export function StyleForms() {
  const { attempt, problems, report } = useProblems();
  const [name, setName] = useState("");
  const [watts, setWatts] = useState("800");
  const [direction, setDirection] = useState<(typeof directions)[number]>("total");
  const [zone, setZone] = useState("one");
  const [isSure, setSure] = useState(false);
  const options = directions.map((value) => ({ value, label: t(`style.field.${value}`), hint: t("style.field.hint") }));
  return (
    <Form
      label={t("style.fields")}
      problemsTitle={t("app.form.problems", { count: 1 })}
      problems={problems}
      attempt={attempt}
      onSubmit={() => {
        report(name === "" ? [{ field: "name", message: t("style.field.missing") }] : []);
      }}
    >
      <FormSection title={t("style.field.section")} lead={t("style.field.hint")}>
        <TextField name="name" label={t("style.field.name")} hint={t("style.field.hint")} value={name} onChange={setName} required />
        <TextField name="watts" label={t("style.field.rated")} unit="W" inputMode="numeric" value={watts} onChange={setWatts} />
        <SelectField
          name="choice"
          label={t("style.choice.label")}
          options={(["one", "two", "three"] as const).map((value) => ({ value, label: t(`style.choice.${value}`) }))}
          value={zone}
          onChange={setZone}
        />
        <RadioField name="direction" label={t("style.field.direction")} options={options} value={direction} onChange={setDirection} wide />
        <CheckField name="sure" label={t("style.field.sure")} hint={t("style.field.hint")} checked={isSure} onChange={setSure} wide />
      </FormSection>
      <FormActions>
        <button type="submit" className={buttons["button"]} data-primary>
          {t("style.field.submit")}
        </button>
      </FormActions>
    </Form>
  );
}
