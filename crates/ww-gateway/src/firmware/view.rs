//! Firmware as the API shows it: what is held, in words and hex.

use ww_api::{
    FirmwareDevice, FirmwareEncoding, FirmwareRelease, FirmwareReleaseState, FirmwareReport,
    FirmwareRole, FirmwareRoot, UpdateState, hex,
};
use ww_release::question::{self, Obstacle, ProvenQuestion, Question};
use ww_release::release::HardwareClass;
use ww_release::root::{Role, SignedRoot};
use ww_store::StoredUpdateReport;
use ww_wire::record::Record as _;
use ww_wire::{Hash, UpdateObstacle, UpdateOutcome, UpdateReport, UtcMillis};

use crate::ota::catalogue::{HeldEncoding, HeldRelease, HeldRoot};
use crate::ota::release_of;
use crate::state::Shared;
use crate::view::{iso, seconds};

pub(super) fn root(gateway: &Shared, held: &HeldRoot) -> Option<FirmwareRoot> {
    let signed = SignedRoot::decode(&held.bytes).ok()?;
    let root = signed.claimed();
    let keys = gateway.ota.keys().ok();
    Some(FirmwareRoot {
        number: held.number,
        suite: root.suite.name().to_owned(),
        root: role(&root.root),
        release: role(&root.release),
        assignment: role(&root.assignment),
        assigned_here: keys.is_some_and(|keys| held.is_assigned_by(keys.assignment.id())),
        added_at: iso(held.added),
        added_by: held.added_by.clone(),
    })
}

fn role(role: &Role<'_>) -> FirmwareRole {
    FirmwareRole {
        threshold: role.threshold(),
        keys: role.keys().map(|key| hex::encode(&key.id().0)).collect(),
    }
}

pub(super) fn release(gateway: &Shared, held: &HeldRelease) -> FirmwareRelease {
    let withdrawal = held.withdrawal.as_ref();
    FirmwareRelease {
        digest: hash(&held.digest),
        version: held.version.clone(),
        hardware_class: uuid(&held.class),
        security_counter: held.security_counter,
        suite: held.suite.name().to_owned(),
        payload_digest: hash(&held.payload),
        image_bytes: held.parts.image_bytes,
        config_bytes: held.parts.config_bytes,
        layout_bytes: held.parts.layout_bytes,
        signers: held.signers.iter().map(|id| hex::encode(&id.0)).collect(),
        root_number: held.root_number,
        state: match withdrawal {
            None => FirmwareReleaseState::Published,
            Some(_) => FirmwareReleaseState::Withdrawn,
        },
        published_at: iso(held.published),
        published_by: held.published_by.clone(),
        withdrawn_at: withdrawal.and_then(|withdrawal| iso(withdrawal.at)),
        withdrawn_by: withdrawal.map(|withdrawal| withdrawal.by.clone()),
        installed: gateway.registry.running(&held.payload),
        encodings: held
            .encodings
            .iter()
            .map(|one| encoding(gateway, one))
            .collect(),
    }
}

fn encoding(gateway: &Shared, held: &HeldEncoding) -> FirmwareEncoding {
    let base = held.base.as_ref();
    let base_version = base.and_then(|base| release_of(gateway, base));
    FirmwareEncoding {
        base: base.map(hash),
        base_version: base_version.map(|release| release.version.clone()),
        plain_bytes: held.plain_bytes,
        object_bytes: held.object_bytes,
        object: hash(&held.object),
        list: hash(&held.list),
    }
}

pub(super) fn device(gateway: &Shared, stored: &ww_store::FirmwareDevice) -> FirmwareDevice {
    let (said, asked) = said(gateway, stored).unzip();
    let said = said.as_ref();
    let boot = stored.last_boot.as_ref();
    let running = boot.and_then(|boot| release_of(gateway, &boot.firmware));
    let at = said.and_then(|said| said.release);
    FirmwareDevice {
        installation_id: stored.installation.0,
        meter_id: stored.meter.to_string(),
        name: stored.name.clone(),
        running_digest: boot.map(|boot| hash(&boot.firmware)),
        running_version: boot.map(|boot| {
            format!(
                "{}.{}.{}",
                boot.version_major, boot.version_minor, boot.version_patch
            )
        }),
        running_release: running.map(|release| hash(&release.digest)),
        hardware_class: said.map(|said| uuid(&said.class)),
        security_counter: said.map(|said| said.security_counter),
        root_number: said.map(|said| said.root_number),
        state: said.map(|said| state(said.state)),
        obstacle: said.and_then(obstacle),
        release: at.as_ref().map(hash),
        version: at.and_then(|at| version(gateway, &at)),
        done_bytes: said.map_or(0, |said| said.done_bytes),
        total_bytes: said.map_or(0, |said| said.total_bytes),
        asked_at: iso(asked.flatten()),
        rollout_id: gateway.rollouts.of(stored.installation).map(|id| id.0),
    }
}

/// What a device said last, and when.
pub(super) fn said(
    gateway: &Shared,
    device: &ww_store::FirmwareDevice,
) -> Option<(Question, Option<UtcMillis>)> {
    // What is in memory is as new as the row, or newer.
    if let Some(newest) = gateway.ota.sessions.newest(device.installation) {
        return Some((newest.question, newest.asked));
    }
    let row = device.question.as_ref()?;
    let said = ProvenQuestion::decode(&row.question).ok()?;
    Some((*said.claimed(), row.asked))
}

fn obstacle(said: &Question) -> Option<String> {
    let obstacle = Some(said.obstacle).filter(|obstacle| *obstacle != Obstacle::None);
    obstacle.map(|obstacle| obstacle.name().to_owned())
}

pub(super) fn report(gateway: &Shared, stored: &StoredUpdateReport) -> Option<FirmwareReport> {
    let report = UpdateReport::decode(&stored.payload).ok()?;
    let obstacle = Some(report.obstacle).filter(|obstacle| *obstacle != UpdateObstacle::None);
    Some(FirmwareReport {
        received_at: iso(stored.received),
        timestamp: report.time.map(seconds),
        outcome: match report.outcome {
            UpdateOutcome::Confirmed => ww_api::UpdateOutcome::Confirmed,
            UpdateOutcome::RolledBack => ww_api::UpdateOutcome::RolledBack,
            UpdateOutcome::Refused => ww_api::UpdateOutcome::Refused,
        },
        obstacle: obstacle.map(|obstacle| obstacle.name().to_owned()),
        release: hash(&report.release),
        version: version(gateway, &report.release),
        running_digest: hash(&report.running),
        security_counter: report.security_counter,
        boot: report.boot.get(),
        record: hex::encode(&stored.payload),
        signature: stored.signature.to_string(),
    })
}

fn version(gateway: &Shared, release: &Hash) -> Option<String> {
    let release = gateway.ota.catalogue.release(release)?;
    Some(release.version.clone())
}

const fn state(state: question::UpdateState) -> UpdateState {
    match state {
        question::UpdateState::Idle => UpdateState::Idle,
        question::UpdateState::Checking => UpdateState::Checking,
        question::UpdateState::Fetching => UpdateState::Fetching,
        question::UpdateState::Staged => UpdateState::Staged,
        question::UpdateState::Trial => UpdateState::Trial,
        question::UpdateState::Confirmed => UpdateState::Confirmed,
        question::UpdateState::RolledBack => UpdateState::RolledBack,
    }
}

fn hash(hash: &Hash) -> String {
    hex::encode(&hash.0)
}

/// A hardware class as UUIDs are written (RFC 9562, section 4).
pub(super) fn uuid(class: &HardwareClass) -> String {
    let digits = hex::encode(&class.0);
    let parts = [0..8, 8..12, 12..16, 16..20, 20..32].map(|part| &digits[part]);
    parts.join("-")
}

/// The hardware class that a UUID names.
pub(super) fn class(text: &str) -> Option<HardwareClass> {
    let digits: String = text.chars().filter(|digit| *digit != '-').collect();
    let class = HardwareClass(hex::decode_array(&digits)?);
    (uuid(&class) == text.to_ascii_lowercase()).then_some(class)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_is_written_and_read_as_a_uuid() {
        let text = "6b2f3a1e-58a0-5cf4-9f0e-2d3b4c5d6e7f";
        let class = class(text).unwrap();
        assert_eq!(uuid(&class), text);
        for other in ["6b2f3a1e58a05cf49f0e2d3b4c5d6e7f", "6b2f3a1e-58a0", ""] {
            assert_eq!(super::class(other), None, "{other}");
        }
    }
}
