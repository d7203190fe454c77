//! A simple model of a store beside the real one: the life of one meter, delivered in any order,
//! twice, in part and forged; and what must be there afterwards.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use proptest::prelude::*;
use ww_store::{Ingest, Outcome, Proof, Refusal, Span, Store};
use ww_wire::{AnyReading, Boot, ChainRecord, UtcMillis, Window};

use super::meter::{Meter, bare, chained, live, sealed, tampered, utc};
use super::{Backend, active, all, assert_whole, take};

const ZONE: &str = "Europe/Berlin";

/// How the clock goes on from one reading to the next.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Tick {
    Grid,
    Minutes(u16),
    Hours(u16),
    BackMinutes(u16),
    Unknown,
}

/// One window of the meter's life: its readings as ticks and increments, and whether the meter was
/// started anew before it.
#[derive(Clone, Debug)]
pub(crate) struct Stretch {
    pub(crate) readings: Vec<(Tick, u16)>,
    pub(crate) starts_anew: bool,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Delivery {
    Live(u16),
    Tampered(u16),
    Window(u16),
    BareWindow(u16),
    Boot(u16),
    Run { first: u16, count: u8 },
    Maintain,
    Reopen,
}

pub(crate) fn life() -> impl Strategy<Value = Vec<Stretch>> {
    let tick = prop_oneof![
        12 => Just(Tick::Grid),
        4 => (1..30_u16).prop_map(Tick::Minutes),
        1 => (1..30_u16).prop_map(Tick::Hours),
        1 => (1..30_u16).prop_map(Tick::BackMinutes),
        1 => Just(Tick::Unknown),
    ];
    let reading = (tick, prop_oneof![1 => Just(0), 3 => 1..900_u16]);
    let stretch = (
        prop::collection::vec(reading, 1..4),
        prop::bool::weighted(0.05),
    );
    let stretch = stretch.prop_map(|(readings, starts_anew)| Stretch {
        readings,
        starts_anew,
    });
    prop_oneof![
        prop::collection::vec(stretch.clone(), 1..25),
        prop::collection::vec(stretch, 150..320),
    ]
}

pub(crate) fn deliveries() -> impl Strategy<Value = Vec<Delivery>> {
    let delivery = prop_oneof![
        6 => any::<u16>().prop_map(Delivery::Live),
        2 => any::<u16>().prop_map(Delivery::Tampered),
        4 => any::<u16>().prop_map(Delivery::Window),
        2 => any::<u16>().prop_map(Delivery::BareWindow),
        1 => any::<u16>().prop_map(Delivery::Boot),
        3 => (any::<u16>(), 1..200_u8).prop_map(|(first, count)| Delivery::Run { first, count }),
        1 => Just(Delivery::Maintain),
        1 => Just(Delivery::Reopen),
    ];
    prop::collection::vec(delivery, 1..40)
}

/// What the meter made.
struct Made {
    meter: Meter,
    readings: Vec<AnyReading>,
    windows: Vec<(Window, Vec<AnyReading>)>,
    boots: Vec<Boot>,
}

fn make(life: &[Stretch]) -> Made {
    let mut meter = Meter::new(1);
    let mut now = utc("2025-10-24T08:00:00Z").get();
    let mut made = Made {
        meter: meter.clone(),
        readings: Vec::new(),
        windows: Vec::new(),
        boots: Vec::new(),
    };
    for stretch in life {
        if stretch.starts_anew {
            meter.boot += 1;
            // Numbers that a torn flash may have used are skipped.
            meter.next_sequence += 3;
            made.boots.push(meter.start(UtcMillis::new(now)));
        }
        let mut readings = Vec::new();
        for (tick, increment) in &stretch.readings {
            let time = match tick {
                Tick::Grid => Some(now + 10_000),
                Tick::Minutes(minutes) => Some(now + u64::from(*minutes) * 60_000),
                Tick::Hours(hours) => Some(now + u64::from(*hours) * 3_600_000),
                Tick::BackMinutes(minutes) => Some(now - u64::from(*minutes) * 60_000),
                Tick::Unknown => None,
            };
            now = time.unwrap_or(now);
            readings.push(meter.read(time.and_then(UtcMillis::new), u64::from(*increment)));
        }
        made.windows.push((meter.seal(&readings), readings.clone()));
        made.readings.extend(readings);
    }
    made.meter = meter;
    made
}

#[derive(Default)]
struct Model {
    known: BTreeMap<u64, AnyReading>,
    sealed: BTreeSet<usize>,
    bare: BTreeSet<usize>,
    chain: BTreeSet<u64>,
}

impl Model {
    fn live(&mut self, made: &Made, at: usize) {
        let reading = made.readings[at];
        self.known.insert(sequence(&reading), reading);
        self.settle(made);
    }

    fn window(&mut self, made: &Made, at: usize, with_readings: bool) {
        self.chain.insert(made.windows[at].0.chain_index.get());
        if self.sealed.contains(&at) {
            return;
        }
        self.bare.insert(at);
        if with_readings {
            for reading in &made.windows[at].1 {
                self.known.insert(sequence(reading), *reading);
            }
        }
        self.settle(made);
    }

    /// Whether nothing of a window is new: it is held, and so are the readings that come with it.
    fn knows(&self, made: &Made, at: usize, with_readings: bool) -> bool {
        let index = made.windows[at].0.chain_index.get();
        self.chain.contains(&index) && (!with_readings || self.sealed.contains(&at))
    }

    fn settle(&mut self, made: &Made) {
        let complete: Vec<usize> = self
            .bare
            .iter()
            .copied()
            .filter(|at| {
                let readings = &made.windows[*at].1;
                readings
                    .iter()
                    .all(|r| self.known.contains_key(&sequence(r)))
            })
            .collect();
        for at in complete {
            self.bare.remove(&at);
            self.sealed.insert(at);
        }
    }

    fn next_index(&self) -> u64 {
        (0..).find(|index| !self.chain.contains(index)).unwrap()
    }

    /// Number, time and `produced` of everything that brings energy, by number.
    fn points(&self, made: &Made) -> BTreeMap<u64, (Option<UtcMillis>, u64)> {
        let mut points = BTreeMap::new();
        for at in &self.bare {
            let window = &made.windows[*at].0;
            let close = (window.last_time, window.produced_close.get());
            points.insert(window.last_sequence.get(), close);
        }
        for (number, reading) in &self.known {
            let sum = reading.sum();
            points.insert(*number, (sum.time, sum.produced.get()));
        }
        points
    }

    fn energy_by_day(&self, made: &Made) -> BTreeMap<Date, u64> {
        let zone = TimeZone::get(ZONE).unwrap();
        let mut days = BTreeMap::new();
        let mut before = None;
        for (time, produced) in self.points(made).into_values() {
            if let Some(time) = time {
                let moment = Timestamp::from_millisecond(time.get() as i64).unwrap();
                let date = moment.to_zoned(zone.clone()).date();
                *days.entry(date).or_default() += produced - before.unwrap_or(produced);
            }
            before = Some(produced);
        }
        days
    }
}

fn sequence(reading: &AnyReading) -> u64 {
    reading.sum().sequence.get()
}

/// Delivers a life as told and compares the store with the model.
pub(crate) async fn holds<B: Backend>(life: &[Stretch], deliveries: &[Delivery]) {
    let backend = B::new();
    let mut store = backend.open();
    let made = make(life);
    let id = active(&*store, &made.meter, ZONE).await;
    let mut model = Model::default();
    for delivery in deliveries {
        match *delivery {
            Delivery::Reopen => {
                store.close().await.unwrap();
                store = backend.open();
            }
            Delivery::Maintain => while store.maintain().await.unwrap().more {},
            _ => deliver(&store, &made, &mut model, *delivery).await,
        }
    }
    compare(&*store, &made, &model, id).await;
    // In the end everything arrives, the newest first.
    let (mut batch, mut more) = (Vec::new(), Vec::new());
    for boot in made.boots.iter().rev() {
        batch.push(chained(ChainRecord::Boot(*boot)));
        model.chain.insert(boot.chain_index.get());
    }
    for at in (0..made.windows.len()).rev() {
        let (window, readings) = &made.windows[at];
        more.push(sealed(*window, readings));
        model.window(&made, at, true);
    }
    batch.extend(more);
    for outcome in take(&*store, batch).await {
        assert!(!matches!(outcome, Outcome::Refused(_)), "{outcome:?}");
    }
    while store.maintain().await.unwrap().more {}
    compare(&*store, &made, &model, id).await;
}

async fn deliver(store: &Arc<dyn Store>, made: &Made, model: &mut Model, delivery: Delivery) {
    let pick = |number: u16, of: usize| usize::from(number) % of;
    let mut expected = Vec::new();
    let mut batch: Vec<Ingest> = Vec::new();
    match delivery {
        Delivery::Live(number) => {
            let at = pick(number, made.readings.len());
            expected.push(model.known.contains_key(&sequence(&made.readings[at])));
            batch.push(live(made.readings[at]));
            model.live(made, at);
        }
        Delivery::Tampered(number) => {
            let reading = made.readings[pick(number, made.readings.len())];
            if model.known.contains_key(&sequence(&reading)) {
                let outcomes = take(&**store, vec![live(tampered(reading))]).await;
                assert!(matches!(
                    outcomes[..],
                    [Outcome::Refused(Refusal::EquivocatingReading { .. })]
                ));
            }
        }
        Delivery::Window(number) | Delivery::BareWindow(number) => {
            let at = pick(number, made.windows.len());
            let (window, readings) = &made.windows[at];
            let with_readings = matches!(delivery, Delivery::Window(_));
            expected.push(model.knows(made, at, with_readings));
            batch.push(if with_readings {
                sealed(*window, readings)
            } else {
                bare(*window)
            });
            model.window(made, at, with_readings);
        }
        Delivery::Run { first, count } => {
            let first = pick(first, made.windows.len());
            let last = (first + usize::from(count)).min(made.windows.len());
            for at in first..last {
                let (window, readings) = &made.windows[at];
                expected.push(model.knows(made, at, true));
                batch.push(sealed(*window, readings));
                model.window(made, at, true);
            }
        }
        Delivery::Boot(number) => {
            if made.boots.is_empty() {
                return;
            }
            let boot = made.boots[pick(number, made.boots.len())];
            expected.push(!model.chain.insert(boot.chain_index.get()));
            batch.push(chained(ChainRecord::Boot(boot)));
        }
        Delivery::Maintain | Delivery::Reopen => {}
    }
    let outcomes = take(&**store, batch).await;
    for (outcome, is_known) in outcomes.iter().zip(expected) {
        match outcome {
            Outcome::Stored(_) => assert!(!is_known, "{delivery:?} was stored twice"),
            Outcome::Duplicate(_) => assert!(is_known, "{delivery:?} was not known before"),
            Outcome::Refused(refusal) => panic!("{delivery:?}: {refusal}"),
        }
    }
}

async fn compare(store: &dyn Store, made: &Made, model: &Model, id: ww_store::InstallationId) {
    assert_whole(store).await;
    let installation = store.installation(id).await.unwrap().unwrap();
    assert_eq!(installation.next_index.get(), model.next_index());
    let timed = model.known.values().filter(|r| r.sum().time.is_some());
    let mut expected: Vec<AnyReading> = timed.copied().collect();
    expected.sort_by_key(|reading| core::cmp::Reverse((reading.sum().time, sequence(reading))));
    let listed = all(store, id).await;
    let readings: Vec<AnyReading> = listed.iter().map(|stored| stored.reading).collect();
    assert_eq!(readings, expected);
    for stored in &listed {
        let window = made.windows.iter().position(|(_, readings)| {
            readings
                .iter()
                .any(|r| sequence(r) == sequence(&stored.reading))
        });
        let is_sealed = window.is_some_and(|at| model.sealed.contains(&at));
        assert_eq!(matches!(stored.proof, Proof::Window { .. }), is_sealed);
    }
    let newest = listed.first().map(|stored| stored.reading);
    if newest.is_some() {
        let latest = store.latest(id).await.unwrap();
        assert_eq!(latest.map(|stored| stored.reading), newest);
    }
    let by_day = model.energy_by_day(made);
    let Some((last_day, _)) = by_day.last_key_value() else {
        return;
    };
    let noon = last_day.at(12, 0, 0, 0).in_tz(ZONE).unwrap();
    let now = UtcMillis::new(noon.timestamp().as_millisecond() as u64).unwrap();
    let chart = store.chart(id, Span::Month, now).await.unwrap().unwrap();
    for bar in &chart.bars {
        let start = Timestamp::from_millisecond(bar.start.get() as i64).unwrap();
        let date = start.in_tz(ZONE).unwrap().date();
        let expected = by_day.get(&date).copied().unwrap_or(0);
        assert_eq!(bar.energy.get(), expected, "{date}");
    }
    let lifetime = model
        .points(made)
        .last_key_value()
        .map_or(0, |(_, point)| point.1);
    let energy = store.energy(id, now).await.unwrap().unwrap();
    assert_eq!(energy.lifetime.get(), lifetime);
}
