// How a release is to be rolled out: to which meters, in which waves, and when it stops by itself. It is said in sentences before it begins.

import { useId, useState } from "react";
import { useLocation } from "wouter";
import type { FirmwareDevice, FirmwareRelease, NewRollout } from "../api/firmware.ts";
import { useBeginRollout } from "../hooks/firmware.ts";
import buttons from "../ui/button.module.css";
import { Dialog } from "../ui/dialog.tsx";
import { CheckField, RadioField, TextField } from "../ui/field.tsx";
import { Form, FormActions, FormSection, useProblems, type FieldProblem } from "../ui/form.tsx";
import { counted } from "../util/format.ts";
import { t } from "../util/text.ts";
import { problemsOf } from "./administration-problems.ts";
import { membersOf, newDraft, readRollout, rolloutFieldOf, waveSizes, wavesOf, type RolloutDraft } from "./rollout-draft.ts";
import { planSentences } from "./rollout-plan.ts";
import styles from "./rollout-form.module.css";

interface RolloutFormProps {
  release: FirmwareRelease;
  /** All meters in service; null when there are more than a list holds, or they are not known yet. */
  devices: readonly FirmwareDevice[] | null;
  onClose: () => void;
}

const groups = ["hardware", "names", "meters"] as const;

export function RolloutForm({ release, devices, onClose }: RolloutFormProps) {
  const [draft, setDraft] = useState(() => newDraft(release));
  const [asked, setAsked] = useState<NewRollout | null>(null);
  const { attempt, problems, report } = useProblems();
  const members = devices ? membersOf(draft, release, devices).length : null;
  const set =
    <Field extends keyof RolloutDraft>(field: Field) =>
    (value: RolloutDraft[Field]) => {
      setDraft((before) => ({ ...before, [field]: value }));
    };
  return (
    <>
      <Form
        label={t("firmware.form.heading", { version: release.version })}
        problemsTitle={t("app.form.problems", { count: problems.length })}
        problems={problems}
        attempt={attempt}
        onSubmit={() => {
          const read = readRollout(draft, release, members);
          report("problems" in read ? read.problems : []);
          if ("rollout" in read) setAsked(read.rollout);
        }}
      >
        <FormSection title={t("firmware.form.which.title")} lead={t("firmware.form.which.lead")}>
          <TextField name="name" label={t("firmware.form.name")} hint={t("firmware.form.nameHint")} required wide value={draft.name} onChange={set("name")} />
          <RadioField
            name="group"
            label={t("firmware.form.group")}
            wide
            value={draft.group}
            onChange={set("group")}
            options={groups.map((value) => ({ value, label: t(`firmware.form.by.${value}.label`), hint: t(`firmware.form.by.${value}.hint`) }))}
          />
          {draft.group === "names" ? (
            <TextField name="names" label={t("firmware.form.names")} hint={t("firmware.form.namesHint")} lines={4} required wide value={draft.names} onChange={set("names")} />
          ) : null}
          {draft.group === "meters" ? <ChosenMeters devices={devices ?? []} release={release} chosen={draft.meters} onChange={set("meters")} problems={problems} /> : null}
        </FormSection>
        <FormSection title={t("firmware.form.waves.title")} lead={t("firmware.form.waves.lead")}>
          <TextField name="waves" label={t("firmware.form.waves.label")} hint={t("firmware.form.waves.hint")} required wide value={draft.waves} onChange={set("waves")} />
          <p className={styles["sizes"]} data-testid="wave-sizes" aria-live="polite">
            {sizesText(draft.waves, members)}
          </p>
          <TextField name="soak" label={t("firmware.form.soak")} unit={t("firmware.form.minutes")} inputMode="numeric" required value={draft.soakMinutes} onChange={set("soakMinutes")} />
          <TextField name="deadline" label={t("firmware.form.deadline")} unit={t("firmware.form.hours")} inputMode="numeric" required value={draft.deadlineHours} onChange={set("deadlineHours")} />
        </FormSection>
        <FormSection title={t("firmware.form.limits.title")} lead={t("firmware.form.limits.lead")}>
          <TextField name="success" label={t("firmware.form.success")} unit="%" inputMode="numeric" required value={draft.success} onChange={set("success")} />
          <TextField name="error" label={t("firmware.form.error")} unit="%" inputMode="numeric" required value={draft.error} onChange={set("error")} />
          <TextField name="errorMinimum" label={t("firmware.form.errorMinimum")} inputMode="numeric" required value={draft.errorMinimum} onChange={set("errorMinimum")} />
        </FormSection>
        <FormSection title={t("firmware.form.window.title")} lead={t("firmware.form.window.lead")}>
          <CheckField name="hasWindow" label={t("firmware.form.window.label")} wide checked={draft.hasWindow} onChange={set("hasWindow")} />
          {draft.hasWindow ? (
            <>
              <TextField name="from" type="time" label={t("firmware.form.window.from")} required value={draft.from} onChange={set("from")} />
              <TextField name="to" type="time" label={t("firmware.form.window.to")} required value={draft.to} onChange={set("to")} />
            </>
          ) : null}
        </FormSection>
        <FormActions>
          <button type="submit" className={buttons["button"]} data-primary>
            {t("firmware.form.check")}
          </button>
          <button type="button" className={buttons["button"]} onClick={onClose}>
            {t("app.form.cancel")}
          </button>
        </FormActions>
      </Form>
      {asked ? (
        <RolloutStart
          plan={asked}
          release={release}
          members={members}
          onBack={(found) => {
            setAsked(null);
            if (found.length > 0) report(found);
          }}
        />
      ) : null}
    </>
  );
}

function sizesText(typed: string, members: number | null): string {
  const waves = wavesOf(typed);
  if (!waves) return t("firmware.form.wavesProblem");
  if (members === null) return t("firmware.form.sizesUnknown", { count: waves.length });
  const sizes = waveSizes(waves, members).filter((size) => size > 0);
  return t("firmware.form.sizes", { count: members, sizes: sizes.map(counted).join(" → ") || counted(0) });
}

interface ChosenMetersProps {
  devices: readonly FirmwareDevice[];
  release: FirmwareRelease;
  chosen: readonly string[];
  onChange: (chosen: readonly string[]) => void;
  problems: readonly FieldProblem[];
}

function ChosenMeters({ devices, release, chosen, onChange, problems }: ChosenMetersProps) {
  const id = useId();
  const problem = problems.find(({ field }) => field === "meters");
  const isFit = (device: FirmwareDevice) => device.hardware_class === null || device.hardware_class === release.hardware_class;
  return (
    <fieldset className={styles["chosen"]} aria-describedby={problem ? `${id}-problem` : undefined}>
      <legend>{t("firmware.form.chosen", { count: chosen.length })}</legend>
      {problem ? (
        <p id={`${id}-problem`} className={styles["problem"]} lang={problem.lang}>
          {problem.message}
        </p>
      ) : null}
      <div className={styles["meters"]}>
        {devices.filter(isFit).map(({ meter_id: meter, name, running_version: version }) => (
          <label key={meter}>
            <input
              type="checkbox"
              checked={chosen.includes(meter)}
              onChange={(event) => {
                onChange(event.target.checked ? [...chosen, meter] : chosen.filter((each) => each !== meter));
              }}
            />
            <span>{name}</span>
            <span className={styles["runs"]}>{version ?? t("firmware.running.noBoot")}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}

interface RolloutStartProps {
  plan: NewRollout;
  release: FirmwareRelease;
  members: number | null;
  /** Back to the form, with what the gateway refused it for. */
  onBack: (problems: readonly FieldProblem[]) => void;
}

function RolloutStart({ plan, release, members, onBack }: RolloutStartProps) {
  const [, navigate] = useLocation();
  const begin = useBeginRollout();
  return (
    <Dialog
      title={t("firmware.form.start.heading", { name: plan.name })}
      onClose={() => {
        onBack([]);
      }}
    >
      <ul className={styles["sentences"]} data-testid="plan">
        {planSentences(plan, release.version).map((sentence) => (
          <li key={sentence}>{sentence}</li>
        ))}
      </ul>
      {members === null ? null : <p className={styles["sizes"]}>{t("firmware.form.start.now", { count: members })}</p>}
      <FormActions>
        <button
          type="button"
          className={buttons["button"]}
          data-primary
          aria-disabled={begin.isPending}
          onClick={() => {
            if (begin.isPending) return;
            begin.mutate(plan, {
              onSuccess: ({ id }) => {
                navigate(`/firmware/rollouts/${String(id)}`);
              },
              onError: (error) => {
                onBack(problemsOf(error, { fieldOf: rolloutFieldOf }));
              },
            });
          }}
        >
          {begin.isPending ? t("app.form.pending") : t("firmware.form.start.submit")}
        </button>
        <button
          type="button"
          className={buttons["button"]}
          onClick={() => {
            onBack([]);
          }}
        >
          {t("app.form.back")}
        </button>
      </FormActions>
    </Dialog>
  );
}
