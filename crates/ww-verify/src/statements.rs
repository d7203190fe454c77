//! Keeps what was appended to a meter's history: corrections, its revocation, its replacement. They
//! stand beside the energy and change none of it; only those of an operator who counts are told.

use std::collections::{BTreeMap, BTreeSet};

use ww_wire::record::Record;
use ww_wire::{
    Correction, CorrectionReason, Domain, Hash, MeterId, RecordType, Replacement, Revocation,
    RevocationReason, Sign1, SignerId,
};

use crate::question::Span;
use crate::report::{Remark, Statement};
use crate::signature::VerifyingKey;

/// Statements whose signature holds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Statements {
    by_digest: BTreeMap<Hash, Said>,
    /// Kind and signer of statements that nobody here can check.
    unknown: BTreeSet<(RecordType, SignerId)>,
}

#[derive(Clone, Copy, Debug)]
struct Said {
    signer: SignerId,
    what: What,
    /// Energy that windows after a revocation claim; `None` when it is more than its field holds.
    after_mwh: Option<u64>,
}

#[derive(Clone, Copy, Debug)]
enum What {
    Correction(Correction),
    Revocation(Revocation),
    Replacement(Replacement),
}

/// Why a statement was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum StatementError {
    Unreadable(String),
    Foreign(MeterId),
    BadSignature(RecordType),
}

impl Statements {
    /// Takes a statement about the meter; `key_of` knows the operators' keys.
    pub(crate) fn take(
        &mut self,
        meter: &VerifyingKey,
        key_of: impl FnOnce(SignerId) -> Option<VerifyingKey>,
        sign1: &Sign1<'_>,
    ) -> Result<(), StatementError> {
        let own = meter.public().id();
        let unreadable =
            |error: ww_wire::DecodeError| StatementError::Unreadable(error.to_string());
        let record_type = RecordType::of(sign1.payload).map_err(unreadable)?;
        let (signer, about, what) = match record_type {
            // A name changes nothing measured.
            RecordType::Label => return Ok(()),
            RecordType::Revocation => {
                let record = Revocation::decode(sign1.payload).map_err(unreadable)?;
                (record.operator, record.meter, What::Revocation(record))
            }
            RecordType::Replacement => {
                let record = Replacement::decode(sign1.payload).map_err(unreadable)?;
                let about = match record.old_meter == own {
                    true => record.old_meter,
                    false => record.new_meter,
                };
                (record.signer, about, What::Replacement(record))
            }
            _ => {
                let record = Correction::decode(sign1.payload).map_err(unreadable)?;
                (record.operator, record.meter, What::Correction(record))
            }
        };
        if about != own {
            return Err(StatementError::Foreign(about));
        }
        let key = match signer == own {
            true => Some(meter.clone()),
            false => key_of(signer),
        };
        let Some(key) = key else {
            self.unknown.insert((record_type, signer));
            return Ok(());
        };
        key.verify(Domain::Record(record_type), sign1.payload, &sign1.signature)
            .map_err(|_| StatementError::BadSignature(record_type))?;
        let said = Said {
            signer,
            what,
            after_mwh: Some(0),
        };
        self.by_digest.insert(Hash::of(&[sign1.payload]), said);
        Ok(())
    }

    /// Notes the energy of a window that counts.
    pub(crate) fn count(&mut self, span: Option<Span>, energy_mwh: u64) {
        for said in self.by_digest.values_mut() {
            if let (What::Revocation(revocation), Some(span)) = (&said.what, span)
                && span.start_ms >= revocation.time.get()
            {
                said.after_mwh = said.after_mwh.and_then(|sum| sum.checked_add(energy_mwh));
            }
        }
    }

    /// What counts, the oldest first, and what does not. `sequences` are the first and the last
    /// reading that count; corrections of others are left out.
    pub(crate) fn told(
        &self,
        own: MeterId,
        counts: impl Fn(SignerId) -> bool,
        sequences: Option<(u64, u64)>,
    ) -> (Vec<Statement>, Vec<Remark>) {
        let mut told: Vec<Statement> = Vec::new();
        let mut uncounted = self.unknown.clone();
        for said in self.by_digest.values() {
            if counts(said.signer) {
                told.extend(said.statement(own, sequences));
            } else {
                uncounted.insert((said.what.record_type(), said.signer));
            }
        }
        told.sort_by_key(Statement::time_ms);
        let remarks = uncounted
            .iter()
            .map(|(record_type, signer)| Remark::Uncounted {
                record: record_type.name().to_owned(),
                signer: signer.to_string(),
            });
        (told, remarks.collect())
    }
}

impl What {
    const fn record_type(&self) -> RecordType {
        match self {
            Self::Correction(_) => RecordType::Correction,
            Self::Revocation(_) => RecordType::Revocation,
            Self::Replacement(_) => RecordType::Replacement,
        }
    }
}

impl Said {
    fn statement(&self, own: MeterId, sequences: Option<(u64, u64)>) -> Option<Statement> {
        match &self.what {
            What::Correction(correction) => {
                let (first, last) = (
                    correction.first_sequence.get(),
                    correction.last_sequence.get(),
                );
                let concerns = sequences.is_some_and(|(from, to)| first <= to && last >= from);
                concerns.then(|| Statement::Correction {
                    time_ms: correction.time.get(),
                    first_sequence: first,
                    last_sequence: last,
                    reduction_mwh: correction.reduction.get(),
                    reason: match correction.reason {
                        CorrectionReason::Other => "another reason",
                        CorrectionReason::SensorFault => "the sensor measured wrongly",
                        CorrectionReason::Installation => "wired or configured wrongly",
                        CorrectionReason::Manipulation => "manipulated",
                    }
                    .to_owned(),
                    note: correction.note.as_str().to_owned(),
                })
            }
            What::Revocation(revocation) => Some(Statement::Revocation {
                time_ms: revocation.time.get(),
                energy_after_mwh: self.after_mwh,
                reason: match revocation.reason {
                    RevocationReason::Other => "another reason",
                    RevocationReason::Decommissioned => "out of service",
                    RevocationReason::Lost => "lost or stolen",
                    RevocationReason::KeyCompromise => "its key may be known to others",
                    RevocationReason::Manipulation => "manipulated",
                }
                .to_owned(),
                note: revocation.note.as_str().to_owned(),
            }),
            What::Replacement(record) if record.old_meter == own => Some(Statement::ReplacedBy {
                time_ms: record.time.get(),
                meter: record.new_meter.to_string(),
                last_index: record.last_index.get(),
            }),
            What::Replacement(record) => Some(Statement::Replaces {
                time_ms: record.time.get(),
                meter: record.old_meter.to_string(),
                produced_mwh: record.produced_close.get(),
            }),
        }
    }
}
