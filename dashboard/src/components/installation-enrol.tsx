// Brings in a meter by hand: announces its key, and leads on to its approval.

import { useState } from "react";
import { useLocation } from "wouter";
import type { Installation } from "../api/types.ts";
import { useAnnounce } from "../hooks/installations.ts";
import buttons from "../ui/button.module.css";
import { SelectField, TextField } from "../ui/field.tsx";
import { Form, FormActions, FormSection, useProblems } from "../ui/form.tsx";
import { viewerZone } from "../util/instant.ts";
import { t } from "../util/text.ts";
import { InstallationCommands } from "./installation-commands.tsx";
import { isName, publicKeyOf, said } from "./installation-draft.ts";
import { fieldProblem, TimeZoneField } from "./installation-fields.tsx";
import { enrolmentProblems } from "./installation-problems.ts";
import { sensorModels } from "./terms.ts";

export function InstallationEnrol({ known, onClose }: { known: readonly Installation[]; onClose: () => void }) {
  const [name, setName] = useState("");
  const [timeZone, setTimeZone] = useState(viewerZone);
  const [pasted, setPasted] = useState("");
  const [sensorModel, setSensorModel] = useState("");
  const { attempt, problems, report } = useProblems();
  const [, navigate] = useLocation();
  const announce = useAnnounce();

  const submit = () => {
    if (announce.isPending) return;
    const publicKey = publicKeyOf(pasted);
    const found = [
      isName(name) ? null : fieldProblem("name"),
      publicKey === undefined ? { field: "publicKey", message: t("installations.enrol.keyProblem") } : null,
    ].filter((problem) => problem !== null);
    const held = known.find(({ public_key }) => public_key === publicKey);
    if (held) found.push({ field: "publicKey", message: t("installations.enrol.known", { name: held.name }) });
    report(found);
    if (found.length > 0 || publicKey === undefined) return;
    announce.mutate(said({ name: name.trim(), public_key: publicKey, time_zone: timeZone, sensor_model: sensorModel === "" ? null : sensorModel }), {
      onSuccess: ({ id }) => {
        navigate(`/installations/${String(id)}`);
      },
      onError: (error) => {
        report(enrolmentProblems(error));
      },
    });
  };

  return (
    <Form
      label={t("installations.enrol.heading")}
      problemsTitle={t("app.form.problems", { count: problems.length })}
      problems={problems}
      attempt={attempt}
      onSubmit={submit}
    >
      <FormSection title={t("installations.enrol.itself.title")} lead={t("installations.enrol.itself.lead")}>
        <InstallationCommands />
      </FormSection>
      <FormSection title={t("installations.enrol.hand.title")} lead={t("installations.enrol.hand.lead")}>
        <TextField
          name="name"
          label={t("installations.field.name.label")}
          hint={t("installations.field.name.hint")}
          required
          value={name}
          onChange={setName}
        />
        <TimeZoneField value={timeZone} onChange={setTimeZone} />
        <TextField
          name="publicKey"
          label={t("installations.enrol.key")}
          hint={t("installations.enrol.keyHint")}
          mono
          wide
          lines={4}
          required
          value={pasted}
          onChange={setPasted}
        />
        <SelectField
          name="sensorModel"
          label={t("installations.field.sensorModel.label")}
          hint={t("installations.enrol.sensorHint")}
          wide
          value={sensorModel}
          onChange={setSensorModel}
          options={[
            { value: "", label: t("installations.enrol.sensorLater") },
            ...sensorModels.map((value) => ({ value, label: t(`term.sensor.${value}`) })),
          ]}
        />
        <FormActions>
          <button type="submit" className={buttons["button"]} data-primary aria-disabled={announce.isPending}>
            {announce.isPending ? t("app.form.pending") : t("installations.enrol.submit")}
          </button>
          <button type="button" className={buttons["button"]} onClick={onClose}>
            {t("app.form.cancel")}
          </button>
        </FormActions>
      </FormSection>
    </Form>
  );
}
