//! Keeps what operators said of the meter and which of it the windows name: only enrolments that an
//! accepted operator signed count, and only those that a window names say anything.

use std::collections::{BTreeMap, BTreeSet};

use ww_wire::record::Record;
use ww_wire::{
    Custody, Domain, Enrolment, Hash, MeterId, Nameplate, RecordType, Sign1, SignerId, Window,
};

use crate::report::{Missing, Problem};
use crate::signature::VerifyingKey;

#[derive(Clone, Debug, Default)]
pub(crate) struct Enrolments {
    /// The only operator that counts, if the auditor named one.
    trusted: Option<SignerId>,
    signed: BTreeMap<Hash, Enrolment>,
    /// Those to which the meter consented.
    accepted: BTreeSet<Hash>,
    named: BTreeMap<Hash, Named>,
}

/// By how many windows an enrolment is named.
#[derive(Clone, Copy, Debug)]
struct Named {
    first_index: u64,
    windows: u64,
}

/// Why an enrolment was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum EnrolmentError {
    Unreadable(String),
    Foreign(MeterId),
    BadSignature { number: u32 },
}

impl Enrolments {
    pub(crate) fn new(trusted: Option<SignerId>) -> Self {
        Self {
            trusted,
            ..Self::default()
        }
    }

    /// Takes an operator's enrolment or the meter's consent to one.
    pub(crate) fn take(
        &mut self,
        meter: &VerifyingKey,
        sign1: &Sign1<'_>,
    ) -> Result<(), EnrolmentError> {
        let enrolment = Enrolment::decode(sign1.payload)
            .map_err(|error| EnrolmentError::Unreadable(error.to_string()))?;
        if enrolment.meter_key != *meter.public() {
            return Err(EnrolmentError::Foreign(enrolment.meter()));
        }
        let digest = Hash::of(&[sign1.payload]);
        let holds = |key: &VerifyingKey, domain| {
            key.verify(domain, sign1.payload, &sign1.signature).is_ok()
        };
        let by_operator = VerifyingKey::new(enrolment.operator_key)
            .is_ok_and(|key| holds(&key, Domain::Record(RecordType::Enrolment)));
        if by_operator {
            self.signed.insert(digest, enrolment);
        } else if holds(meter, Domain::EnrolmentAcceptance) {
            self.accepted.insert(digest);
        } else {
            let number = enrolment.number;
            return Err(EnrolmentError::BadSignature { number });
        }
        Ok(())
    }

    /// Notes the enrolment that a window of the time asked for names.
    pub(crate) fn name(&mut self, window: &Window) {
        if window.enrolment.is_zero() {
            return;
        }
        let named = self.named.entry(window.enrolment).or_insert(Named {
            first_index: window.chain_index.get(),
            windows: 0,
        });
        named.windows += 1;
    }

    /// The plant behind a window, if its enrolment is there and counts.
    pub(crate) fn nameplate(&self, window: &Window) -> Option<Nameplate> {
        let enrolment = self.signed.get(&window.enrolment)?;
        self.counts(enrolment).then(|| enrolment.nameplate())
    }

    fn counts(&self, enrolment: &Enrolment) -> bool {
        self.trusted
            .is_none_or(|trusted| trusted == enrolment.operator)
    }

    fn named_that_count(&self) -> impl Iterator<Item = (&Hash, &Enrolment)> {
        self.named
            .keys()
            .filter_map(|digest| self.signed.get_key_value(digest))
            .filter(|(_, enrolment)| self.counts(enrolment))
    }

    /// The key of an operator, by any enrolment of the meter that carries it.
    pub(crate) fn key_of(&self, operator: SignerId) -> Option<VerifyingKey> {
        self.signed
            .values()
            .find(|enrolment| enrolment.operator == operator)
            .and_then(|enrolment| VerifyingKey::new(enrolment.operator_key).ok())
    }

    /// Whether what an operator says of the meter counts.
    pub(crate) fn counts_as_operator(&self, operator: SignerId) -> bool {
        match self.trusted {
            Some(trusted) => trusted == operator,
            None => self.operators().contains(&operator),
        }
    }

    /// The operators behind the windows.
    pub(crate) fn operators(&self) -> BTreeSet<SignerId> {
        self.named_that_count()
            .map(|(_, enrolment)| enrolment.operator)
            .collect()
    }

    /// Where the meter's key lives, by the weakest of the enrolments behind the windows.
    pub(crate) fn custody(&self) -> Option<Custody> {
        self.named_that_count()
            .map(|(_, enrolment)| enrolment.custody)
            .min()
    }

    /// Whether the meter's consent to an enrolment behind the windows was not served.
    pub(crate) fn lack_consent(&self) -> bool {
        self.named_that_count()
            .any(|(digest, _)| !self.accepted.contains(digest))
    }

    /// The enrolments that windows name and nobody served.
    pub(crate) fn missing(&self) -> impl Iterator<Item = Missing> {
        self.named
            .iter()
            .filter(|(digest, _)| !self.signed.contains_key(*digest))
            .map(|(digest, named)| Missing::Enrolment {
                digest: digest.to_string(),
                first_index: named.first_index,
                windows: named.windows,
            })
    }

    /// The enrolments that windows name, by operators that do not count.
    pub(crate) fn foreign(&self) -> impl Iterator<Item = Problem> {
        self.named.iter().filter_map(|(digest, named)| {
            let enrolment = self.signed.get(digest)?;
            (!self.counts(enrolment)).then(|| Problem::ForeignOperator {
                operator: enrolment.operator.to_string(),
                digest: digest.to_string(),
                first_index: named.first_index,
                windows: named.windows,
            })
        })
    }
}
