//! Vectors of payloads that are refused, with the reason.

use ww_wire::*;

use super::json::{Json, Value, text};
use super::keys::{meter, operator};
use super::records::payload_of;
use super::samples::{
    acknowledgement, bare_enrolment, boot, correction, enrolment, failed_poll, gap, label, reading,
    replacement, revocation, status_report, update_report, utc, window,
};

/// A payload that is refused, made from a good one by writing `bytes` over it at a field.
pub(super) fn spoilt<R: Record>(
    title: &str,
    record: &R,
    field: &str,
    bytes: &[u8],
    reason: &str,
) -> Json {
    let mut payload = payload_of(record).to_vec();
    let mut at = record::HEADER_LENGTH;
    for layout in R::FIELDS {
        if layout.name == field {
            break;
        }
        at += layout.width;
    }
    assert!(at < payload.len(), "no field {field}");
    payload[at..at + bytes.len()].copy_from_slice(bytes);
    refusal(title, R::TYPE, &payload, reason, Some(field))
}

pub(super) fn refusal(
    title: &str,
    record_type: RecordType,
    payload: &[u8],
    reason: &str,
    field: Option<&str>,
) -> Json {
    let field = if reason == "rule" { None } else { field };
    Json::Object(vec![
        ("name", text(title)),
        ("type", text(record_type.name())),
        ("payload", payload.json()),
        ("reason", text(reason)),
        ("field", field.map_or(Json::Null, text)),
    ])
}

pub(super) fn record_refusals() -> Json {
    use RecordType as T;
    let reading = reading();
    let good = payload_of(&reading);
    let with = |at: usize, byte: u8| {
        let mut bytes = good.to_vec();
        bytes[at] = byte;
        bytes
    };
    let longer = [&good[..], &[0]].concat();
    let absent_u64 = [0xff; 8];
    let zero_hash = [0; 32];
    let mut refusals = vec![
        refusal("no bytes", T::Reading, &[], "empty", None),
        refusal("type 0", T::Reading, &with(0, 0), "unknown-type", None),
        refusal(
            "type 0x7f",
            T::Reading,
            &with(0, 0x7f),
            "unknown-type",
            None,
        ),
        refusal(
            "a reading taken for a window",
            T::Window,
            &good,
            "wrong-type",
            None,
        ),
        refusal(
            "version 0",
            T::Reading,
            &with(1, 0),
            "unknown-version",
            None,
        ),
        refusal(
            "version 2",
            T::Reading,
            &with(1, 2),
            "unknown-version",
            None,
        ),
        refusal("type only", T::Reading, &good[..1], "wrong-length", None),
        refusal(
            "a byte short",
            T::Reading,
            &good[..good.len() - 1],
            "wrong-length",
            None,
        ),
        refusal("a byte long", T::Reading, &longer, "wrong-length", None),
        refusal(
            "a single-phase reading marked three-phase",
            T::ThreePhaseReading,
            &with(0, 2),
            "wrong-length",
            None,
        ),
        spoilt(
            "sequence absent",
            &reading,
            "sequence",
            &absent_u64,
            "absent",
        ),
        spoilt("boot absent", &reading, "boot", &[0xff; 4], "absent"),
        spoilt("uptime absent", &reading, "uptime", &absent_u64, "absent"),
        spoilt(
            "produced absent",
            &reading,
            "produced",
            &absent_u64,
            "absent",
        ),
        spoilt(
            "counter epoch absent",
            &reading,
            "counter_epoch",
            &[0xff; 2],
            "absent",
        ),
        spoilt(
            "time quality 4",
            &reading,
            "time_quality",
            &[4],
            "unknown-value",
        ),
        spoilt("flag bit 12", &reading, "flags", &[0x10, 0], "unknown-bits"),
        spoilt("flag bit 15", &reading, "flags", &[0x80, 0], "unknown-bits"),
        spoilt("sequence 0", &reading, "sequence", &[0; 8], "rule"),
        spoilt("boot 0", &reading, "boot", &[0; 4], "rule"),
        spoilt(
            "time absent though known",
            &reading,
            "time",
            &absent_u64,
            "rule",
        ),
        spoilt(
            "time present though unknown",
            &reading,
            "time_quality",
            &[0],
            "rule",
        ),
        spoilt(
            "failed poll with values",
            &reading,
            "flags",
            &[0, 1],
            "rule",
        ),
        spoilt(
            "no power though the poll worked",
            &reading,
            "power",
            &[0x80, 0, 0, 0, 0, 0, 0, 0],
            "rule",
        ),
        spoilt(
            "no total though the poll worked",
            &reading,
            "import_total",
            &absent_u64,
            "rule",
        ),
        spoilt(
            "failed poll with an increment",
            &failed_poll(),
            "flags",
            &[0, 0x21],
            "rule",
        ),
        spoilt(
            "failed poll with a phase",
            &ThreePhaseReading {
                sum: failed_poll(),
                phases: [Phase::ABSENT; 3],
            },
            "phases",
            &[0; 8],
            "rule",
        ),
    ];
    let (window, boot, gap) = (window(), boot(), gap());
    refusals.extend([
        spoilt("count of none", &window, "count", &[0; 4], "rule"),
        spoilt(
            "count does not fit the sequences",
            &window,
            "count",
            &[0, 0, 0, 59],
            "rule",
        ),
        spoilt(
            "601 readings",
            &window,
            "last_sequence",
            &(4_711u64 + 600).to_be_bytes(),
            "rule",
        ),
        spoilt(
            "window ends before it begins",
            &window,
            "last_sequence",
            &[0; 8],
            "rule",
        ),
        spoilt(
            "produced falls in a window",
            &window,
            "produced_close",
            &8_899u64.to_be_bytes(),
            "rule",
        ),
        spoilt(
            "log size without a root",
            &window,
            "log_root",
            &zero_hash,
            "rule",
        ),
        spoilt(
            "log root without a size",
            &window,
            "log_size",
            &[0; 8],
            "rule",
        ),
        spoilt(
            "no record before, but not the first",
            &window,
            "previous",
            &zero_hash,
            "rule",
        ),
        spoilt(
            "first record with one before",
            &boot,
            "previous",
            &[1; 32],
            "rule",
        ),
        spoilt(
            "window flag bit 2",
            &window,
            "flags",
            &[0, 4],
            "unknown-bits",
        ),
        spoilt(
            "reset reason 8",
            &boot,
            "reset_reason",
            &[8],
            "unknown-value",
        ),
        spoilt(
            "first new reading absent",
            &boot,
            "first_new",
            &absent_u64,
            "absent",
        ),
        spoilt("last recovered 0", &boot, "last_recovered", &[0; 8], "rule"),
        spoilt(
            "first new reading not after the last",
            &boot,
            "last_recovered",
            &1u64.to_be_bytes(),
            "rule",
        ),
        spoilt("gap kind 0", &gap, "kind", &[0], "unknown-value"),
        spoilt(
            "gap of readings with a last digest",
            &gap,
            "kind",
            &[1],
            "rule",
        ),
        spoilt(
            "gap of records without a last digest",
            &gap,
            "last_digest",
            &zero_hash,
            "rule",
        ),
        spoilt(
            "gap that speaks of itself",
            &gap,
            "last_index",
            &3_000u64.to_be_bytes(),
            "rule",
        ),
        spoilt(
            "gap that ends before it begins",
            &gap,
            "first_index",
            &41u64.to_be_bytes(),
            "rule",
        ),
        spoilt(
            "gap with a first reading but no last",
            &gap,
            "last_sequence",
            &absent_u64,
            "rule",
        ),
        spoilt(
            "gap from reading 0",
            &gap,
            "first_sequence",
            &[0; 8],
            "rule",
        ),
        spoilt(
            "produced falls over a gap",
            &gap,
            "produced_close",
            &[0; 8],
            "rule",
        ),
    ]);
    let (enrolment, label, correction) = (enrolment(), label(), correction());
    let three_phase = [SensorModel::Shelly3EmGen1 as u8];
    refusals.extend([
        spoilt(
            "operator id of another key",
            &enrolment,
            "operator_key",
            &[9; 64],
            "rule",
        ),
        spoilt(
            "meter key is the operator's",
            &enrolment,
            "meter_key",
            &operator().public.0,
            "rule",
        ),
        spoilt("enrolment number 0", &enrolment, "number", &[0; 4], "rule"),
        spoilt(
            "time of the enrolment absent",
            &enrolment,
            "time",
            &absent_u64,
            "absent",
        ),
        spoilt("custody 2", &enrolment, "custody", &[2], "unknown-value"),
        spoilt(
            "sensor model 0",
            &enrolment,
            "sensor_model",
            &[0],
            "unknown-value",
        ),
        spoilt(
            "channel 1 of a three-phase sensor",
            &enrolment,
            "sensor_model",
            &three_phase,
            "rule",
        ),
        spoilt(
            "transformer ratio 0",
            &enrolment,
            "ct_ratio_milli",
            &[0; 4],
            "rule",
        ),
        spoilt(
            "rated power absent",
            &enrolment,
            "rated_power",
            &[0xff; 4],
            "absent",
        ),
        spoilt("rated power 0", &enrolment, "rated_power", &[0; 4], "rule"),
        spoilt(
            "latitude above 90",
            &enrolment,
            "latitude",
            &900_000_001i32.to_be_bytes(),
            "rule",
        ),
        spoilt(
            "longitude below -180",
            &enrolment,
            "longitude",
            &(-1_800_000_001i32).to_be_bytes(),
            "rule",
        ),
        spoilt(
            "latitude without longitude",
            &enrolment,
            "longitude",
            &i32::MIN.to_be_bytes(),
            "rule",
        ),
        spoilt(
            "tilt above 90",
            &enrolment,
            "tilt",
            &901u16.to_be_bytes(),
            "rule",
        ),
        spoilt(
            "azimuth of 360",
            &enrolment,
            "azimuth",
            &3_600u16.to_be_bytes(),
            "rule",
        ),
        spoilt(
            "chain without a contract",
            &enrolment,
            "minter",
            &[0; 20],
            "rule",
        ),
        spoilt(
            "text goes on after its padding",
            &bare_enrolment(),
            "grid_connection",
            &[0, b'a'],
            "text",
        ),
        spoilt("text with a line feed", &label, "name", b"\n", "text"),
        spoilt(
            "text with a C1 control character",
            &label,
            "name",
            &[0xc2, 0x85],
            "text",
        ),
        spoilt("text that is no UTF-8", &label, "name", &[0xff], "text"),
        spoilt(
            "text with an overlong form",
            &label,
            "name",
            &[0xc0, 0xaf],
            "text",
        ),
        spoilt(
            "text with a surrogate",
            &label,
            "name",
            &[0xed, 0xa0, 0x80],
            "text",
        ),
        spoilt("label without a name", &label, "name", &[0; 64], "rule"),
        spoilt(
            "correction from reading 0",
            &correction,
            "first_sequence",
            &[0; 8],
            "rule",
        ),
        spoilt(
            "correction that ends before it begins",
            &correction,
            "last_sequence",
            &4_710u64.to_be_bytes(),
            "rule",
        ),
        spoilt(
            "correction of no record",
            &correction,
            "target",
            &zero_hash,
            "rule",
        ),
        spoilt(
            "correction reason 4",
            &correction,
            "reason",
            &[4],
            "unknown-value",
        ),
        spoilt(
            "reduction absent",
            &correction,
            "reduction",
            &absent_u64,
            "absent",
        ),
        spoilt(
            "meter that revokes itself",
            &revocation(),
            "meter",
            &operator().id().0,
            "rule",
        ),
        spoilt(
            "revocation reason 5",
            &revocation(),
            "reason",
            &[5],
            "unknown-value",
        ),
        spoilt(
            "meter that replaces itself",
            &replacement(),
            "new_meter",
            &meter().id().0,
            "rule",
        ),
        spoilt(
            "replacement of no record",
            &replacement(),
            "last_digest",
            &zero_hash,
            "rule",
        ),
        spoilt(
            "status report of boot 0",
            &status_report(),
            "boot",
            &[0; 4],
            "rule",
        ),
        spoilt(
            "status report with time unknown",
            &status_report(),
            "time_quality",
            &[0],
            "rule",
        ),
        spoilt(
            "acknowledged log size without a root",
            &acknowledgement(),
            "log_root",
            &zero_hash,
            "rule",
        ),
    ]);
    Json::Object(vec![
        (
            "about",
            text(
                "Payloads that must be refused when read as the type that is named, and the first \
                 reason: empty, unknown-type, wrong-type, unknown-version, wrong-length; absent, \
                 unknown-value, unknown-bits, text (of the field that is named); rule (fields do \
                 not agree). Checks go in the order of FORMAT.md.",
            ),
        ),
        ("refusals", Json::List(refusals)),
    ])
}

/// Rules that no refusal of the first file breaks alone.
pub(super) fn more_record_refusals() -> Json {
    let readings_gap = Gap {
        kind: GapKind::Readings,
        last_digest: Hash::ZERO,
        ..gap()
    };
    let timed_boot = Boot {
        time: Some(utc(1_750_347_100_000)),
        time_quality: TimeQuality::Relative,
        ..boot()
    };
    let from_0_to_59 = (59u128).to_be_bytes();
    let refusals = vec![
        spoilt(
            "window from reading 0",
            &window(),
            "first_sequence",
            &from_0_to_59,
            "rule",
        ),
        spoilt("window of boot 0", &window(), "boot", &[0; 4], "rule"),
        spoilt(
            "boot with time unknown",
            &timed_boot,
            "time_quality",
            &[0],
            "rule",
        ),
        spoilt(
            "gap of readings without any",
            &readings_gap,
            "first_sequence",
            &[0xff; 16],
            "rule",
        ),
    ];
    Json::Object(vec![
        ("about", text("More refusals, as in record-refusals.json.")),
        ("refusals", Json::List(refusals)),
    ])
}

pub(super) fn update_report_refusals() -> Json {
    let report = update_report();
    let rolled_back = UpdateReport {
        outcome: UpdateOutcome::RolledBack,
        obstacle: UpdateObstacle::Crashes,
        ..report
    };
    let refusals = vec![
        spoilt(
            "update report of boot absent",
            &report,
            "boot",
            &[0xff; 4],
            "absent",
        ),
        spoilt("outcome 0", &report, "outcome", &[0], "unknown-value"),
        spoilt("outcome 4", &report, "outcome", &[4], "unknown-value"),
        spoilt(
            "obstacle 24",
            &rolled_back,
            "obstacle",
            &[24],
            "unknown-value",
        ),
        spoilt("update report of boot 0", &report, "boot", &[0; 4], "rule"),
        spoilt(
            "update report with time unknown",
            &report,
            "time_quality",
            &[0],
            "rule",
        ),
        spoilt(
            "confirmed in spite of an obstacle",
            &report,
            "obstacle",
            &[19],
            "rule",
        ),
        spoilt(
            "rolled back without an obstacle",
            &rolled_back,
            "obstacle",
            &[0],
            "rule",
        ),
        spoilt(
            "confirmed though another payload runs",
            &report,
            "running",
            &[0; 32],
            "rule",
        ),
    ];
    Json::Object(vec![
        ("about", text("More refusals, as in record-refusals.json.")),
        ("refusals", Json::List(refusals)),
    ])
}
