//! The names that the records' enumerations have in JSON.

use ww_wire::{
    CorrectionReason, Custody, ProductionCounter, ResetReason, RevocationReason, SensorModel,
    TimeQuality,
};

/// A value that is one of a few, with a name in JSON.
pub trait Named: Sized + Copy + PartialEq + 'static {
    /// Every value with its name.
    const NAMES: &'static [(Self, &'static str)];

    /// The name.
    fn name(self) -> &'static str {
        Self::NAMES
            .iter()
            .find(|(value, _)| *value == self)
            .map(|(_, name)| *name)
            .expect("the table has every value")
    }

    /// The value of this name.
    fn from_name(name: &str) -> Option<Self> {
        Self::NAMES
            .iter()
            .find(|(_, known)| *known == name)
            .map(|(value, _)| *value)
    }

    /// All names, for people.
    fn all_names() -> String {
        let names: Vec<_> = Self::NAMES.iter().map(|(_, name)| *name).collect();
        names.join(", ")
    }
}

impl Named for SensorModel {
    const NAMES: &'static [(Self, &'static str)] = &[
        (Self::ShellyEmGen1, "shelly_em_gen1"),
        (Self::Shelly3EmGen1, "shelly_3em_gen1"),
        (Self::ShellyEm1Gen2, "shelly_em1_gen2"),
        (Self::ShellyEmGen2, "shelly_em_gen2"),
    ];
}

impl Named for ProductionCounter {
    const NAMES: &'static [(Self, &'static str)] = &[
        (Self::Total, "total"),
        (Self::TotalReturned, "total_returned"),
    ];
}

impl Named for Custody {
    const NAMES: &'static [(Self, &'static str)] = &[
        (Self::Software, "software"),
        (Self::SecureElement, "secure_element"),
    ];
}

impl Named for RevocationReason {
    const NAMES: &'static [(Self, &'static str)] = &[
        (Self::Other, "other"),
        (Self::Decommissioned, "decommissioned"),
        (Self::Lost, "lost"),
        (Self::KeyCompromise, "key_compromise"),
        (Self::Manipulation, "manipulation"),
    ];
}

impl Named for CorrectionReason {
    const NAMES: &'static [(Self, &'static str)] = &[
        (Self::Other, "other"),
        (Self::SensorFault, "sensor_fault"),
        (Self::Installation, "installation"),
        (Self::Manipulation, "manipulation"),
    ];
}

impl Named for ResetReason {
    const NAMES: &'static [(Self, &'static str)] = &[
        (Self::Unknown, "unknown"),
        (Self::PowerOn, "power_on"),
        (Self::BrownOut, "brown_out"),
        (Self::Watchdog, "watchdog"),
        (Self::Crash, "crash"),
        (Self::Requested, "requested"),
        (Self::Update, "update"),
        (Self::Wake, "wake"),
    ];
}

impl Named for TimeQuality {
    const NAMES: &'static [(Self, &'static str)] = &[
        (Self::Unknown, "unknown"),
        (Self::Informative, "informative"),
        (Self::Synchronised, "synchronised"),
        (Self::Relative, "relative"),
    ];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_has_a_name() {
        assert!(
            SensorModel::ALL
                .iter()
                .all(|v| SensorModel::from_name(v.name()) == Some(*v))
        );
        assert!(
            Custody::ALL
                .iter()
                .all(|v| Custody::from_name(v.name()) == Some(*v))
        );
        assert!(ProductionCounter::ALL.iter().all(|v| !v.name().is_empty()));
        assert!(RevocationReason::ALL.iter().all(|v| !v.name().is_empty()));
        assert!(CorrectionReason::ALL.iter().all(|v| !v.name().is_empty()));
        assert!(ResetReason::ALL.iter().all(|v| !v.name().is_empty()));
        assert!(TimeQuality::ALL.iter().all(|v| !v.name().is_empty()));
    }
}
