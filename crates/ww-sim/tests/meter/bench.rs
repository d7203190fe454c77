//! A virtual meter of the example park with the reference gateway, and all that it recorded.

use std::collections::BTreeMap;

use ww_device::queue::Layout;
use ww_device::signer::Signer;
use ww_sim::flash::{FlashHandle, NorFlashModel};
use ww_sim::gateway::ReferenceGateway;
use ww_sim::meter::{Firmware, Parts, VirtualMeter};
use ww_sim::park::{Park, Post};
use ww_sim::signer::{ShamSigner, ShamVerifier};
use ww_wire::{
    AnyReading, ChainRecord, Domain, Enrolment, Hash, Record, RecordType, ToBeSigned, UtcMillis,
};

/// 2025-06-16T08:00:00Z.
const START_MS: u64 = 1_750_032_000_000 + 8 * 3_600_000;
pub(crate) const MINUTE_MS: u64 = 60_000;
pub(crate) const HOUR_MS: u64 = 3_600_000;

pub(crate) struct Bench {
    pub(crate) post: Post,
    pub(crate) meter: VirtualMeter<ShamSigner, ShamVerifier>,
    pub(crate) signer: ShamSigner,
    pub(crate) gateway: ReferenceGateway<ShamVerifier>,
    /// Digest of every reading that the meter called durable.
    pub(crate) recorded: BTreeMap<u64, Hash>,
    pub(crate) start: UtcMillis,
}

impl Bench {
    pub(crate) fn new(post: usize, layout: Layout) -> Self {
        let post = Park::example(3, 5).posts.remove(post);
        let start = UtcMillis::new(START_MS).unwrap();
        let chip = NorFlashModel::new(layout.end_bytes() as usize / 4096);
        let signer = ShamSigner::new(1);
        let parts = Parts {
            sensor: post.sensor(start),
            proposed: post.enrolled(),
            flash: FlashHandle::new(chip),
            layout,
            signer: signer.clone(),
            verifier: ShamVerifier,
            seed: 7,
            firmware: Firmware::first(),
        };
        let mut meter = VirtualMeter::new(parts, start);
        meter.keep_readings();
        let gateway = ReferenceGateway::new(signer.public_key(), ShamVerifier);
        Self {
            post,
            meter,
            signer,
            gateway,
            recorded: BTreeMap::new(),
            start,
        }
    }

    /// A meter that runs and is enrolled.
    pub(crate) fn enrolled(post: usize) -> Self {
        Self::enrolled_on(post, Layout::ONE_MEBIBYTE)
    }

    /// A meter that runs and is enrolled, with a queue of this size.
    pub(crate) fn enrolled_on(post: usize, layout: Layout) -> Self {
        let mut bench = Self::new(post, layout);
        bench.approve();
        bench.meter.start().unwrap();
        bench
    }

    pub(crate) fn approve(&mut self) {
        self.approve_as(99);
    }

    /// An operator, known by the seed of his key, approves the meter.
    pub(crate) fn approve_as(&mut self, operator: u64) {
        self.approve_with_number(operator, 1);
    }

    /// The same with an enrolment of this number.
    pub(crate) fn approve_with_number(&mut self, operator: u64, number: u32) {
        self.approve_with(operator, operator, |enrolment| enrolment.number = number);
    }

    /// The gateway has an enrolment that is changed like this, in the name of `operator` and signed
    /// by `signer`, each known by the seed of his key.
    pub(crate) fn approve_with(
        &mut self,
        operator: u64,
        signer: u64,
        change: impl FnOnce(&mut Enrolment),
    ) {
        let key = ShamSigner::new(operator).public_key();
        let meter = self.signer.public_key();
        let mut enrolment = self.post.enrolment(key, meter, self.start);
        change(&mut enrolment);
        let payload = enrolment.encode().unwrap();
        let domain = Domain::Record(RecordType::Enrolment);
        let message = ToBeSigned::new(domain, &payload).unwrap();
        let signature = ShamSigner::new(signer).sign(&message).unwrap();
        self.gateway.enrol(enrolment, signature);
    }

    /// Lets time pass and gives the readings that were made.
    pub(crate) fn run(&mut self, duration_ms: u64) -> Vec<AnyReading> {
        let until = self.meter.now().checked_add_ms(duration_ms).unwrap();
        self.meter.run_until(until, &mut self.gateway).unwrap();
        self.note_readings()
    }

    pub(crate) fn note_readings(&mut self) -> Vec<AnyReading> {
        let readings = self.meter.take_readings();
        for reading in &readings {
            let digest = reading.encode().unwrap().digest();
            let known = self.recorded.insert(reading.sum().sequence.get(), digest);
            assert_eq!(known, None, "a sequence number was used twice");
        }
        readings
    }

    /// Seals what is open, starts again and sends all there is.
    pub(crate) fn drain(&mut self) {
        self.meter.stop().unwrap();
        self.meter.start().unwrap();
        self.run(10 * MINUTE_MS + 20_000);
        self.run(HOUR_MS);
    }

    /// Everything that was durable arrived, as it was; nothing contradicts anything.
    pub(crate) fn assert_complete(&self) {
        self.assert_accounted();
        let sealed = self.last_sealed();
        let missing = |sequence: &&u64| !self.gateway.readings().contains_key(*sequence);
        let lost: Vec<_> = self
            .recorded
            .range(..=sealed)
            .map(|(n, _)| n)
            .filter(missing)
            .collect();
        assert!(lost.is_empty(), "lost: {lost:?}");
    }

    /// Everything that was durable arrived as it was or was given up by a Gap; nothing contradicts
    /// anything.
    pub(crate) fn assert_accounted(&self) {
        assert_eq!(self.gateway.contradictions(), []);
        let sealed = self.last_sealed();
        for (sequence, digest) in self.recorded.range(..=sealed) {
            assert!(
                self.gateway.accounts_for(*sequence),
                "reading {sequence} is missing"
            );
            let arrived = self.gateway.readings().get(sequence);
            let is_another = arrived.is_some_and(|arrived| arrived != digest);
            assert!(!is_another, "reading {sequence} is another");
        }
    }

    pub(crate) fn last_sealed(&self) -> u64 {
        let windows = self.gateway.records().values().rev();
        let last = windows.filter_map(|received| match &received.record {
            ChainRecord::Window(window) => Some(window.last_sequence.get()),
            _ => None,
        });
        last.max().unwrap_or(0)
    }
}
