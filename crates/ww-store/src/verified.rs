//! What may be stored: records whose signature somebody has vouched for, and the readings of a
//! window whose root was computed from them. Signatures are not checked here.

use ww_wire::merkle::{self, TreeBuilder};
use ww_wire::packed::{Codec, PackError};
use ww_wire::{
    AnyReading, DecodeError, Enrolment, Hash, MilliwattHours, Rule, Sequence, Signature, UtcMillis,
    Window,
};

/// A record with a signature over its canonical bytes that was found good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified<R> {
    record: R,
    signature: Signature,
}

impl<R> Verified<R> {
    /// Vouches for a signature.
    ///
    /// Only code that has just verified `signature` over the canonical bytes of `record`, in the
    /// record's own domain and under the key whose SHA-256 the record names as its signer, may
    /// call this; so may a test that is about storage. Nothing further in checks it again.
    #[must_use]
    pub const fn vouched(record: R, signature: Signature) -> Self {
        Self { record, signature }
    }

    /// The record.
    #[must_use]
    pub const fn record(&self) -> &R {
        &self.record
    }

    /// The signature.
    #[must_use]
    pub const fn signature(&self) -> &Signature {
        &self.signature
    }

    /// The record in another type, such as any chain record for a Window.
    #[must_use]
    pub fn map<S>(self, to: impl FnOnce(R) -> S) -> Verified<S> {
        Verified {
            record: to(self.record),
            signature: self.signature,
        }
    }
}

/// A meter's consent to an enrolment: the same payload, signed by the meter in the domain
/// `enrolment-acceptance`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Acceptance(pub Enrolment);

/// Why readings are not those of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WindowContradiction {
    /// The packed bytes cannot be unpacked.
    #[error("the packed readings cannot be read")]
    Packing(#[from] PackError),
    /// An unpacked reading breaks a rule of its own.
    #[error("a packed reading is not valid: {0}")]
    Reading(Rule),
    /// There are more bytes than the window has readings.
    #[error("{0} bytes follow the last reading")]
    TrailingBytes(usize),
    /// A reading has another number or boot counter than its place in the window asks for.
    #[error("reading {} does not belong at its place in the window", sequence.get())]
    Misplaced {
        /// The number of the reading found.
        sequence: Sequence,
    },
    /// The first or last time, or `produced` at the close, is not that of the readings; or
    /// `produced` falls.
    #[error("the window's {field} is not that of its readings")]
    Field {
        /// The field of the window.
        field: &'static str,
    },
    /// The tree over the readings has another root.
    #[error("the readings have the root {got}, the window names {expected}")]
    WrongRoot {
        /// The root that the window names.
        expected: Hash,
        /// The root of the readings.
        got: Hash,
    },
    /// A payload is not a reading.
    #[error("not a reading: {0}")]
    Decode(#[from] DecodeError),
}

/// The readings of one window: as many as it counts, in order, under its root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WindowReadings {
    root: Hash,
    readings: Vec<AnyReading>,
    packed: Vec<u8>,
}

impl WindowReadings {
    /// Unpacks a block of `ww_wire::packed` and checks it against the window.
    ///
    /// # Errors
    /// Any [`WindowContradiction`].
    pub fn open(window: &Window, packed: &[u8]) -> Result<Self, WindowContradiction> {
        let (mut codec, mut rest) = Codec::open(window.meter, packed)?;
        let mut readings = Vec::with_capacity(window.count as usize);
        for _ in 0..window.count {
            let (reading, used) = codec.unpack(rest)?;
            rest = &rest[used..];
            readings.push(reading);
        }
        if !rest.is_empty() {
            return Err(WindowContradiction::TrailingBytes(rest.len()));
        }
        check_against(window, &readings)?;
        Ok(Self {
            root: window.root,
            readings,
            packed: packed.to_vec(),
        })
    }

    /// Takes readings that are held already, checks them against the window and packs them.
    ///
    /// # Errors
    /// Any [`WindowContradiction`].
    pub fn collect(
        window: &Window,
        readings: Vec<AnyReading>,
    ) -> Result<Self, WindowContradiction> {
        check_against(window, &readings)?;
        let packed = pack(&readings)?;
        Ok(Self {
            root: window.root,
            readings,
            packed,
        })
    }

    /// The root of the tree over them.
    #[must_use]
    pub const fn root(&self) -> Hash {
        self.root
    }

    /// Whether they were checked against this very window.
    #[must_use]
    pub fn are_of(&self, window: &Window) -> bool {
        self.root == window.root
            && self.readings.len() == window.count as usize
            && self.readings.first().is_some_and(|first| {
                let sum = first.sum();
                (sum.meter, sum.sequence) == (window.meter, window.first_sequence)
            })
    }

    /// The readings, in order.
    #[must_use]
    pub fn readings(&self) -> &[AnyReading] {
        &self.readings
    }

    /// The readings as a packed block.
    #[must_use]
    pub fn packed(&self) -> &[u8] {
        &self.packed
    }
}

/// Packs readings of one meter and one kind into one block.
pub(crate) fn pack(readings: &[AnyReading]) -> Result<Vec<u8>, PackError> {
    let Some(first) = readings.first() else {
        return Ok(Vec::new());
    };
    let mut codec = Codec::new(first.sum().meter, first.record_type()).ok_or(PackError::Foreign)?;
    let mut packed = Vec::with_capacity(readings.len() * 20);
    packed.extend_from_slice(&codec.block_header());
    let mut bytes = [0; ww_wire::packed::MAX_PACKED_READING];
    for reading in readings {
        let used = codec.pack(reading, &mut bytes)?;
        packed.extend_from_slice(&bytes[..used]);
    }
    Ok(packed)
}

fn check_against(window: &Window, readings: &[AnyReading]) -> Result<(), WindowContradiction> {
    let field = |field| Err(WindowContradiction::Field { field });
    if readings.len() != window.count as usize {
        return field("count");
    }
    let mut tree = TreeBuilder::new();
    let mut produced = window.produced_open;
    let mut first_time = None;
    let mut last_time = None;
    for (place, reading) in (0..).zip(readings) {
        let sum = reading.sum();
        let expected = window.first_sequence.get().checked_add(place);
        if Some(sum.sequence.get()) != expected
            || sum.boot != window.boot
            || sum.meter != window.meter
        {
            let sequence = sum.sequence;
            return Err(WindowContradiction::Misplaced { sequence });
        }
        if sum.produced < produced {
            return field("produced");
        }
        produced = sum.produced;
        if place == 0 {
            first_time = sum.time;
        }
        last_time = sum.time;
        let payload = reading.encode().map_err(WindowContradiction::Reading)?;
        tree.push_leaf_hash(merkle::leaf_hash(&payload));
    }
    check_ends(window, first_time, last_time, produced)?;
    let got = tree.root();
    if got != window.root {
        let expected = window.root;
        return Err(WindowContradiction::WrongRoot { expected, got });
    }
    Ok(())
}

fn check_ends(
    window: &Window,
    first_time: Option<UtcMillis>,
    last_time: Option<UtcMillis>,
    produced: MilliwattHours,
) -> Result<(), WindowContradiction> {
    let field = |field| Err(WindowContradiction::Field { field });
    if window.first_time != first_time {
        return field("first_time");
    }
    if window.last_time != last_time {
        return field("last_time");
    }
    if window.produced_close != produced {
        return field("produced_close");
    }
    Ok(())
}
