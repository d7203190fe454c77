//! What a device asks its gateway and what it is answered. The question says how the device is; the
//! answer is a signed assignment with the keys that it needs, wrapped for it.

use minicbor::encode::{self, Write};
use minicbor::{Decoder, Encoder};
use ww_wire::{Hash, MeterId, SignerId, UpdateObstacle};

use crate::assignment::Nonce;
use crate::canonical::{self, Item, Malformed, array, bytes, expected, fixed, hash, list, number};
use crate::canonical::{optional, unwrapped, wrapped};
use crate::release::HardwareClass;
use crate::secret::{DeviceSecret, PROOF_BYTES, WRAPPED_BYTES};

/// The longest question with its proof.
pub const MAX_QUESTION: usize = 256;

/// The longest answer.
pub const MAX_ANSWER: usize = 2816;

/// The most keys of an answer: of the whole payload, and of the delta from what is installed.
pub const MAX_ANSWERED_KEYS: usize = 2;

/// Version of the format of questions.
const FORMAT: i64 = 1;

macro_rules! named_numbers {
    ($(#[$meta:meta])* $name:ident, $what:literal: $($(#[$doc:meta])* $variant:ident = $number:literal $text:literal,)*) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name {
            $($(#[$doc])* $variant,)*
        }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Its number on the wire.
            #[must_use]
            pub const fn number(self) -> u8 {
                match self {
                    $(Self::$variant => $number,)*
                }
            }

            /// Its name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }

            fn numbered(number: u8) -> Result<Self, Malformed> {
                let found = Self::ALL.iter().find(|each| each.number() == number);
                found.copied().ok_or(Malformed::Expected($what))
            }
        }
    };
}

named_numbers! {
    /// How far a device is with an update.
    UpdateState, "the number of a state":
    /// It has what it should have, or knows of nothing else.
    Idle = 0 "idle",
    /// It asks.
    Checking = 1 "checking",
    /// It fetches into the slot that does not run.
    Fetching = 2 "fetching",
    /// It has all of it, verified, and waits to be told to start it.
    Staged = 3 "staged",
    /// It runs the new image, which has not passed its own examination.
    Trial = 4 "trial",
    /// It runs the new image for good.
    Confirmed = 5 "confirmed",
    /// It runs the old image again.
    RolledBack = 6 "rolled-back",
}

named_numbers! {
    /// Why a device is not further.
    Obstacle, "the number of an obstacle":
    /// Nothing is in its way.
    None = 0 "none",
    /// Its settings say to wait.
    Paused = 1 "paused",
    /// The supply failed lately.
    BrownOut = 2 "brown-out",
    /// The gateway did not answer in time.
    NoAnswer = 3 "no-answer",
    /// The gateway refused.
    Refused = 4 "refused",
    /// Metadata is not in its form.
    Malformed = 5 "malformed",
    /// Metadata is not signed as it must be.
    Untrusted = 6 "untrusted",
    /// The release is for other hardware.
    OtherHardware = 7 "other-hardware",
    /// The release's security counter is below the one that holds.
    CounterTooLow = 8 "counter-too-low",
    /// The release does not fit the slot.
    TooLarge = 9 "too-large",
    /// The key that was answered does not fit the release.
    WrongKey = 10 "wrong-key",
    /// Three records in a row were not the gateway's.
    BadRecords = 11 "bad-records",
    /// A sector is not the one that was signed.
    BadSector = 12 "bad-sector",
    /// The delta does not lead to the payload that was signed.
    BadDelta = 13 "bad-delta",
    /// What is in the slot is not the payload that was signed.
    BadPayload = 14 "bad-payload",
    /// The flash refused.
    Flash = 15 "flash",
    /// The gateway said to wait.
    Held = 16 "held",
    /// The new image crashed too often.
    Crashes = 17 "crashes",
    /// The supply failed too often under the new image.
    BrownOuts = 18 "brown-outs",
    /// Under the new image the sensor did not answer.
    Sensor = 19 "sensor",
    /// Under the new image the key did not sign.
    Signer = 20 "signer",
    /// Under the new image the queue could not be read.
    Queue = 21 "queue",
    /// Under the new image the gateway was not reached.
    Unreached = 22 "unreached",
    /// Under the new image the time made no sense.
    Time = 23 "time",
}

impl From<Obstacle> for UpdateObstacle {
    /// The same, as a signed report names it.
    fn from(obstacle: Obstacle) -> Self {
        Self::numbered(obstacle.number()).expect("a report has the same list of obstacles")
    }
}

/// How a device is, and that it asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question {
    /// Who asks.
    pub device: MeterId,
    /// What makes this question another than every one before.
    pub nonce: Nonce,
    /// The root that it trusts.
    pub root_number: u32,
    /// Its hardware.
    pub class: HardwareClass,
    /// SHA-256 of the payload that runs.
    pub running: Hash,
    /// The security counter that holds.
    pub security_counter: u32,
    /// How far it is.
    pub state: UpdateState,
    /// Why it is not further.
    pub obstacle: Obstacle,
    /// The release that it is at.
    pub release: Option<Hash>,
    /// Bytes of it that are fetched.
    pub done_bytes: u32,
    /// Bytes of it in all.
    pub total_bytes: u32,
}

impl<'a> Item<'a> for Question {
    fn read(input: &mut Decoder<'a>) -> Result<Self, Malformed> {
        array(input, 12, "a question of twelve fields")?;
        number(input, FORMAT, "format 1 of a question")?;
        let question = Self {
            device: SignerId(*fixed(input, "a device's id")?),
            nonce: *fixed(input, "a nonce of the device")?,
            root_number: expected(input.u32(), "a root's number")?,
            class: HardwareClass(*fixed(input, "the UUID of a hardware class")?),
            running: hash(input, "the digest of what runs")?,
            security_counter: expected(input.u32(), "a security counter")?,
            state: UpdateState::numbered(expected(input.u8(), "a state")?)?,
            obstacle: Obstacle::numbered(expected(input.u8(), "an obstacle")?)?,
            release: optional(input, |input| hash(input, "a release's digest"))?,
            done_bytes: expected(input.u32(), "bytes that are fetched")?,
            total_bytes: expected(input.u32(), "bytes in all")?,
        };
        if question.done_bytes > question.total_bytes {
            return Err(Malformed::Expected("no more bytes fetched than there are"));
        }
        Ok(question)
    }

    fn write<W: Write>(&self, out: &mut Encoder<W>) -> Result<(), encode::Error<W::Error>> {
        out.array(12)?.i64(FORMAT)?;
        out.bytes(&self.device.0)?.bytes(&self.nonce)?;
        out.u32(self.root_number)?.bytes(&self.class.0)?;
        out.bytes(&self.running.0)?.u32(self.security_counter)?;
        out.u8(self.state.number())?.u8(self.obstacle.number())?;
        match &self.release {
            Some(release) => out.bytes(&release.0)?,
            None => out.null()?,
        };
        out.u32(self.done_bytes)?.u32(self.total_bytes)?.ok()
    }
}

/// A question with the proof whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProvenQuestion {
    question: Question,
    proof: [u8; PROOF_BYTES],
}

impl ProvenQuestion {
    /// The question, proven by the secret of who asks.
    #[must_use]
    pub fn new(question: Question, secret: &DeviceSecret) -> Self {
        let mut bytes = [0; MAX_QUESTION];
        let bytes = canonical::encode(&question, &mut bytes).expect("no question is so long");
        let proof = secret.prove(bytes);
        Self { question, proof }
    }

    /// Reads one in its only form.
    ///
    /// # Errors
    /// Any [`Malformed`].
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        canonical::decode(bytes, MAX_QUESTION)
    }

    /// What it says, whether or not it is proven.
    #[must_use]
    pub const fn claimed(&self) -> &Question {
        &self.question
    }

    /// The question, if this is the secret of who asks.
    #[must_use]
    pub fn prove(&self, secret: &DeviceSecret) -> Option<Question> {
        let mut bytes = [0; MAX_QUESTION];
        let bytes = canonical::encode(&self.question, &mut bytes)?;
        secret.proves(bytes, &self.proof).then_some(self.question)
    }
}

impl<'a> Item<'a> for ProvenQuestion {
    fn read(input: &mut Decoder<'a>) -> Result<Self, Malformed> {
        array(input, 2, "a question and its proof")?;
        Ok(Self {
            question: unwrapped(input, "a question")?,
            proof: *fixed(input, "a proof of 16 bytes")?,
        })
    }

    fn write<W: Write>(&self, out: &mut Encoder<W>) -> Result<(), encode::Error<W::Error>> {
        out.array(2)?;
        wrapped(out, &self.question)?;
        out.bytes(&self.proof)?.ok()
    }
}

/// The key of an object, wrapped for the device that asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnsweredKey {
    /// Which object.
    pub object: Hash,
    /// Its key.
    pub wrapped: [u8; WRAPPED_BYTES],
}

/// What a device is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer<'a> {
    /// A [`crate::assignment::SignedAssignment`].
    pub assignment: &'a [u8],
    keys: [Option<AnsweredKey>; MAX_ANSWERED_KEYS],
}

impl<'a> Answer<'a> {
    /// An assignment with these keys.
    #[must_use]
    pub const fn new(assignment: &'a [u8], keys: [Option<AnsweredKey>; MAX_ANSWERED_KEYS]) -> Self {
        let keys = match keys {
            [None, second] => [second, None],
            keys => keys,
        };
        Self { assignment, keys }
    }

    /// Reads one in its only form.
    ///
    /// # Errors
    /// Any [`Malformed`].
    pub fn decode(bytes: &'a [u8]) -> Result<Self, Malformed> {
        canonical::decode(bytes, MAX_ANSWER)
    }

    /// The keys that it brings.
    pub fn keys(&self) -> impl Iterator<Item = &AnsweredKey> {
        self.keys.iter().map_while(Option::as_ref)
    }
}

impl<'a> Item<'a> for Answer<'a> {
    fn read(input: &mut Decoder<'a>) -> Result<Self, Malformed> {
        array(input, 2, "an assignment and keys")?;
        let assignment = bytes(input, "a signed assignment")?;
        let count = list(input, MAX_ANSWERED_KEYS, "up to two keys")?;
        let mut keys = [None; MAX_ANSWERED_KEYS];
        for place in &mut keys[..count] {
            array(input, 2, "an object and its key")?;
            *place = Some(AnsweredKey {
                object: hash(input, "the digest of an object")?,
                wrapped: *fixed(input, "a wrapped key")?,
            });
        }
        Ok(Self { assignment, keys })
    }

    fn write<W: Write>(&self, out: &mut Encoder<W>) -> Result<(), encode::Error<W::Error>> {
        out.array(2)?.bytes(self.assignment)?;
        out.array(self.keys().count() as u64)?;
        for key in self.keys() {
            out.array(2)?.bytes(&key.object.0)?.bytes(&key.wrapped)?;
        }
        Ok(())
    }
}
