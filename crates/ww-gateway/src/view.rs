//! What the store holds, in the shapes of the API. Pure conversions.

use ww_api::name::Named as _;
use ww_api::reading::{PendingReading, ReadingProof, reading_id};
use ww_api::{
    ApiKey, AuditEntry, Chart, DataPoint, Energy, EnrolmentDetail, Evidence, Finding,
    ImportedReading, Installation, InstallationState, LastBoot, Liveness, Mark, MarkKind,
    MeterReport, Milli, Proposal, Reading, RevocationDetail, SignedRecord, TimeFrame, WindowDetail,
    WindowReading, WindowSummary, hex, time,
};
use ww_store::{Proof, ProvenReading, StoredReading, StoredWindow};
use ww_wire::record::Record as _;
use ww_wire::{
    AnyReading, Boot, ChainIndex, DeciDegrees, Enrolment, GeoDegrees, Hash, MilliwattHours,
    ReadingFlags, Revocation, UtcMillis, Watts, WindowFlags,
};

use crate::access::role_of;
use crate::registry::Meter;

/// How many cadences may pass before a meter is late.
const LATE_CADENCES: u64 = 3;

/// How long a meter may be unheard, at least, before it is silent: the length of a window.
const SILENT_MS: u64 = 600_000;

pub(crate) fn iso(time: Option<UtcMillis>) -> Option<String> {
    time.map(time::iso)
}

pub(crate) fn seconds(time: UtcMillis) -> i64 {
    i64::try_from(time.seconds()).unwrap_or(i64::MAX)
}

/// Energy in Wh.
pub(crate) fn energy_milli(energy: MilliwattHours) -> Milli {
    Milli(i128::from(energy.get()))
}

/// The plant's power.
pub(crate) fn power(enrolment: Option<&Enrolment>, reading: &ww_wire::Reading) -> Option<Milli> {
    enrolment?.plant_power(reading).map(Milli)
}

/// The sensor's production counter.
pub(crate) fn total(enrolment: Option<&Enrolment>, reading: &ww_wire::Reading) -> Option<Milli> {
    enrolment?.production_total(reading).map(energy_milli)
}

/// A reading as a list shows it.
pub(crate) fn reading(meter: &Meter, stored: &StoredReading) -> Reading {
    let sum = stored.reading.sum();
    let enrolment = meter.enrolment_of(stored);
    let received = iso(stored.received);
    let (signature, window_id, proof) = match &stored.proof {
        Proof::Signature(signature) => (Some(hex::encode(signature.bytes())), None, None),
        Proof::Window { index, leaf, .. } => (
            None,
            Some(index.get()),
            Some(ReadingProof {
                leaf_index: u64::from(*leaf),
                leaf_count: None,
                path: None,
                root: None,
                window_record: None,
                window_signature: None,
            }),
        ),
    };
    Reading {
        id: reading_id(stored.installation.0, sum.sequence.get()),
        installation_id: stored.installation.0,
        power_w: power(enrolment, sum),
        total_wh: total(enrolment, sum),
        timestamp: sum.time.map(seconds),
        signature,
        is_verified: true,
        created_at: received.clone(),
        verification_timestamp: received,
        is_on_chain: false,
        blockchain_tx_hash: None,
        blockchain_block_number: None,
        meter_id: Some(hex::encode(&sum.meter.0)),
        sequence: sum.sequence.get(),
        produced_wh: Some(energy_milli(sum.produced)),
        flags: flags(sum.flags, ReadingFlags::NAMES, ReadingFlags::contains),
        record: bytes(&stored.reading),
        window_id,
        proof,
    }
}

/// The canonical bytes of a reading, hex.
fn bytes(reading: &AnyReading) -> Option<String> {
    let payload = reading.encode().ok()?;
    Some(hex::encode(&payload))
}

/// A reading with all that is needed to check it offline.
pub(crate) fn proven_reading(meter: &Meter, proven: &ProvenReading) -> Reading {
    let mut shown = reading(meter, &proven.stored);
    if let (Some(proof), Some(window)) = (&mut shown.proof, &proven.window) {
        proof.leaf_count = Some(u64::from(window.window.count));
        proof.path = Some(window.path.iter().map(Hash::to_string).collect());
        proof.root = Some(window.window.root.to_string());
        proof.window_record = window
            .window
            .encode()
            .ok()
            .map(|payload| hex::encode(&payload));
        proof.window_signature = Some(window.signature.to_string());
    }
    shown
}

pub(crate) fn pending(meter: &Meter, stored: &StoredReading) -> PendingReading {
    let sum = stored.reading.sum();
    let enrolment = meter.enrolment_of(stored);
    let signature = match &stored.proof {
        Proof::Signature(signature) => Some(signature.to_string()),
        Proof::Window { .. } => None,
    };
    PendingReading(
        reading_id(stored.installation.0, sum.sequence.get()),
        power(enrolment, sum),
        total(enrolment, sum),
        sum.time.map(seconds),
        signature,
    )
}

pub(crate) fn flags<F: Copy>(
    set: F,
    names: &[(F, &'static str)],
    contains: impl Fn(F, F) -> bool,
) -> Vec<String> {
    names
        .iter()
        .filter(|(flag, _)| contains(set, *flag))
        .map(|(_, name)| name.to_ascii_lowercase())
        .collect()
}

pub(crate) fn window(installation: u32, stored: &StoredWindow) -> WindowSummary {
    let window = &stored.window;
    let payload = window.encode().ok();
    let energy = window.produced_close.checked_sub(window.produced_open);
    WindowSummary {
        id: window.chain_index.get(),
        installation_id: installation,
        digest: payload
            .map_or(Hash::ZERO, |payload| payload.digest())
            .to_string(),
        record: payload
            .map(|payload| hex::encode(&payload))
            .unwrap_or_default(),
        signature: stored.signature.to_string(),
        boot: window.boot.get(),
        first_sequence: window.first_sequence.get(),
        last_sequence: window.last_sequence.get(),
        count: window.count,
        first_timestamp: window.first_time.map(seconds),
        last_timestamp: window.last_time.map(seconds),
        energy_wh: energy_milli(energy.unwrap_or(MilliwattHours::ZERO)),
        produced_close_wh: energy_milli(window.produced_close),
        root: window.root.to_string(),
        enrolment_digest: (!window.enrolment.is_zero()).then(|| window.enrolment.to_string()),
        firmware_digest: window.firmware.to_string(),
        flags: flags(window.flags, WindowFlags::NAMES, WindowFlags::contains),
        created_at: iso(stored.received),
        has_readings: stored.has_readings,
    }
}

/// A window with its readings.
pub(crate) fn whole_window(meter: &Meter, whole: &ww_store::WholeWindow) -> WindowDetail {
    let window = &whole.stored.window;
    let previous = (!window.previous.is_zero()).then(|| window.previous.to_string());
    let readings = whole.readings.iter().map(|stored| {
        let sum = stored.reading.sum();
        WindowReading {
            id: reading_id(stored.installation.0, sum.sequence.get()),
            sequence: sum.sequence.get(),
            timestamp: sum.time.map(seconds),
            power_w: power(meter.enrolment_of(stored), sum),
            record: bytes(&stored.reading).unwrap_or_default(),
        }
    });
    WindowDetail {
        summary: self::window(meter.installation.0, &whole.stored),
        chain_index: window.chain_index.get(),
        previous_digest: previous,
        readings: readings.collect(),
        previous_id: whole.previous.map(ChainIndex::get),
        next_id: whole.next.map(ChainIndex::get),
    }
}

pub(crate) fn mark(mark: &ww_store::Mark) -> Mark {
    let start = seconds(mark.start());
    let none = Mark {
        kind: MarkKind::Outage,
        start,
        end: Some(start),
        boot: None,
        reset_reason: None,
        firmware_digest: None,
        firmware_version: None,
        readings_lost: None,
        energy_wh: None,
    };
    match mark {
        ww_store::Mark::Boot { boot, .. } => Mark {
            kind: MarkKind::Boot,
            boot: Some(boot.boot.get()),
            reset_reason: Some(boot.reset_reason.name().to_owned()),
            firmware_digest: Some(boot.firmware.to_string()),
            firmware_version: Some(firmware_version(boot)),
            ..none
        },
        ww_store::Mark::Outage { end, energy, .. } => Mark {
            end: end.map(seconds),
            energy_wh: energy.map(energy_milli),
            ..none
        },
        ww_store::Mark::Gap { end, gap, .. } => Mark {
            kind: MarkKind::Gap,
            end: Some(seconds(*end)),
            boot: Some(gap.boot.get()),
            readings_lost: gap
                .first_sequence
                .zip(gap.last_sequence)
                .map(|(first, last)| last.get() - first.get() + 1),
            energy_wh: (gap.produced_close.checked_sub(gap.produced_open)).map(energy_milli),
            ..none
        },
    }
}

fn firmware_version(boot: &Boot) -> String {
    let (major, minor) = (boot.version_major, boot.version_minor);
    format!("{major}.{minor}.{}", boot.version_patch)
}

/// How long after a reading a meter is late, and nothing is an outage.
pub(crate) fn late_ms(cadence_s: u32) -> u64 {
    LATE_CADENCES * 1000 * u64::from(cadence_s)
}

/// How long after a reading a meter is silent.
fn silent_ms(cadence_s: u32) -> u64 {
    SILENT_MS.max(late_ms(cadence_s))
}

/// What is to be said of a meter that is silent.
pub(crate) fn unheard(cadence_s: u32) -> String {
    let seconds = silent_ms(cadence_s) / 1000;
    match seconds % 60 {
        0 => format!("not heard for more than {} minutes", seconds / 60),
        _ => format!("not heard for more than {seconds} seconds"),
    }
}

/// When a meter was heard last, against the cadence it should keep.
pub(crate) fn liveness(
    last_seen: Option<UtcMillis>,
    now: Option<UtcMillis>,
    cadence_s: u32,
) -> Liveness {
    let Some(last_seen) = last_seen else {
        return Liveness::Never;
    };
    match now.map_or(0, |now| now.get().saturating_sub(last_seen.get())) {
        ms if ms <= late_ms(cadence_s) => Liveness::Live,
        ms if ms <= silent_ms(cadence_s) => Liveness::Late,
        _ => Liveness::Silent,
    }
}

pub(crate) const fn state(state: ww_store::InstallationState) -> InstallationState {
    match state {
        ww_store::InstallationState::Waiting => InstallationState::Waiting,
        ww_store::InstallationState::Active => InstallationState::Active,
        ww_store::InstallationState::Revoked => InstallationState::Revoked,
    }
}

/// When a meter was heard last: what is durable, or what this gateway has just stored.
pub(crate) fn last_seen(
    installation: &ww_store::Installation,
    meter: Option<&Meter>,
) -> Option<UtcMillis> {
    installation.last_seen.max(meter.and_then(Meter::last_seen))
}

pub(crate) fn installation(
    installation: &ww_store::Installation,
    meter: Option<&Meter>,
    now: Option<UtcMillis>,
    cadence_s: u32,
) -> Installation {
    let enrolment = installation.enrolment.as_ref();
    let boot = installation.last_boot.as_ref();
    let mac = enrolment.map(|e| e.sensor_mac).or(installation.sensor.mac);
    let model = enrolment
        .map(|e| e.sensor_model)
        .or(installation.sensor.model);
    let boot_time = boot
        .and_then(|boot| boot.time)
        .or(installation.announced_boot_time);
    let last_seen = last_seen(installation, meter);
    Installation {
        id: installation.id.0,
        name: installation.name.clone(),
        shelly_mac: mac.map(|mac| mac.to_string()),
        public_key: installation.public_key.to_string(),
        created_at: iso(installation.created),
        is_active: installation.state == ww_store::InstallationState::Active,
        last_boot_timestamp: boot_time.map(seconds),
        meter_id: installation.meter.to_string(),
        state: state(installation.state),
        liveness: liveness(last_seen, now, cadence_s),
        last_seen_at: iso(last_seen),
        expected_cadence_s: cadence_s,
        rated_power_w: enrolment
            .map(|e| e.rated_power)
            .or(installation.sensor.rated_power)
            .map(Watts::get),
        timezone: zone(&installation.time_zone).to_owned(),
        sensor_model: model.map(|model| model.name().to_owned()),
        firmware_digest: boot.map(|boot| boot.firmware.to_string()),
        enrolment_digest: installation
            .enrolment_digest
            .map(|digest| digest.to_string()),
        enrolment_accepted: installation.enrolment_accepted,
        replaces: installation.replaces.map(|id| id.0),
        replaced_by: installation.replaced_by.map(|id| id.0),
    }
}

/// The Enrolment that an operator signed last.
pub(crate) fn enrolment(stored: &ww_store::Installation) -> Option<EnrolmentDetail> {
    let (enrolment, digest) = stored.enrolment.as_ref().zip(stored.enrolment_digest)?;
    Some(EnrolmentDetail {
        digest: digest.to_string(),
        number: enrolment.number,
        time: time::iso(enrolment.time),
        operator: enrolment.operator.to_string(),
        custody: enrolment.custody.name().to_owned(),
        sensor_model: enrolment.sensor_model.name().to_owned(),
        shelly_mac: enrolment.sensor_mac.to_string(),
        channel: enrolment.channel,
        production_counter: enrolment.production_counter.name().to_owned(),
        ct_ratio_milli: enrolment.ct_ratio_milli,
        rated_power_w: enrolment.rated_power.get(),
        latitude_e7: enrolment.latitude.map(GeoDegrees::get),
        longitude_e7: enrolment.longitude.map(GeoDegrees::get),
        tilt_decidegrees: enrolment.tilt.map(DeciDegrees::get),
        azimuth_decidegrees: enrolment.azimuth.map(DeciDegrees::get),
        grid_connection: said(enrolment.grid_connection.as_str()),
        accepted: stored.enrolment_accepted,
    })
}

/// What was said, if anything was.
fn said(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// What the meter proposed of itself.
pub(crate) fn proposal(stored: &ww_store::Installation) -> Proposal {
    let sensor = &stored.sensor;
    Proposal {
        sensor_model: sensor.model.map(|model| model.name().to_owned()),
        shelly_mac: sensor.mac.map(|mac| mac.to_string()),
        channel: sensor.channel,
        production_counter: sensor
            .production_counter
            .map(|counter| counter.name().to_owned()),
        rated_power_w: sensor.rated_power.map(Watts::get),
        time_zone: match stored.label {
            None => said(&stored.time_zone),
            Some(_) => None,
        },
    }
}

pub(crate) fn last_boot(boot: &Boot, received: Option<UtcMillis>) -> LastBoot {
    LastBoot {
        boot: boot.boot.get(),
        timestamp: boot.time.map(seconds),
        firmware_digest: boot.firmware.to_string(),
        firmware_version: firmware_version(boot),
        reset_reason: boot.reset_reason.name().to_owned(),
        received_at: iso(received),
    }
}

pub(crate) fn report(stored: &ww_store::StoredReport) -> MeterReport {
    let report = &stored.report;
    MeterReport {
        received_at: iso(stored.received),
        timestamp: report.time.map(seconds),
        time_quality: report.time_quality.name().to_owned(),
        boot: report.boot.get(),
        uptime_ms: report.uptime.get(),
        queued_records: report.queued_records,
        queued_readings: report.queued_readings,
        sensor_failures: report.sensor_failures,
        upload_failures: report.upload_failures,
        signal_strength_dbm: report.signal_strength.map(|dbm| dbm.get()),
        free_memory_bytes: report.free_memory.map(|bytes| u64::from(bytes.get())),
        temperature_c: (report.temperature).map(|tenths| Milli(i128::from(tenths.get()) * 100)),
    }
}

pub(crate) fn revocation(revocation: &Revocation) -> RevocationDetail {
    RevocationDetail {
        reason: revocation.reason.name().to_owned(),
        note: revocation.note.as_str().to_owned(),
        time: Some(time::iso(revocation.time)),
    }
}

/// What the announcer of a known key is told who may not read installations: what it said itself,
/// and what an operator made of it.
pub(crate) fn acquaintance(
    stored: &ww_store::Installation,
    name: String,
    cadence_s: u32,
) -> Installation {
    Installation {
        id: stored.id.0,
        name,
        shelly_mac: None,
        public_key: stored.public_key.to_string(),
        created_at: None,
        is_active: stored.state == ww_store::InstallationState::Active,
        last_boot_timestamp: None,
        meter_id: stored.meter.to_string(),
        state: state(stored.state),
        liveness: Liveness::Never,
        last_seen_at: None,
        expected_cadence_s: cadence_s,
        rated_power_w: None,
        timezone: zone("").to_owned(),
        sensor_model: None,
        firmware_digest: None,
        enrolment_digest: None,
        enrolment_accepted: false,
        replaces: None,
        replaced_by: None,
    }
}

pub(crate) fn zone(name: &str) -> &str {
    if name.is_empty() { "UTC" } else { name }
}

pub(crate) const fn span(frame: TimeFrame) -> ww_store::Span {
    match frame {
        TimeFrame::Hour => ww_store::Span::Hour,
        TimeFrame::Day => ww_store::Span::Day,
        TimeFrame::Week => ww_store::Span::Week,
        TimeFrame::Month => ww_store::Span::Month,
        TimeFrame::Year => ww_store::Span::Year,
    }
}

pub(crate) fn chart(chart: ww_store::Chart, time_frame: TimeFrame) -> Chart {
    let (start, end) = (seconds(chart.start), seconds(chart.end));
    let data_points = chart
        .bars
        .into_iter()
        .map(|bar| DataPoint {
            label: bar.label,
            value: energy_milli(bar.energy),
            timestamp: seconds(bar.start),
            end: seconds(bar.end),
            readings: bar.readings,
            spans_gap: bar.spans_gap,
        })
        .collect();
    Chart {
        data_points,
        time_frame,
        total_energy: energy_milli(chart.total),
        start,
        end,
        timezone: zone(&chart.time_zone).to_owned(),
    }
}

pub(crate) fn energy(installation: u32, summary: &ww_store::EnergySummary) -> Energy {
    Energy {
        installation_id: installation,
        today_wh: energy_milli(summary.today),
        month_wh: energy_milli(summary.month),
        year_wh: energy_milli(summary.year),
        lifetime_wh: energy_milli(summary.lifetime),
        overlap_wh: energy_milli(summary.overlap),
        average_7d_wh: summary.seven_day_average.map(energy_milli),
        produced_wh: energy_milli(summary.produced),
        corrected_wh: energy_milli(summary.corrected),
        timezone: zone(&summary.time_zone).to_owned(),
    }
}

pub(crate) fn finding(finding: ww_store::Finding) -> Finding {
    Finding {
        id: finding.id,
        installation_id: finding.finding.installation.0,
        kind: finding.finding.kind.name().to_owned(),
        number: finding.finding.number,
        created_at: iso(finding.at),
        detail: finding.finding.detail,
    }
}

pub(crate) fn evidence(evidence: &ww_store::Evidence) -> Evidence {
    Evidence {
        id: evidence.id,
        installation_id: evidence.installation.0,
        kind: evidence.kind.name().to_owned(),
        number: evidence.number,
        created_at: iso(evidence.at),
        stored: (!evidence.stored.payload.is_empty()).then(|| signed_record(&evidence.stored)),
        stored_in_window: evidence.stored_in.map(ChainIndex::get),
        refused: signed_record(&evidence.refused),
        refused_readings: evidence.refused_readings.as_deref().map(hex::encode),
    }
}

fn signed_record(bytes: &ww_store::SignedBytes) -> SignedRecord {
    SignedRecord {
        record: hex::encode(&bytes.payload),
        signature: bytes.signature.map(|signature| signature.to_string()),
    }
}

pub(crate) fn key(key: &ww_store::ApiKey) -> ApiKey {
    ApiKey {
        id: u64::from(key.id.0),
        name: key.key.name.clone(),
        role: role_of(key.key.role),
        created_at: iso(key.created),
        expires_at: iso(key.key.expires),
        revoked_at: iso(key.revoked),
    }
}

pub(crate) fn audit(record: ww_store::AuditRecord) -> AuditEntry {
    AuditEntry {
        id: record.id,
        time: iso(record.audit.at),
        actor: record.audit.actor,
        action: record.audit.action,
        subject: record.audit.subject,
        detail: record.audit.detail,
    }
}

pub(crate) fn imported(reading: ww_store::ImportedReading) -> ImportedReading {
    ImportedReading {
        id: reading.original_id,
        installation_id: reading.original_installation,
        power_w: Milli(i128::from(reading.power.get())),
        total_wh: energy_milli(reading.total),
        timestamp: seconds(reading.time),
        signature: reading.signature,
        is_verified: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_meter_is_late_after_three_cadences_and_silent_after_a_window() {
        let at = |ms: u64| UtcMillis::new(1_000_000 + ms);
        let liveness = |ms| super::liveness(at(0), at(ms), 10);
        assert_eq!(liveness(30_000), Liveness::Live);
        assert_eq!(liveness(30_001), Liveness::Late);
        assert_eq!(liveness(600_000), Liveness::Late);
        assert_eq!(liveness(600_001), Liveness::Silent);
        assert_eq!(super::liveness(None, at(0), 10), Liveness::Never);
    }
}
