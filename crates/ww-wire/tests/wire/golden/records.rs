//! Vectors of records that are good: their fields, and the bytes that follow from them.

use ww_wire::record::FieldLayout;
use ww_wire::*;

use super::json::{Json, Value, fields, text};
use super::keys::{TestKey, meter, operator};
use super::samples::{
    acknowledgement, bare_enrolment, boot, boot_counter, correction, energy, enrolment,
    extreme_reading, failed_poll, gap, index, label, reading, replacement, revocation, sequence,
    status_report, three_phase_reading, update_report, utc, window,
};

pub(super) fn digest_of(record: &impl Record) -> Hash {
    payload_of(record).digest()
}

pub(super) fn payload_of(record: &impl Record) -> Payload {
    record.encode().expect("the record keeps its rules")
}

/// One vector: the fields by name, and everything that follows from them.
pub(super) fn vector<R: Record>(
    title: &str,
    record: &R,
    fields: Json,
    signed: Option<(&TestKey, Domain)>,
) -> Json {
    let payload = payload_of(record);
    let mut members = vec![
        ("name", text(title)),
        ("type", text(R::TYPE.name())),
        ("signer_id", record.signer().json()),
        ("fields", fields),
        ("payload", payload.json()),
        ("digest", payload.digest().json()),
    ];
    if matches!(R::TYPE, RecordType::Reading | RecordType::ThreePhaseReading) {
        members.push(("leaf_hash", merkle::leaf_hash(&payload).json()));
    }
    if let Some((key, domain)) = signed {
        let domain_text = format!("wattwitness/v1/{}", domain.name());
        let to_be_signed = ToBeSigned::new(domain, &payload).expect("it is a record");
        members.extend([
            ("key", text(key.label)),
            ("public_key", key.public.json()),
            ("domain", text(&domain_text)),
            ("external_aad", domain_text.as_bytes().json()),
            ("sig_structure", to_be_signed.as_bytes().json()),
            ("signature", key.sign(domain, &payload).bytes()[..].json()),
            ("cose_sign1", key.sign1(&payload, domain)[..].json()),
        ]);
    }
    Json::Object(members)
}

pub(super) fn reading_fields(
    sum: &Reading,
    phases: Option<&[Phase; 3]>,
    layout: &[FieldLayout],
) -> Json {
    let mut members = vec![
        ("boot", sum.boot.json()),
        ("sequence", sum.sequence.json()),
        ("time", sum.time.json()),
        ("uptime", sum.uptime.json()),
        ("time_quality", sum.time_quality.json()),
        ("power", sum.power.json()),
        ("import_total", sum.import_total.json()),
        ("export_total", sum.export_total.json()),
        ("counter_epoch", sum.counter_epoch.json()),
        ("produced", sum.produced.json()),
        ("voltage", sum.voltage.json()),
        ("current", sum.current.json()),
        ("reactive_power", sum.reactive_power.json()),
        ("temperature", sum.temperature.json()),
        ("flags", sum.flags.json()),
    ];
    members.extend(phases.map(|phases| ("phases", phases.json())));
    let written = members.iter().map(|(name, _)| *name);
    assert!(
        written.eq(layout.iter().map(|field| field.name)),
        "a field is missing"
    );
    Json::Object(members)
}

pub(super) fn reading_vector(title: &str, record: &Reading) -> Json {
    let fields = reading_fields(record, None, Reading::FIELDS);
    let domain = Domain::Record(Reading::TYPE);
    vector(title, record, fields, Some((&meter(), domain)))
}

pub(super) fn three_phase_vector(title: &str, record: &ThreePhaseReading) -> Json {
    let fields = reading_fields(&record.sum, Some(&record.phases), ThreePhaseReading::FIELDS);
    let domain = Domain::Record(ThreePhaseReading::TYPE);
    vector(title, record, fields, Some((&meter(), domain)))
}

pub(super) fn window_vector(title: &str, record: &Window) -> Json {
    let fields = fields!(
        record,
        Window::FIELDS,
        chain_index,
        previous,
        boot,
        first_sequence,
        last_sequence,
        count,
        first_time,
        last_time,
        produced_open,
        produced_close,
        root,
        enrolment,
        firmware,
        log_size,
        log_root,
        flags,
    );
    let domain = Domain::Record(Window::TYPE);
    vector(title, record, fields, Some((&meter(), domain)))
}

pub(super) fn boot_vector(title: &str, record: &Boot) -> Json {
    let fields = fields!(
        record,
        Boot::FIELDS,
        chain_index,
        previous,
        boot,
        time,
        uptime,
        time_quality,
        firmware,
        version_major,
        version_minor,
        version_patch,
        security_counter,
        reset_reason,
        last_recovered,
        first_new,
        attestation,
    );
    let domain = Domain::Record(Boot::TYPE);
    vector(title, record, fields, Some((&meter(), domain)))
}

pub(super) fn gap_vector(title: &str, record: &Gap) -> Json {
    let fields = fields!(
        record,
        Gap::FIELDS,
        chain_index,
        previous,
        boot,
        time,
        kind,
        first_index,
        last_index,
        first_sequence,
        last_sequence,
        produced_open,
        produced_close,
        last_digest,
    );
    let domain = Domain::Record(Gap::TYPE);
    vector(title, record, fields, Some((&meter(), domain)))
}

pub(super) fn enrolment_vector(
    title: &str,
    record: &Enrolment,
    key: &TestKey,
    domain: Domain,
) -> Json {
    let fields = fields!(
        record,
        Enrolment::FIELDS,
        operator_key,
        meter_key,
        number,
        time,
        custody,
        sensor_model,
        sensor_mac,
        channel,
        production_counter,
        ct_ratio_milli,
        rated_power,
        latitude,
        longitude,
        tilt,
        azimuth,
        grid_connection,
        start_import,
        start_export,
        owner,
        chain_id,
        minter,
    );
    vector(title, record, fields, Some((key, domain)))
}

pub(super) fn status_report_vector(title: &str, record: &StatusReport) -> Json {
    let fields = fields!(
        record,
        StatusReport::FIELDS,
        boot,
        time,
        uptime,
        time_quality,
        queued_records,
        queued_readings,
        sensor_failures,
        upload_failures,
        signal_strength,
        free_memory,
        temperature,
    );
    let domain = Domain::Record(StatusReport::TYPE);
    vector(title, record, fields, Some((&meter(), domain)))
}

fn update_report_vector(title: &str, record: &UpdateReport) -> Json {
    let fields = fields!(
        record,
        UpdateReport::FIELDS,
        boot,
        time,
        uptime,
        time_quality,
        release,
        payload,
        running,
        root_number,
        security_counter,
        outcome,
        obstacle,
    );
    let domain = Domain::Record(UpdateReport::TYPE);
    vector(title, record, fields, Some((&meter(), domain)))
}

pub(super) fn acknowledgement_vector(title: &str, record: &Acknowledgement) -> Json {
    let fields = fields!(
        record,
        Acknowledgement::FIELDS,
        next_index,
        time,
        log_size,
        log_root,
        enrolment,
    );
    vector(title, record, fields, None)
}

pub(super) fn operator_vectors() -> Vec<Json> {
    let operator = operator();
    let record = label();
    let label = vector(
        "label in UTF-8",
        &record,
        fields!(record, Label::FIELDS, meter, time, name, time_zone),
        Some((&operator, Domain::Record(Label::TYPE))),
    );
    let record = correction();
    let correction = vector(
        "correction",
        &record,
        fields!(
            record,
            Correction::FIELDS,
            meter,
            time,
            target,
            first_sequence,
            last_sequence,
            reduction,
            reason,
            note,
        ),
        Some((&operator, Domain::Record(Correction::TYPE))),
    );
    let record = revocation();
    let revocation = vector(
        "revocation without a note",
        &record,
        fields!(record, Revocation::FIELDS, meter, time, reason, note),
        Some((&operator, Domain::Record(Revocation::TYPE))),
    );
    let record = replacement();
    let replacement = vector(
        "replacement signed by the old meter",
        &record,
        fields!(
            record,
            Replacement::FIELDS,
            old_meter,
            new_meter,
            time,
            last_index,
            last_digest,
            produced_close,
        ),
        Some((&meter(), Domain::Record(Replacement::TYPE))),
    );
    vec![label, correction, revocation, replacement]
}

pub(super) fn records() -> Json {
    let enrolment_domain = Domain::Record(Enrolment::TYPE);
    let mut vectors = vec![
        reading_vector("reading of a real Shelly EM", &reading()),
        reading_vector("failed poll, time unknown", &failed_poll()),
        reading_vector("every number at an end of its range", &extreme_reading()),
        three_phase_vector(
            "three phases, one of them without a voltage",
            &three_phase_reading(),
        ),
        three_phase_vector(
            "failed poll of a three-phase sensor",
            &ThreePhaseReading {
                sum: failed_poll(),
                phases: [Phase::ABSENT; 3],
            },
        ),
        window_vector("window of ten minutes", &window()),
        window_vector(
            "window of one reading, recovered, no time, no enrolment, no log",
            &Window {
                last_sequence: sequence(4_711),
                count: 1,
                first_time: None,
                last_time: None,
                produced_close: energy(8_900),
                enrolment: Hash::ZERO,
                log_size: 0,
                log_root: Hash::ZERO,
                flags: WindowFlags::RECOVERED,
                ..window()
            },
        ),
        boot_vector("first boot of a meter", &boot()),
        boot_vector(
            "boot after a brown-out, with an attestation",
            &Boot {
                chain_index: index(13),
                previous: digest_of(&window()),
                boot: boot_counter(4),
                time: Some(utc(1_750_347_100_000)),
                time_quality: TimeQuality::Relative,
                reset_reason: ResetReason::BrownOut,
                last_recovered: Some(sequence(4_770)),
                first_new: sequence(4_900),
                attestation: Attestation([0x17; 64]),
                ..boot()
            },
        ),
        gap_vector("gap of whole records", &gap()),
        gap_vector(
            "gap of single readings",
            &Gap {
                kind: GapKind::Readings,
                last_digest: Hash::ZERO,
                ..gap()
            },
        ),
        gap_vector(
            "gap of records among which is no window, time unknown",
            &Gap {
                time: None,
                first_sequence: None,
                last_sequence: None,
                produced_close: energy(11_600),
                ..gap()
            },
        ),
        enrolment_vector(
            "enrolment by the operator",
            &enrolment(),
            &operator(),
            enrolment_domain,
        ),
        enrolment_vector(
            "the same enrolment, accepted by the meter",
            &enrolment(),
            &meter(),
            Domain::EnrolmentAcceptance,
        ),
        enrolment_vector(
            "enrolment with all left out that may be",
            &bare_enrolment(),
            &operator(),
            enrolment_domain,
        ),
    ];
    vectors.extend(operator_vectors());
    vectors.extend([
        status_report_vector("status report", &status_report()),
        status_report_vector(
            "status report of a meter without radio, thermometer or time",
            &StatusReport {
                time: None,
                time_quality: TimeQuality::Unknown,
                signal_strength: None,
                free_memory: None,
                temperature: None,
                ..status_report()
            },
        ),
        acknowledgement_vector("acknowledgement", &acknowledgement()),
        acknowledgement_vector(
            "acknowledgement of a gateway without time, log or enrolment",
            &Acknowledgement {
                next_index: index(0),
                time: None,
                log_size: 0,
                log_root: Hash::ZERO,
                enrolment: Hash::ZERO,
                ..acknowledgement()
            },
        ),
    ]);
    Json::Object(vec![
        (
            "about",
            text(
                "Each vector: the fields by name, then what follows from them. Whole numbers are \
                 decimal text, bytes are hexadecimal, absent is null.",
            ),
        ),
        ("records", Json::List(vectors)),
    ])
}

pub(super) fn update_reports() -> Json {
    let report = update_report();
    let rolled_back = UpdateReport {
        boot: boot_counter(6),
        time: None,
        time_quality: TimeQuality::Unknown,
        running: Hash::of(&[b"firmware 1.4.2"]),
        security_counter: 7,
        outcome: UpdateOutcome::RolledBack,
        obstacle: UpdateObstacle::Sensor,
        ..report
    };
    let refused = UpdateReport {
        boot: boot_counter(3),
        running: Hash::of(&[b"firmware 1.4.2"]),
        security_counter: 9,
        outcome: UpdateOutcome::Refused,
        obstacle: UpdateObstacle::CounterTooLow,
        ..report
    };
    let vectors = vec![
        update_report_vector("update confirmed", &report),
        update_report_vector("update rolled back, time unknown", &rolled_back),
        update_report_vector("update refused", &refused),
    ];
    Json::Object(vec![
        ("about", text("More records, as in records.json.")),
        ("records", Json::List(vectors)),
    ])
}
