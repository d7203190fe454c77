//! A meter with its flash, a gateway that holds it to its word, and a reference model of what must
//! never be lost.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use ww_device::chain::{Chain, ChainError, Start};
use ww_device::now::Now;
use ww_device::queue::{BatchError, BatchLimit, Layout, Queue, Recovered};
use ww_device::signer::{SignError, Signer};
use ww_wire::cose::{Item, Items};
use ww_wire::packed::Codec;
use ww_wire::*;

use crate::flash::{Cut, Flash, random};

/// Signs by hashing: fast, and still different for every message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HashSigner {
    pub(crate) works: bool,
}

pub(crate) const PUBLIC_KEY: PublicKey = PublicKey([0x11; 64]);

pub(crate) fn fake_signature(message: &ToBeSigned) -> Signature {
    let digest = Hash::of(&[&PUBLIC_KEY.0, message.as_bytes()]).0;
    let mut bytes = [1; 64];
    bytes[1..32].copy_from_slice(&digest[1..]);
    bytes[33..].copy_from_slice(&digest[1..]);
    Signature::from_low_s(bytes).unwrap()
}

impl Signer for HashSigner {
    fn public_key(&self) -> PublicKey {
        PUBLIC_KEY
    }

    fn sign(&mut self, message: &ToBeSigned) -> Result<Signature, SignError> {
        if self.works {
            Ok(fake_signature(message))
        } else {
            Err(SignError::Unavailable)
        }
    }
}

/// Everything that ever came over the wire. Panics at the first contradiction.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gateway {
    pub(crate) records: BTreeMap<u64, ChainRecord>,
    /// Payload digests of readings, live or packed.
    pub(crate) readings: BTreeMap<u64, Hash>,
    /// Windows whose readings came.
    pub(crate) whole: BTreeSet<u64>,
}

impl Gateway {
    /// Takes a live reading.
    pub(crate) fn live(&mut self, reading: &AnyReading) {
        self.reading(reading);
    }

    fn reading(&mut self, reading: &AnyReading) {
        let digest = reading.encode().unwrap().digest();
        let number = reading.sum().sequence.get();
        let known = self.readings.insert(number, digest);
        assert!(
            known.is_none_or(|known| known == digest),
            "two readings have number {number}"
        );
    }

    /// Takes an upload body and gives the indices of the records in it, in order.
    pub(crate) fn receive(&mut self, body: &[u8]) -> Vec<u64> {
        let mut indices = Vec::new();
        let mut window = None;
        for item in Items::new(body) {
            match item.unwrap() {
                Item::Sign1(sign1) => {
                    let record = ChainRecord::decode(sign1.payload).unwrap();
                    let domain = Domain::Record(record.record_type());
                    let message = sign1.to_be_signed(domain).unwrap();
                    assert_eq!(sign1.signature, fake_signature(&message));
                    let index = record.chain_index().get();
                    let known = self.records.insert(index, record);
                    assert!(
                        known.is_none_or(|known| known == record),
                        "two records have index {index}: {known:?} and {record:?}"
                    );
                    indices.push(index);
                    window = Some(record);
                }
                Item::Readings(block) => {
                    let Some(ChainRecord::Window(window)) = window else {
                        panic!("readings without a window");
                    };
                    self.readings_of(&window, block);
                }
            }
        }
        indices
    }

    fn readings_of(&mut self, window: &Window, block: &[u8]) {
        let (mut codec, mut rest) = Codec::open(window.meter, block).unwrap();
        let mut leaves = Vec::new();
        while !rest.is_empty() {
            let (reading, len) = codec.unpack(rest).unwrap();
            rest = &rest[len..];
            let number = window.first_sequence.get() + leaves.len() as u64;
            assert_eq!(reading.sum().sequence.get(), number);
            self.reading(&reading);
            leaves.push(reading.leaf_hash().unwrap());
        }
        assert_eq!(merkle::root(&leaves), window.root, "{window:?}");
        self.whole.insert(window.chain_index.get());
    }

    fn gaps(&self, kind: GapKind) -> Vec<Gap> {
        let gap = |record: &ChainRecord| match record {
            ChainRecord::Gap(gap) if gap.kind == kind => Some(*gap),
            _ => None,
        };
        self.records.values().filter_map(gap).collect()
    }

    /// The first record that is neither here nor given up.
    pub(crate) fn next_index(&self) -> u64 {
        let gaps = self.gaps(GapKind::Records);
        (0..)
            .find(|index| !self.records.contains_key(index) && !covered(&gaps, *index))
            .unwrap()
    }

    /// Checks that the chain up to `end` is whole but for what Gaps say, and that everything in
    /// `recorded` is proven or given up by a signed record.
    pub(crate) fn audit(&self, end: u64, recorded: &BTreeSet<u64>) {
        let next = self.next_index();
        assert!(next >= end, "record {next} is missing");
        self.audit_links();
        self.audit_energy();
        self.audit_readings(recorded);
    }

    /// Each record names the one before, or the last one of a Gap.
    fn audit_links(&self) {
        let gaps = self.gaps(GapKind::Records);
        for (index, record) in &self.records {
            let before = index.checked_sub(1).and_then(|i| self.records.get(&i));
            if let Some(before) = before {
                assert_eq!(record.previous(), before.encode().unwrap().digest());
            } else if *index > 0 {
                let joined = gaps.iter().any(|gap| {
                    gap.last_index.get() + 1 == *index && gap.last_digest == record.previous()
                });
                assert!(
                    joined || covered(&gaps, *index),
                    "record {index} hangs in the air"
                );
            }
        }
    }

    /// Windows follow one another in sequence and energy.
    fn audit_energy(&self) {
        let mut before: Option<Window> = None;
        for record in self.records.values() {
            if let ChainRecord::Window(window) = record {
                let both = WindowFlags::RECOVERED.with(WindowFlags::ORDERLY_STOP);
                assert!(!window.flags.contains(both), "{window:?}");
                if let Some(before) = before {
                    assert!(window.first_sequence > before.last_sequence);
                    assert!(before.produced_close <= window.produced_open);
                    let between = before.chain_index.get() + 1..window.chain_index.get();
                    if between.into_iter().all(|i| self.records.contains_key(&i)) {
                        assert_eq!(before.produced_close, window.produced_open);
                    }
                }
                before = Some(*window);
            } else if let ChainRecord::Gap(gap) = record
                && gap.kind == GapKind::Records
            {
                self.audit_gap(gap);
            }
        }
    }

    /// A Gap of whole records joins what is before it to what is after it.
    fn audit_gap(&self, gap: &Gap) {
        let windows = |range| self.records.range::<u64, _>(range);
        let before = windows((Bound::Unbounded, Bound::Excluded(gap.first_index.get())));
        let window = |(_, record): (_, &ChainRecord)| match record {
            ChainRecord::Window(window) => Some(*window),
            _ => None,
        };
        if let Some(before) = before.rev().find_map(window) {
            assert!(
                before.produced_close <= gap.produced_open,
                "{before:?} {gap:?}"
            );
        }
        let after = windows((Bound::Excluded(gap.last_index.get()), Bound::Unbounded));
        if let Some(after) = after.clone().find_map(window) {
            assert!(
                gap.produced_close <= after.produced_open,
                "{gap:?} {after:?}"
            );
        }
    }

    /// Each reading is in a window whose readings came, or a Gap says that they, or the window,
    /// were given up.
    fn audit_readings(&self, recorded: &BTreeSet<u64>) {
        let mut windows = BTreeMap::new();
        for record in self.records.values() {
            if let ChainRecord::Window(window) = record {
                windows.insert(window.first_sequence.get(), *window);
            }
        }
        let without_readings = [GapKind::Readings, GapKind::Unreadable].map(|kind| self.gaps(kind));
        let without_windows = self.gaps(GapKind::Records);
        for number in recorded {
            let window = windows
                .range(..=number)
                .next_back()
                .map(|(_, window)| window);
            let proven = window.is_some_and(|window| {
                let index = window.chain_index.get();
                let whole = self.whole.contains(&index)
                    || without_readings.iter().any(|gaps| covered(gaps, index));
                window.last_sequence.get() >= *number && whole
            });
            let given_up = without_windows.iter().any(|gap| {
                gap.first_sequence
                    .is_some_and(|first| first.get() <= *number)
                    && gap.last_sequence.is_some_and(|last| *number <= last.get())
            });
            assert!(
                proven || given_up,
                "reading {number} is lost without a trace; before it: {window:?}"
            );
        }
    }
}

/// Whether a Gap speaks of the record.
fn covered(gaps: &[Gap], index: u64) -> bool {
    gaps.iter()
        .any(|gap| (gap.first_index.get()..=gap.last_index.get()).contains(&index))
}

/// What may happen to a meter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// So many seconds pass, then a reading is taken.
    Reading(u64),
    /// A batch goes to the gateway, and its answer comes back, or not.
    Upload {
        answered: bool,
    },
    /// Everything goes to the gateway.
    Drain,
    Stop,
    Reboot,
    /// The clock steps back by so many seconds.
    ClockBack(u64),
    /// The clock is lost, or found again.
    Clock(bool),
    Checkpoint,
    /// The signer works, or does not.
    Signer(bool),
}

/// The device, the wire and the truth.
pub(crate) struct World {
    pub(crate) layout: Layout,
    pub(crate) queue: Option<Queue<Flash>>,
    pub(crate) chain: Option<Chain>,
    pub(crate) signer: HashSigner,
    pub(crate) gateway: Gateway,
    /// Readings that the device said are durable.
    pub(crate) recorded: BTreeSet<u64>,
    /// The end of the chain when it was seen last.
    pub(crate) end: u64,
    pub(crate) time_ms: u64,
    pub(crate) time_known: bool,
    pub(crate) uptime_ms: u64,
    pub(crate) produced: u64,
    pub(crate) three_phase: bool,
    pub(crate) noise: u64,
    pub(crate) boots: u32,
    pub(crate) recovered: Option<Recovered>,
    /// After each boot the power goes again, so many operations later.
    pub(crate) cuts: Vec<(u64, Cut)>,
    pub(crate) cuts_struck: u32,
}

/// Enough of a world to go on from.
#[derive(Clone, Debug)]
pub(crate) struct Snapshot {
    flash: Flash,
    layout: Layout,
    gateway: Gateway,
    recorded: BTreeSet<u64>,
    end: u64,
    time_ms: u64,
    time_known: bool,
    produced: u64,
    noise: u64,
    three_phase: bool,
}

pub(crate) const BUFFER: usize = 4096;

impl World {
    pub(crate) fn new(layout: Layout) -> Self {
        Self::with_flash(layout, Flash::new(layout.end_bytes() / 4096))
    }

    pub(crate) fn with_flash(layout: Layout, flash: Flash) -> Self {
        let meter = PUBLIC_KEY.id();
        let (queue, recovered) = Queue::mount(flash, layout, meter).unwrap();
        Self {
            layout,
            queue: Some(queue),
            chain: None,
            signer: HashSigner { works: true },
            gateway: Gateway::default(),
            recorded: BTreeSet::new(),
            end: 0,
            time_ms: 1_750_000_000_000,
            time_known: true,
            uptime_ms: 0,
            produced: 0,
            three_phase: false,
            noise: 7,
            boots: 0,
            recovered: Some(recovered),
            cuts: Vec::new(),
            cuts_struck: 0,
        }
    }

    pub(crate) fn snapshot(&mut self) -> Snapshot {
        let queue = self.queue.take().unwrap();
        let flash = queue.into_flash();
        let snapshot = Snapshot {
            flash: flash.clone(),
            layout: self.layout,
            gateway: self.gateway.clone(),
            recorded: self.recorded.clone(),
            end: self.end,
            time_ms: self.time_ms,
            time_known: self.time_known,
            produced: self.produced,
            noise: self.noise,
            three_phase: self.three_phase,
        };
        (self.queue, self.chain) = (None, None);
        let (queue, recovered) = Queue::mount(flash, self.layout, PUBLIC_KEY.id()).unwrap();
        (self.queue, self.recovered) = (Some(queue), Some(recovered));
        snapshot
    }

    pub(crate) fn from_snapshot(snapshot: &Snapshot, cut: Option<(u64, Cut)>) -> Self {
        let mut flash = snapshot.flash.clone();
        flash.cut = cut;
        Self {
            gateway: snapshot.gateway.clone(),
            recorded: snapshot.recorded.clone(),
            end: snapshot.end,
            time_ms: snapshot.time_ms,
            time_known: snapshot.time_known,
            produced: snapshot.produced,
            noise: snapshot.noise,
            three_phase: snapshot.three_phase,
            ..Self::with_flash(snapshot.layout, flash)
        }
    }

    pub(crate) fn queue(&mut self) -> &mut Queue<Flash> {
        self.queue.as_mut().unwrap()
    }

    pub(crate) fn operations(&mut self) -> u64 {
        self.with_flash_of(|flash| flash.operations)
    }

    /// Looks at the flash by taking the queue apart; only right after a mount.
    pub(crate) fn with_flash_of<T>(&mut self, look: impl FnOnce(&mut Flash) -> T) -> T {
        let mut flash = self.queue.take().unwrap().into_flash();
        let result = look(&mut flash);
        let (queue, recovered) =
            Queue::mount(flash, self.layout, PUBLIC_KEY.id()).expect("it mounted before");
        (self.queue, self.recovered, self.chain) = (Some(queue), Some(recovered), None);
        result
    }

    pub(crate) fn now(&self) -> Now {
        let uptime = UptimeMillis::new(self.uptime_ms).unwrap();
        let time = UtcMillis::new(self.time_ms).unwrap();
        if self.time_known {
            Now::at(uptime, time, TimeQuality::Synchronised)
        } else {
            Now::unsynchronised(uptime)
        }
    }

    /// Mounts and starts, as often as the power goes, and checks what is found.
    pub(crate) fn boot(&mut self) {
        let mut patience = self.cuts.len() + 3;
        loop {
            let mut flash = self.queue.take().unwrap().into_flash();
            if !flash.powered {
                self.cuts_struck += 1;
                let next = self.cuts.pop();
                flash.cut = next.map(|(later, cut)| (flash.operations + later, cut));
                flash.powered = true;
            }
            self.chain = None;
            let (queue, recovered) = Queue::mount(flash, self.layout, PUBLIC_KEY.id()).unwrap();
            (self.queue, self.recovered) = (Some(queue), Some(recovered));
            match self.start() {
                Ok(()) => return,
                Err(ChainError::Sign(_)) => self.signer.works = true,
                Err(error) => assert!(patience > 0, "it starts no more: {error}"),
            }
            patience = patience.saturating_sub(1);
        }
    }

    pub(crate) fn start(&mut self) -> Result<(), ChainError> {
        self.uptime_ms = 0;
        self.boots += 1;
        let start = Start {
            now: self.now(),
            firmware: Hash([0xf1; 32]),
            version: (0, 1, 0),
            security_counter: 0,
            reset_reason: ResetReason::PowerOn,
        };
        let recovered = self.recovered.unwrap();
        self.produced = self.produced.max(recovered.produced.get());
        let newest = self.recorded.last().copied().unwrap_or(0);
        assert!(
            recovered.next_sequence.get() > newest,
            "number {newest} would be given out again"
        );
        let queue = self.queue.as_mut().unwrap();
        let (chain, _) = Chain::start(queue, &mut self.signer, &recovered, &start)?;
        self.chain = Some(chain);
        Ok(())
    }

    fn draft(&mut self) -> AnyReading {
        let noise = random(&mut self.noise);
        self.produced += noise % 37 * 100;
        let energy = |value| MilliwattHours::new(value).unwrap();
        let power = 1_500_000 + (noise >> 8) as i64 % 60_000 * 10;
        let sum = Reading {
            meter: PUBLIC_KEY.id(),
            boot: BootCounter::MAX,
            sequence: Sequence::MAX,
            time: self.now().time(),
            uptime: self.now().uptime(),
            time_quality: self.now().quality(),
            power: Milliwatts::new(power),
            import_total: Some(energy(self.produced + 8900)),
            export_total: Some(energy(0)),
            counter_epoch: CounterEpoch::ZERO,
            produced: energy(self.produced),
            voltage: Millivolts::new(230_000 + (noise >> 24) as u32 % 400 * 10),
            current: None,
            reactive_power: Millivars::new(24_000 + (noise >> 40) as i64 % 500 * 10),
            temperature: None,
            flags: ReadingFlags::NONE,
        };
        let phase = |shift: u32| Phase {
            power: Milliwatts::new((noise >> shift) as i64 % 900_000),
            voltage: Millivolts::new(230_000 + (noise >> (shift + 3)) as u32 % 4_000),
            current: Milliamperes::new((noise >> (shift + 9)) as u32 % 9_000),
            import_total: Some(energy(self.produced / 3 + (noise >> shift) % 50)),
            export_total: Some(energy((noise >> shift) % 50)),
        };
        let phases = self.three_phase.then(|| [phase(4), phase(12), phase(20)]);
        AnyReading::new(sum, phases)
    }

    /// Takes one step; `Err` when the power went.
    pub(crate) fn step(&mut self, step: Step) -> Result<(), ChainError> {
        self.act(step)?;
        // What is in the chain now may have left the device by the time that the power goes.
        let newest = self.queue().next_index().get().saturating_sub(3);
        let from = self.queue().first_unacknowledged().get().max(newest);
        Ok(self.overhear_from(ChainIndex::new(from).unwrap())?)
    }

    /// A step to which nobody listens.
    pub(crate) fn act(&mut self, step: Step) -> Result<(), ChainError> {
        if self.chain.is_none() {
            self.start()?;
        }
        match step {
            Step::Reading(seconds) => self.read(seconds)?,
            Step::Upload { answered } => {
                self.upload(answered)?;
            }
            Step::Drain => while self.upload(true)? {},
            Step::Stop => {
                let now = self.now();
                let (queue, chain) = (self.queue.as_mut().unwrap(), self.chain.as_mut().unwrap());
                chain.stop(queue, &mut self.signer, now)?;
            }
            Step::Reboot => self.boot(),
            Step::ClockBack(seconds) => self.time_ms -= seconds * 1000,
            Step::Clock(known) => self.time_known = known,
            Step::Checkpoint => {
                let size = self.time_ms;
                let root = Hash::of(&[&size.to_be_bytes()]);
                let checkpoint = ww_device::queue::LogCheckpoint { size, root };
                self.queue().set_checkpoint(&checkpoint)?;
            }
            Step::Signer(works) => self.signer.works = works,
        }
        Ok(())
    }

    /// Takes a step on a flash that has rotted, where promises do not hold.
    pub(crate) fn tolerate(&mut self, step: Step) -> Result<(), ChainError> {
        if self.chain.is_none() {
            self.start()?;
        }
        let now = self.now();
        match step {
            Step::Reading(seconds) => {
                self.time_ms += seconds * 1000;
                let draft = self.draft();
                let (queue, chain) = (self.queue.as_mut().unwrap(), self.chain.as_mut().unwrap());
                chain.tick(queue, &mut self.signer, now)?;
                chain.record(queue, &mut self.signer, draft)?;
            }
            Step::Upload { .. } => {
                let mut buffer = [0; BUFFER];
                let (queue, chain) = (self.queue.as_mut().unwrap(), self.chain.as_mut().unwrap());
                let from = queue.first_unacknowledged();
                let batch = chain.next_batch(
                    queue,
                    &mut self.signer,
                    from,
                    BatchLimit::MOST,
                    now,
                    &mut buffer,
                )?;
                queue.acknowledge(batch.next_index).unwrap();
            }
            other => self.act(other)?,
        }
        Ok(())
    }

    fn read(&mut self, seconds: u64) -> Result<(), ChainError> {
        self.time_ms += seconds * 1000;
        self.uptime_ms += seconds * 1000;
        let now = self.now();
        let draft = self.draft();
        let (queue, chain) = (self.queue.as_mut().unwrap(), self.chain.as_mut().unwrap());
        let ticked = chain.tick(queue, &mut self.signer, now);
        if self.signer.works {
            ticked?;
        }
        let (queue, chain) = (self.queue.as_mut().unwrap(), self.chain.as_mut().unwrap());
        let recorded = chain.record(queue, &mut self.signer, draft)?;
        let number = recorded.reading.sum().sequence.get();
        let fresh = self.recorded.insert(number);
        assert!(fresh, "number {number} was given out twice");
        if self.signer.works {
            self.gateway.live(&recorded.reading);
        }
        Ok(())
    }

    /// Sends one batch; says whether there was anything in it.
    pub(crate) fn upload(&mut self, answered: bool) -> Result<bool, ChainError> {
        let now = self.now();
        let mut buffer = [0; BUFFER];
        let (queue, chain) = (self.queue.as_mut().unwrap(), self.chain.as_mut().unwrap());
        let from = queue.first_unacknowledged();
        let batch = chain.next_batch(
            queue,
            &mut self.signer,
            from,
            BatchLimit::MOST,
            now,
            &mut buffer,
        )?;
        self.gateway.receive(&buffer[..batch.len]);
        if answered && batch.records > 0 {
            let next = self.gateway.next_index();
            assert!(
                next > from.get(),
                "the upload does not get on from {from:?}"
            );
            let next = ChainIndex::new(next).unwrap();
            self.queue().acknowledge(next).unwrap();
        }
        Ok(batch.records > 0)
    }

    /// The gateway listens to everything that waits, without answering: nothing that it heard
    /// before may be different now.
    pub(crate) fn overhear(&mut self) {
        let from = self.queue().first_unacknowledged();
        self.overhear_from(from).unwrap();
    }

    fn overhear_from(&mut self, mut from: ChainIndex) -> Result<(), BatchError> {
        let mut buffer = vec![0; BUFFER];
        loop {
            let queue = self.queue.as_mut().unwrap();
            let batch = match queue.next_batch(from, BatchLimit::MOST, &mut buffer) {
                // Nothing leaves the device before a Gap is signed for what is missing.
                Err(BatchError::Missing(_)) => return Ok(()),
                other => other?,
            };
            if batch.records == 0 {
                return Ok(());
            }
            self.gateway.receive(&buffer[..batch.len]);
            from = batch.next_index;
        }
    }

    /// Seals and sends everything, and audits it.
    pub(crate) fn settle(&mut self) {
        self.signer.works = true;
        self.step(Step::Stop).unwrap();
        self.step(Step::Drain).unwrap();
        let end = self.queue().next_index().get();
        self.gateway.audit(end, &self.recorded);
        let unreadable = self.gateway.gaps(GapKind::Unreadable);
        assert!(unreadable.is_empty(), "nothing has rotted: {unreadable:?}");
    }

    /// Takes steps; whenever the power goes, boots and goes on with the step after.
    pub(crate) fn run(&mut self, steps: &[Step]) {
        for step in steps {
            if self.step(*step).is_err() {
                self.boot();
                self.overhear();
            }
        }
    }
}
