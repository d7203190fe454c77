// The enrolments that a meter countersigned, and what a reading's sensor values mean for the plant under one. Whether to believe the operator
// is for the reader to decide.

import type { SignedItem } from "./cose.ts";
import type { Engine } from "./crypto-engine.ts";
import { decode, digitsIn, numberIn, valueOf, type SignedRecord } from "./record-fields.ts";
import { check, digestOf, fromMilli, verifies, type Check, type Difference } from "./verify-checks.ts";

/** An enrolment that its operator signed and that this meter accepted. */
export interface AcceptedEnrolment {
  readonly digest: string;
  readonly record: SignedRecord;
}

/** What the gateway shows of a plant. */
export interface PlantFigures {
  readonly power_w: number | null;
  readonly total_wh: number | null;
}

/** Those of the items that are an enrolment of this key, signed by its operator and countersigned by the meter; the newest first. */
export async function acceptedEnrolments(engine: Engine, items: readonly SignedItem[], publicKey: string): Promise<AcceptedEnrolment[]> {
  const payloads = [...new Set(items.map(({ payload }) => payload))];
  const read = await Promise.all(
    payloads.map((payload) => {
      const signed = items.filter((item) => item.payload === payload);
      return acceptedEnrolment(engine, payload, signed, publicKey);
    }),
  );
  return read.filter((each) => each !== null).toSorted((one, other) => Number(numberIn(other.record, "number") - numberIn(one.record, "number")));
}

async function acceptedEnrolment(engine: Engine, payload: string, signed: readonly SignedItem[], publicKey: string): Promise<AcceptedEnrolment | null> {
  const { record } = decode(payload, ["enrolment"]);
  if (!record || digitsIn(record, "meter_key") !== publicKey.toLowerCase()) return null;
  const operatorKey = digitsIn(record, "operator_key");
  const [digest, operator] = await Promise.all([digestOf(engine, payload), digestOf(engine, operatorKey)]);
  if (digest === null || operator !== digitsIn(record, "operator")) return null;
  const answers = await Promise.all(
    signed.map(({ signature }) =>
      Promise.all([verifies(engine, operatorKey, "enrolment", payload, signature), verifies(engine, publicKey, "enrolment-acceptance", payload, signature)]),
    ),
  );
  const isSigned = answers.some(([byOperator]) => byOperator);
  const isAccepted = answers.some(([, byMeter]) => byMeter);
  return isSigned && isAccepted ? { digest, record } : null;
}

/** Those that a record may have been taken under: the one that its window names; where none is named, each, for nothing signed says which. */
export function enrolmentsFor(window: SignedRecord | null, accepted: readonly AcceptedEnrolment[]): readonly AcceptedEnrolment[] {
  const named = window ? digitsIn(window, "enrolment") : "";
  return /^0*$/.test(named) ? accepted : accepted.filter(({ digest }) => digest === named);
}

/** Whether what is shown of a plant is what the signed values mean under these enrolments: it holds under all of them, or fails under all. */
export function plantCheckUnder(
  enrolments: readonly AcceptedEnrolment[],
  differencesUnder: (enrolment: AcceptedEnrolment) => readonly Difference[],
  whyOpen: "several-enrolments" | "not-sealed" = "several-enrolments",
): Check {
  const [newest] = enrolments;
  if (!newest) return check("plant", "unknown", { why: "no-enrolment" });
  const differences = enrolments.map(differencesUnder);
  if (differences.every(({ length }) => length === 0)) return check("plant", "holds", { expected: newest.digest });
  if (differences.some(({ length }) => length === 0)) return check("plant", "unknown", { why: whyOpen });
  return check("plant", "fails", { why: "differs", expected: newest.digest, differences: differences[0] ?? [] });
}

/** What a reading means for the plant; null where there is no enrolment, and where these enrolments say different things. */
export function figuresUnder(enrolments: readonly AcceptedEnrolment[], reading: SignedRecord): PlantFigures | null {
  const [figures = null, ...others] = enrolments.map((enrolment) => plantFigures(enrolment, reading));
  const isAgreed = others.every(({ power_w, total_wh }) => power_w === figures?.power_w && total_wh === figures?.total_wh);
  return isAgreed ? figures : null;
}

/** The plant's power and its production counter, as the enrolment says that they follow from the sensor's values. */
export function plantFigures({ record }: AcceptedEnrolment, reading: SignedRecord): PlantFigures {
  const isReturned = valueOf(record, "production_counter") === 1n;
  const sensor = valueOf(reading, "power");
  const power = sensor === null ? null : ((isReturned ? -sensor : sensor) * numberIn(record, "ct_ratio_milli")) / 1000n;
  return { power_w: fromMilli(power), total_wh: fromMilli(valueOf(reading, isReturned ? "export_total" : "import_total")) };
}
