//! Holds the packed readings of a window against it. What it gives back is what they add to the
//! window; whether that is plausible is judged elsewhere.

use ww_wire::merkle::TreeBuilder;
use ww_wire::packed::Codec;
use ww_wire::{AnyReading, ReadingFlags, TimeQuality, UtcMillis, Window};

use crate::question::Span;

/// What the readings of a window tell beyond it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) readings: u64,
    /// Those whose clock was synchronised.
    pub(crate) synchronised: u64,
    /// What those say of the time.
    pub(crate) told: Option<Told>,
    /// The last that settled the sensor's counter at a known time.
    pub(crate) settled: Option<Settled>,
    /// The clock stepped within the window or at its start.
    pub(crate) clock_stepped: bool,
    /// The last one's clock was synchronised.
    pub(crate) ends_synchronised: bool,
}

/// The synchronised times of a window.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Told {
    /// The first and the last of them, in the order of the readings.
    pub(crate) first_ms: u64,
    pub(crate) last_ms: u64,
    /// From the earliest to the latest: the same, unless the clock was set back in between.
    pub(crate) span: Span,
    /// The first reading is among them.
    pub(crate) starts: bool,
}

impl Told {
    const fn at(time_ms: u64, starts: bool) -> Self {
        Self {
            first_ms: time_ms,
            last_ms: time_ms,
            span: Span {
                start_ms: time_ms,
                end_ms: time_ms,
            },
            starts,
        }
    }

    fn to(self, time_ms: u64) -> Self {
        Self {
            last_ms: time_ms,
            span: Span {
                start_ms: self.span.start_ms.min(time_ms),
                end_ms: self.span.end_ms.max(time_ms),
            },
            ..self
        }
    }
}

/// A reading that settled the sensor's counter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settled {
    pub(crate) time: UtcMillis,
    pub(crate) synchronised: bool,
    /// The clock stepped between it and the end of the window.
    pub(crate) clock_stepped_since: bool,
}

/// Unpacks `block` and compares every reading with `window`.
///
/// # Errors
/// In words, what does not match.
pub(crate) fn check(window: &Window, block: &[u8]) -> Result<Seen, String> {
    let (mut codec, mut rest) = Codec::open(window.meter, block).map_err(|e| e.to_string())?;
    let count = u64::from(window.count);
    let mut tree = TreeBuilder::new();
    let mut seen = Seen::default();
    let mut produced = window.produced_open;
    let mut ends: Option<(AnyReading, AnyReading)> = None;
    while !rest.is_empty() {
        if tree.size() == count {
            return Err(format!("more than its {count} readings were served"));
        }
        let (reading, used) = codec.unpack(rest).map_err(|error| error.to_string())?;
        rest = &rest[used..];
        let place = tree.size();
        tree.push(&reading.encode().map_err(|rule| rule.to_string())?);
        let sum = reading.sum();
        let sequence = sum.sequence.get();
        if sequence.checked_sub(window.first_sequence.get()) != Some(place) {
            return Err(format!("reading {sequence} is out of its place"));
        }
        if sum.produced < produced || sum.boot != window.boot {
            return Err(format!("reading {sequence} contradicts the window"));
        }
        produced = sum.produced;
        let synchronised = sum.time_quality == TimeQuality::Synchronised;
        if let Some(time) = sum.time.filter(|_| synchronised) {
            seen.synchronised += 1;
            let told = Told::at(time.get(), place == 0);
            seen.told = Some(seen.told.map_or(told, |so_far| so_far.to(time.get())));
        }
        seen.ends_synchronised = synchronised;
        let stepped = sum.flags.contains(ReadingFlags::CLOCK_STEPPED);
        seen.clock_stepped |= stepped;
        if let Some(time) = sum.time.filter(|_| sum.settles_counter()) {
            seen.settled = Some(Settled {
                time,
                synchronised,
                clock_stepped_since: false,
            });
        } else if let Some(settled) = &mut seen.settled {
            settled.clock_stepped_since |= stepped;
        }
        ends = Some((ends.map_or(reading, |(first, _)| first), reading));
    }
    seen.readings = tree.size();
    if seen.readings != count {
        return Err(format!(
            "{} of its {count} readings were served",
            seen.readings
        ));
    }
    if tree.root() != window.root {
        return Err("they lead to another root: at least one was altered".to_owned());
    }
    let times = ends.map(|(first, last)| (first.sum().time, last.sum().time));
    if times != Some((window.first_time, window.last_time)) || produced != window.produced_close {
        return Err(
            "its first and last time or its energy are not those of its readings".to_owned(),
        );
    }
    Ok(seen)
}
