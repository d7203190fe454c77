//! Power cuts at every operation of the flash from the first question to the last report: the device
//! always starts an image that was signed, the old one or the new one, ends with the new one, and what
//! the meter keeps beside it stays as it was.

use std::sync::atomic::{AtomicUsize, Ordering};

use embedded_storage::nor_flash::NorFlash as _;
use ww_device::update::agent::Diagnostics;
use ww_device::update::boot::{BOOT_SECTORS, Phase, Slot};
use ww_device::update::layout::UpdateLayout;
use ww_release::delta;
use ww_release::key::Suite;
use ww_release::question::UpdateState;
use ww_sim::flash::{CutPoint, FlashOperation, NorFlashModel, PowerCut, SECTOR_BYTES};
use ww_sim::random::Random;
use ww_wire::{Hash, UpdateOutcome};

use crate::device::{Device, Remembering};
use crate::gateway::{Gateway, Spec, payload};
use crate::journey::{SUITES, honest};

/// Sectors behind the update's own, in which the meter keeps its records.
const METERING_SECTORS: usize = 2;

/// How a release travels.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum How {
    Whole,
    Delta,
}

/// A payload with changes here and there, and some bytes put in.
pub(crate) fn neighbour(old: &[u8]) -> Vec<u8> {
    let mut new = old.to_vec();
    for at in (0..new.len()).step_by(4_001) {
        new[at] = new[at].wrapping_add(7);
    }
    let middle = new.len() / 2;
    new.splice(middle..middle, *b"something that was not there before");
    new.truncate(old.len());
    new
}

/// What is to become of the device.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum End {
    /// The new image runs and works.
    New,
    /// The new image does not work.
    Old,
}

/// One fleet, one device, and how the update of it ends.
struct World {
    gateway: Gateway,
    layout: UpdateLayout,
    /// The chip before anything was asked.
    chip: NorFlashModel,
    old: Vec<u8>,
    new: Vec<u8>,
    /// What the meter keeps beside it.
    records: Vec<u8>,
    end: End,
    verifier: Remembering,
}

impl World {
    fn new(suite: Suite, bytes: usize, end: End, how: How) -> Self {
        let old = payload(1, bytes);
        let (new, deltas) = match how {
            How::Whole => (payload(2, bytes), vec![]),
            How::Delta => {
                let new = neighbour(&old);
                let delta = delta::make(&old, &new).unwrap();
                (new, vec![(Hash::of(&[&old]), delta)])
            }
        };
        let mut gateway = Gateway::new(suite);
        gateway.assigned = Some(gateway.publish(&new, Spec::NEXT, &deltas).digest);
        let sectors = bytes.div_ceil(SECTOR_BYTES) as u32 + 2;
        let device = Device::new(&gateway, sectors, &[&old, &new]);
        let layout = device.layout;
        let bare = device.flash.snapshot();
        let mut chip = NorFlashModel::new(layout.end() as usize + METERING_SECTORS);
        for (sector, bytes) in bare.contents().chunks(SECTOR_BYTES).enumerate() {
            write(&mut chip, sector, bytes);
        }
        let records = payload(9, METERING_SECTORS * SECTOR_BYTES);
        write(&mut chip, layout.end() as usize, &records);
        Self {
            gateway,
            layout,
            chip,
            old,
            new,
            records,
            end,
            verifier: Remembering::default(),
        }
    }

    /// Starts a device on this chip.
    fn device(&mut self, chip: NorFlashModel) -> Device {
        let mut device = Device::on(chip, self.layout, &[&self.old, &self.new]);
        device.verifier = std::mem::take(&mut self.verifier);
        device.piece = SECTOR_BYTES;
        device.conditions.diagnostics = match self.end {
            End::New => Diagnostics::PASSED,
            End::Old => Diagnostics {
                sensor: false,
                ..Diagnostics::PASSED
            },
        };
        device
    }

    /// Lets a device go on from this chip to the end, and looks at what it has then.
    fn live(&mut self, chip: NorFlashModel, is_recorded: bool) -> Vec<FlashOperation> {
        self.gateway.reports.clear();
        let mut device = self.device(chip);
        if is_recorded {
            device.flash.with(NorFlashModel::start_recording);
        }
        let (old, new) = (Hash::of(&[&self.old]), Hash::of(&[&self.new]));
        let (runs, outcome) = match self.end {
            End::New => (new, UpdateOutcome::Confirmed),
            End::Old => (old, UpdateOutcome::RolledBack),
        };
        device.run(&mut self.gateway, &mut honest, |device, gateway| {
            assert!([old, new].contains(&device.running));
            // Where the cut came between the report and the note of it, that stays told.
            let is_over =
                !gateway.reports.is_empty() || (device.running == runs && is_told(device));
            is_over && device.running == runs && device.state() != UpdateState::Trial
        });
        assert!(self.gateway.reports.iter().all(|r| r.outcome == outcome));
        let slot = match self.end {
            End::New => Slot::B,
            End::Old => Slot::A,
        };
        assert_eq!(device.slot, slot);
        let operations = device.flash.with(NorFlashModel::take_recording);
        assert_eq!(device.flash.with(|chip| chip.counters().violations), 0);
        let records = self.layout.end() * SECTOR_BYTES as u32;
        assert!(device.holds(records, &self.records));
        self.verifier = device.verifier;
        operations
    }

    /// Whether an operation is one on the boot state.
    fn decides(&self, operation: &FlashOperation) -> bool {
        let sector = match operation {
            FlashOperation::Write { offset, .. } => offset / SECTOR_BYTES as u32,
            FlashOperation::Erase { sector } => *sector,
        };
        (self.layout.boot..self.layout.boot + BOOT_SECTORS).contains(&sector)
    }
}

/// Whether the device has nothing more to tell.
fn is_told(device: &Device) -> bool {
    match device.boot_state().phase {
        Phase::Settled => device.boot_state().security_counter > 0,
        Phase::RolledBack { is_reported, .. } => is_reported,
        _ => false,
    }
}

fn write(chip: &mut NorFlashModel, sector: usize, bytes: &[u8]) {
    let erased = bytes.iter().all(|byte| *byte == 0xff);
    if !erased {
        let offset = (sector * SECTOR_BYTES) as u32;
        chip.write(offset, bytes).unwrap();
    }
}

/// Every way in which the power can go at an operation: before it, after each word of a write, in ways
/// that leave words and erased sectors in between, after it.
fn ways(operation: &FlashOperation, words_apart: usize, torn: u64) -> Vec<CutPoint> {
    let words = match operation {
        FlashOperation::Write { bytes, .. } => (1..bytes.len() / 4).step_by(words_apart),
        FlashOperation::Erase { .. } => (1..1).step_by(1),
    };
    let mut ways = vec![CutPoint::Before];
    ways.extend(words.map(|words| CutPoint::AfterWords(words as u32)));
    ways.extend((0..torn).map(|seed| CutPoint::Torn { seed }));
    ways.push(CutPoint::After);
    ways
}

fn struck(chip: &NorFlashModel, operation: &FlashOperation, point: CutPoint) -> NorFlashModel {
    let mut struck = chip.clone();
    let at = struck.counters().operations;
    struck.cut_power_at(PowerCut {
        operation: at,
        point,
    });
    assert!(struck.apply(operation).is_err());
    struck.restore_power();
    struck
}

/// Cuts the power once at every operation, in every way.
fn everywhere(suite: Suite, end: End, bytes: usize, how: How) -> usize {
    let mut world = World::new(suite, bytes, end, how);
    let recording = world.live(world.chip.clone(), true);
    let (mut chip, mut cases) = (world.chip.clone(), 0);
    for operation in &recording {
        for point in ways(operation, 1, 4) {
            world.live(struck(&chip, operation, point), false);
            cases += 1;
        }
        chip.apply(operation).unwrap();
    }
    cases
}

/// Something that counts its cases.
type Run = Box<dyn Fn() -> usize + Send + Sync>;

fn run(cases: impl Fn() -> usize + Send + Sync + 'static) -> Run {
    Box::new(cases)
}

/// Runs these on as many threads as there are processors, and adds up what they count.
fn together(runs: Vec<Run>) -> usize {
    let (next, cases) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(run) = runs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    cases.fetch_add(run(), Ordering::Relaxed);
                }
            });
        }
    });
    cases.into_inner()
}

/// Both suites, each in this way and to this end.
fn in_both_suites(end: End, bytes: usize, how: How) -> usize {
    together(
        SUITES
            .map(|suite| run(move || everywhere(suite, end, bytes, how)))
            .into(),
    )
}

#[test]
fn a_cut_at_any_operation_of_a_whole_update_ends_with_the_new_image() {
    let cases = in_both_suites(End::New, 65_536, How::Whole);
    println!("power cuts, 64 KiB whole, both suites: {cases} cases");
    assert!(cases > 33_000);
}

#[test]
fn a_cut_at_any_operation_of_a_delta_update_ends_with_the_new_image() {
    let cases = in_both_suites(End::New, 65_536, How::Delta);
    println!("power cuts, 64 KiB by a delta, both suites: {cases} cases");
    assert!(cases > 33_000);
}

#[test]
fn a_cut_at_any_operation_of_an_update_that_fails_ends_with_the_old_image() {
    let whole = in_both_suites(End::Old, 9_000, How::Whole);
    let delta = in_both_suites(End::Old, 9_000, How::Delta);
    println!(
        "power cuts, an image that does not work: {} cases",
        whole + delta
    );
    assert!(whole.min(delta) > 4_000);
}

#[test]
fn two_cuts_at_any_operations_that_decide_what_starts_brick_nothing() {
    let runs = [End::New, End::Old].map(|end| run(move || pairs_of_decisions(end)));
    let cases = together(runs.into());
    println!("power cuts, pairs among decisions: {cases} cases");
    assert!(cases > 12_000);
}

/// Cuts at an operation on the boot state, and again at one of those that follow.
fn pairs_of_decisions(end: End) -> usize {
    let mut world = World::new(Suite::Es256Aes256Ctr, 4096, end, How::Whole);
    let recording = world.live(world.chip.clone(), true);
    let (mut chip, mut cases) = (world.chip.clone(), 0);
    for operation in &recording {
        if world.decides(operation) {
            for point in ways(operation, 3, 2) {
                let once = struck(&chip, operation, point);
                let after = world.live(once.clone(), true);
                let mut again = once;
                for operation in &after {
                    if world.decides(operation) {
                        for point in ways(operation, 3, 2) {
                            world.live(struck(&again, operation, point), false);
                            cases += 1;
                        }
                    }
                    again.apply(operation).unwrap();
                }
            }
        }
        chip.apply(operation).unwrap();
    }
    cases
}

/// Cuts at any two operations, anywhere, as often as `pairs` says.
fn any_pairs(suite: Suite, end: End, how: How, pairs: usize) -> usize {
    let mut world = World::new(suite, 9_000, end, how);
    let recording = world.live(world.chip.clone(), true);
    let mut random = Random::new(7);
    for _ in 0..pairs {
        let mut chip = world.chip.clone();
        let mut recording = recording.clone();
        for _ in 0..2 {
            if recording.is_empty() {
                break;
            }
            let at = random.below(recording.len() as u64) as usize;
            for operation in &recording[..at] {
                chip.apply(operation).unwrap();
            }
            let all = ways(&recording[at], 1, 8);
            let point = all[random.below(all.len() as u64) as usize];
            chip = struck(&chip, &recording[at], point);
            recording = world.live(chip.clone(), true);
        }
    }
    pairs
}

#[test]
fn any_two_cuts_leave_the_old_image_or_the_new_one() {
    let runs = SUITES.into_iter().flat_map(|suite| {
        let ends = [End::New, End::Old].into_iter();
        ends.flat_map(move |end| [How::Whole, How::Delta].map(|how| (suite, end, how)))
    });
    let runs = runs.map(|(suite, end, how)| run(move || any_pairs(suite, end, how, 1_250)));
    let cases = together(runs.collect());
    println!("power cuts, seeded pairs anywhere: {cases} cases");
    assert_eq!(cases, 10_000);
}
