// The fields of what an operator says of a meter, in the order in which one finds them out at the site.

import type { ReactNode } from "react";
import { RadioField, SelectField, TextField, type FieldOption } from "../ui/field.tsx";
import { FormSection } from "../ui/form.tsx";
import { viewerZone } from "../util/instant.ts";
import { t } from "../util/text.ts";
import { coordinatesOf, isThreePhaseModel, type Draft, type DraftField } from "./installation-draft.ts";
import { camel } from "./installation-words.ts";
import { counters, custodies, sensorModels } from "./terms.ts";

interface FieldsProps {
  draft: Draft;
  onChange: (changes: Partial<Draft>) => void;
}

/** What a field is called. */
export function fieldLabel(field: DraftField): string {
  return t(`installations.field.${field}.label`);
}

/** What is wrong with a field: its rule, beginning with its name. */
export function fieldProblem(field: DraftField) {
  return { field, message: t(`installations.field.${field}.invalid`) };
}

type TextName = "name" | "mac" | "channel" | "ctRatio" | "ratedPower" | "latitude" | "longitude" | "tilt" | "azimuth" | "gridConnection";

const numeric: Readonly<Partial<Record<TextName, "decimal" | "numeric">>> = {
  channel: "numeric",
  ctRatio: "decimal",
  ratedPower: "numeric",
  tilt: "decimal",
  azimuth: "decimal",
};

interface TextPartProps extends FieldsProps {
  field: TextName;
  unit?: string;
  mono?: boolean;
  required?: boolean;
  readOnly?: boolean;
  hint?: ReactNode;
}

function TextPart({ draft, onChange, field, hint, ...rest }: TextPartProps) {
  const inputMode = numeric[field];
  return (
    <TextField
      {...rest}
      {...(inputMode ? { inputMode } : {})}
      name={field}
      label={fieldLabel(field)}
      hint={hint ?? t(`installations.field.${field}.hint`)}
      value={draft[field]}
      onChange={(value) => {
        onChange({ [field]: value });
      }}
    />
  );
}

export function NameFields({ draft, onChange }: FieldsProps) {
  return (
    <>
      <TextPart draft={draft} onChange={onChange} field="name" required />
      <TimeZoneField
        value={draft.timeZone}
        onChange={(timeZone) => {
          onChange({ timeZone });
        }}
      />
    </>
  );
}

/** The time zones that this browser knows, by region; the one of this device and the one that holds come first. */
export function TimeZoneField({ value, onChange }: { value: string; onChange: (zone: string) => void }) {
  const own = viewerZone();
  const first = [...new Set([value, own, "UTC"])].filter(Boolean);
  const others = Intl.supportedValuesOf("timeZone").filter((zone) => !first.includes(zone));
  const regions = new Set(others.map(regionOf));
  return (
    <SelectField
      name="timeZone"
      label={fieldLabel("timeZone")}
      hint={t("installations.field.timeZone.hint")}
      required
      value={value}
      onChange={onChange}
      options={first.map(zoneOption)}
      groups={[...regions].map((label) => ({ label, options: others.filter((zone) => regionOf(zone) === label).map(zoneOption) }))}
    />
  );
}

function regionOf(zone: string): string {
  return zone.split("/", 1)[0] ?? zone;
}

function zoneOption(zone: string): FieldOption {
  return { value: zone, label: zone.replaceAll("_", " ") };
}

function SensorFields({ draft, onChange }: FieldsProps) {
  const isThreePhase = isThreePhaseModel(draft.sensorModel);
  return (
    <>
      <SelectField
        name="sensorModel"
        label={fieldLabel("sensorModel")}
        hint={t("installations.field.sensorModel.hint")}
        required
        value={draft.sensorModel}
        onChange={(sensorModel) => {
          onChange(isThreePhaseModel(sensorModel) ? { sensorModel, channel: "0" } : { sensorModel });
        }}
        options={[
          ...(draft.sensorModel === "" ? [{ value: "", label: t("installations.sensor.choose") }] : []),
          ...sensorModels.map((value) => ({ value, label: t(`term.sensor.${value}`) })),
        ]}
      />
      <TextPart draft={draft} onChange={onChange} field="mac" mono required />
      <TextPart
        draft={draft}
        onChange={onChange}
        field="channel"
        readOnly={isThreePhase}
        required
        hint={isThreePhase ? t("installations.field.channel.threePhase") : undefined}
      />
      <TextPart draft={draft} onChange={onChange} field="ctRatio" required />
      <RadioField
        name="counter"
        label={fieldLabel("counter")}
        hint={t("installations.field.counter.hint")}
        wide
        value={draft.counter}
        onChange={(counter) => {
          onChange({ counter });
        }}
        options={counters.map((value) => ({
          value: value as string,
          label: t(`installations.counter.${camel(value)}.label`),
          hint: t(`installations.counter.${camel(value)}.hint`),
        }))}
      />
    </>
  );
}

function PlantFields({ draft, onChange }: FieldsProps) {
  return (
    <>
      <TextPart draft={draft} onChange={onChange} field="ratedPower" unit={t("installations.unit.watts")} required />
      <TextPart draft={draft} onChange={onChange} field="gridConnection" />
    </>
  );
}

function PlaceFields({ draft, onChange }: FieldsProps) {
  const degrees = t("installations.unit.degrees");
  // Maps give both coordinates at once: they are put where they belong.
  const take = (changes: Partial<Draft>) => {
    onChange(coordinatesOf(changes.latitude ?? changes.longitude ?? "") ?? changes);
  };
  return (
    <>
      <TextPart draft={draft} onChange={take} field="latitude" unit={degrees} />
      <TextPart draft={draft} onChange={take} field="longitude" unit={degrees} />
      <TextPart draft={draft} onChange={onChange} field="tilt" unit={degrees} />
      <TextPart draft={draft} onChange={onChange} field="azimuth" unit={degrees} />
    </>
  );
}

function CustodyField({ draft, onChange }: FieldsProps) {
  return (
    <RadioField
      name="custody"
      label={fieldLabel("custody")}
      wide
      value={draft.custody}
      onChange={(custody) => {
        onChange({ custody });
      }}
      options={custodies.map((value) => ({
        value: value as string,
        label: t(`term.custody.${value}`),
        hint: t(`installations.custody.${camel(value)}.hint`),
      }))}
    />
  );
}

/** All that an Enrolment says, in sections. */
export function EnrolmentSections({ draft, onChange }: FieldsProps) {
  return (
    <>
      <FormSection title={t("installations.section.sensor.title")} lead={t("installations.section.sensor.lead")}>
        <SensorFields draft={draft} onChange={onChange} />
      </FormSection>
      <FormSection title={t("installations.section.plant.title")} lead={t("installations.section.plant.lead")}>
        <PlantFields draft={draft} onChange={onChange} />
      </FormSection>
      <FormSection title={t("installations.section.place.title")} lead={t("installations.section.place.lead")}>
        <PlaceFields draft={draft} onChange={onChange} />
      </FormSection>
      <FormSection title={t("installations.section.custody.title")} lead={t("installations.section.custody.lead")}>
        <CustodyField draft={draft} onChange={onChange} />
      </FormSection>
    </>
  );
}
