//! What an audit found, as values for programs. Its words for people stand in `text`.

use serde::Serialize;
use ww_wire::MeterId;

use crate::question::Question;

/// The audit's answer in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Everything that was asked for is there and holds.
    Complete,
    /// What is there holds, but something is missing, and it is listed.
    Incomplete,
    /// Something does not hold: a signature, the chain, a root, or the operator's word.
    Refuted,
    /// There was nothing to check.
    Empty,
}

/// Something that does not hold. One is enough to refute.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Problem {
    /// Bytes that are no record, or not in its one form.
    #[error("item {item} cannot be read: {reason}")]
    Unreadable {
        /// Its place in what was served, from 0.
        item: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// A record of another meter.
    #[error("item {item} belongs to another meter, {meter}")]
    ForeignMeter {
        /// Its place in what was served, from 0.
        item: u64,
        /// The meter that it names.
        meter: String,
    },
    /// A signature that does not hold.
    #[error("the signature of {record} does not hold")]
    BadSignature {
        /// Which record.
        record: String,
    },
    /// A record that does not follow the one before it.
    #[error("record {index} names {named} as the record before it, which is {actual}")]
    BrokenLink {
        /// The record's chain index.
        index: u64,
        /// The digest that it names.
        named: String,
        /// The digest of the record before.
        actual: String,
    },
    /// Records out of order, or two at one place of the chain.
    #[error(
        "record {index} comes after record {after}: served twice, out of order, or two histories"
    )]
    OutOfOrder {
        /// The record's chain index.
        index: u64,
        /// The index of the record before it.
        after: u64,
    },
    /// Readings that do not make the root of their window.
    #[error("the readings of window {index} do not match it: {reason}")]
    WrongReadings {
        /// The window's chain index.
        index: u64,
        /// What does not match.
        reason: String,
    },
    /// `produced` or the sequence does not go on where it stopped.
    #[error("window {index} does not go on where the one before it stopped: {reason}")]
    Discontinuous {
        /// The window's chain index.
        index: u64,
        /// What does not go on.
        reason: String,
    },
    /// More energy than the plant can produce.
    #[error(
        "window {index} claims {energy_mwh} mWh, above 1.35 × the rated power over its time ({bound_mwh} mWh)"
    )]
    Implausible {
        /// The window's chain index.
        index: u64,
        /// The energy claimed.
        energy_mwh: u64,
        /// The most that the plant can produce in that time.
        bound_mwh: u64,
    },
    /// Windows under an enrolment by another operator than the one who counts.
    #[error(
        "the enrolment {digest}, named from window {first_index} on ({windows} in all), is by operator {operator}, not by the one whom you trust"
    )]
    ForeignOperator {
        /// Who signed it.
        operator: String,
        /// The enrolment's digest.
        digest: String,
        /// The chain index of the first such window.
        first_index: u64,
        /// How many windows name it.
        windows: u64,
    },
    /// Energies whose sum no meter can have.
    #[error("up to record {index} the energies add up to more than 18,446 TWh")]
    EnergyOverflow {
        /// The chain index of the record that was too much.
        index: u64,
    },
}

/// Something that is not there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Missing {
    /// Chain records.
    Records {
        /// The first that is missing.
        first_index: u64,
        /// The last that is missing.
        last_index: u64,
        /// The meter itself declared the loss in a signed Gap.
        declared: bool,
        /// `produced` over the hole, from the records on both sides.
        energy_mwh: Option<u64>,
    },
    /// Single readings of windows that are themselves proven.
    Readings {
        /// The chain index of the first window.
        first_index: u64,
        /// The chain index of the last window; all between them are such windows.
        last_index: u64,
        /// How many readings.
        count: u64,
        /// The meter itself declared the loss in a signed Gap.
        declared: bool,
    },
    /// Nothing shows that the start of the time asked for is covered: no synchronised time at or
    /// before it, and not the first record of the chain.
    Before {
        /// The first record that is shown.
        first_index: u64,
        /// The first synchronised time that is shown, ms UTC.
        first_time_ms: Option<u64>,
    },
    /// No synchronised time shows where the time asked for ends.
    After {
        /// The last synchronised time that is shown, ms UTC.
        last_time_ms: Option<u64>,
        /// Windows behind it, of which nothing says whether they lie in the time asked for.
        unplaced_windows: u64,
    },
    /// An enrolment that windows name.
    Enrolment {
        /// The enrolment's digest.
        digest: String,
        /// The chain index of the first such window.
        first_index: u64,
        /// How many windows name it.
        windows: u64,
    },
}

/// Something out of the ordinary that contradicts nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Remark {
    /// A record is dated before the one in front of it.
    TimeWentBack {
        /// The record's chain index.
        index: u64,
        /// The time in front of it, ms UTC.
        from_ms: u64,
        /// Its own time, ms UTC.
        to_ms: u64,
    },
    /// A window is dated after the time of the audit.
    FutureTime {
        /// The window's chain index.
        index: u64,
        /// Its time, ms UTC.
        time_ms: u64,
    },
    /// Statements by somebody who does not count, or whose key no enrolment shows.
    Uncounted {
        /// What kind of statement.
        record: String,
        /// Who signed, or claims to.
        signer: String,
    },
}

/// What was appended to the meter's history by an operator who counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Statement {
    /// Energy taken back; it is still in the report's energy.
    Correction {
        /// When the operator signed, ms UTC.
        time_ms: u64,
        /// The first reading concerned.
        first_sequence: u64,
        /// The last reading concerned.
        last_sequence: u64,
        /// The energy that no longer counts, mWh.
        reduction_mwh: u64,
        /// Why.
        reason: String,
        /// In the operator's words.
        note: String,
    },
    /// The meter is no longer trusted.
    Revocation {
        /// When the operator signed, ms UTC.
        time_ms: u64,
        /// The part of the report's energy that windows dated after it claim, mWh; null when it
        /// is beyond all reason.
        energy_after_mwh: Option<u64>,
        /// Why.
        reason: String,
        /// In the operator's words.
        note: String,
    },
    /// Another meter follows this one.
    ReplacedBy {
        /// When it was signed, ms UTC.
        time_ms: u64,
        /// The meter that follows.
        meter: String,
        /// The last record of this meter's chain that counts.
        last_index: u64,
    },
    /// This meter follows another one.
    Replaces {
        /// When it was signed, ms UTC.
        time_ms: u64,
        /// The meter that ended.
        meter: String,
        /// That meter's `produced` at its end, mWh.
        produced_mwh: u64,
    },
}

impl Statement {
    pub(crate) const fn time_ms(&self) -> u64 {
        match self {
            Self::Correction { time_ms, .. }
            | Self::Revocation { time_ms, .. }
            | Self::ReplacedBy { time_ms, .. }
            | Self::Replaces { time_ms, .. } => *time_ms,
        }
    }
}

/// How much each figure is worth; from the records, not from the operator.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Grade {
    /// Where the key lives, by the weakest enrolment behind the windows: `software` or a secure
    /// element (claimed).
    pub custody: String,
    /// How the sensor is read.
    pub sensor_link: String,
    /// Whether the firmware is attested or only claimed.
    pub firmware: String,
    /// Readings whose clock was synchronised when they were taken.
    pub synchronised_readings: u64,
    /// Readings that were checked one by one.
    pub checked_readings: u64,
}

/// What was asked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Asked {
    /// The only operator whose enrolments count.
    pub operator: Option<String>,
    /// Start of the time asked for, ms UTC.
    pub from_ms: Option<u64>,
    /// End of the time asked for, ms UTC, itself not included.
    pub to_ms: Option<u64>,
}

/// What an audit found. Figures of energy, windows and readings are those of the time asked for,
/// in whole windows: one that lies across an edge counts in full.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The meter.
    pub meter: String,
    /// What was asked.
    pub asked: Asked,
    /// In one word.
    pub verdict: Verdict,
    /// The first reading of the windows that count, ms UTC: of a part of the history, the first that
    /// has a synchronised time.
    pub first_time_ms: Option<u64>,
    /// The last reading of the windows that count, ms UTC, likewise.
    pub last_time_ms: Option<u64>,
    /// Windows that count.
    pub windows: u64,
    /// Readings covered by those windows.
    pub readings: u64,
    /// Energy by those windows, mWh.
    pub energy_mwh: u64,
    /// The part of `energy_mwh` that no rated power bounds, mWh.
    pub unbounded_energy_mwh: u64,
    /// Energy of missing records, by the register on both sides of them, mWh; not in `energy_mwh`.
    pub missing_energy_mwh: u64,
    /// Windows that may lie in the time asked for or not, by the synchronised times around them.
    pub unplaced_windows: u64,
    /// Energy by those windows, mWh; not in `energy_mwh`.
    pub unplaced_energy_mwh: u64,
    /// Chain records whose signature and link hold, those around the time asked for included.
    pub records: u64,
    /// Starts of the meter among them.
    pub boots: u64,
    /// Declared losses among them.
    pub gaps: u64,
    /// The first chain index among them.
    pub first_index: Option<u64>,
    /// The last chain index among them.
    pub last_index: Option<u64>,
    /// The time of the last of them that tells one, ms UTC. What may have been withheld after it
    /// leaves no mark.
    pub shown_until_ms: Option<u64>,
    /// Digests of the firmware that made the windows.
    pub firmwares: Vec<String>,
    /// How much it is worth.
    pub grade: Grade,
    /// What does not hold, up to the first thousand.
    pub problems: Vec<Problem>,
    /// What is not there.
    pub missing: Vec<Missing>,
    /// What was appended to the history; it changes no figure above.
    pub statements: Vec<Statement>,
    /// What is out of the ordinary.
    pub remarks: Vec<Remark>,
    /// Whom one still has to trust, and for what.
    pub trust: Vec<String>,
}

impl Report {
    /// A report before anything was looked at.
    pub(crate) fn empty(meter: MeterId, question: &Question) -> Self {
        Self {
            meter: meter.to_string(),
            asked: Asked {
                operator: question.operator.map(|operator| operator.to_string()),
                from_ms: question.from_ms,
                to_ms: question.to_ms,
            },
            verdict: Verdict::Empty,
            first_time_ms: None,
            last_time_ms: None,
            windows: 0,
            readings: 0,
            energy_mwh: 0,
            unbounded_energy_mwh: 0,
            missing_energy_mwh: 0,
            unplaced_windows: 0,
            unplaced_energy_mwh: 0,
            records: 0,
            boots: 0,
            gaps: 0,
            first_index: None,
            last_index: None,
            shown_until_ms: None,
            firmwares: Vec::new(),
            grade: Grade::default(),
            problems: Vec::new(),
            missing: Vec::new(),
            statements: Vec::new(),
            remarks: Vec::new(),
            trust: Vec::new(),
        }
    }
}
