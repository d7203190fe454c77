//! What a device is to do now: an answer to its own question, signed in a batch with others. It is
//! worth nothing to another device, and nothing at the next question; so it needs no clock.

use minicbor::encode::{self, Write};
use minicbor::{Decoder, Encoder};
use ww_wire::merkle::{leaf_hash, verify_inclusion};
use ww_wire::{Hash, MeterId};

use crate::canonical::{self, Item, Malformed, array, bytes, expected, fixed, hash, number};
use crate::canonical::{optional, unwrapped, wrapped};
use crate::key::Verifier;
use crate::root::Root;
use crate::signatures::{Approved, Distrust, Domain};

/// The longest assignment with its proof and signatures.
pub const MAX_ASSIGNMENT: usize = 2560;

/// The longest path in a batch: of 65,536 assignments.
pub const MAX_PATH: usize = 16;

/// Bytes of a device's question and of a server's answer to it that nobody can foresee.
pub const NONCE_BYTES: usize = 16;

/// Version of the assignment's format.
const FORMAT: i64 = 1;

/// Bytes of what the signers of a batch sign.
const BATCH_BYTES: usize = 40;

/// Sixteen bytes that nobody can foresee.
pub type Nonce = [u8; NONCE_BYTES];

/// How far a device may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Nowhere: what it has is what it should have, or what it fetched is to wait.
    Hold,
    /// Fetch the release into the other slot.
    Fetch,
    /// Start what it has fetched.
    Arm,
}

impl Stage {
    const fn number(self) -> u8 {
        match self {
            Self::Hold => 0,
            Self::Fetch => 1,
            Self::Arm => 2,
        }
    }

    fn numbered(number: u8) -> Result<Self, Malformed> {
        [Self::Hold, Self::Fetch, Self::Arm]
            .into_iter()
            .find(|stage| stage.number() == number)
            .ok_or(Malformed::Expected("a stage"))
    }
}

/// What one device is to do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// Whose it is.
    pub device: MeterId,
    /// Its question.
    pub device_nonce: Nonce,
    /// The server's part of the session.
    pub server_nonce: Nonce,
    /// The root by which the release is signed.
    pub root_number: u32,
    /// How far it may go.
    pub stage: Stage,
    /// The release's digest; none when it should stay with what it has.
    pub release: Option<Hash>,
}

impl<'a> Item<'a> for Assignment {
    fn read(input: &mut Decoder<'a>) -> Result<Self, Malformed> {
        array(input, 7, "an assignment of seven fields")?;
        number(input, FORMAT, "format 1 of an assignment")?;
        let assignment = Self {
            device: ww_wire::SignerId(*fixed(input, "a device's id")?),
            device_nonce: *fixed(input, "a nonce of the device")?,
            server_nonce: *fixed(input, "a nonce of the server")?,
            root_number: expected(input.u32(), "a root's number")?,
            stage: Stage::numbered(expected(input.u8(), "a stage")?)?,
            release: optional(input, |input| hash(input, "a release's digest"))?,
        };
        if assignment.release.is_none() && assignment.stage != Stage::Hold {
            return Err(Malformed::Expected("a release to fetch or to arm"));
        }
        Ok(assignment)
    }

    fn write<W: Write>(&self, out: &mut Encoder<W>) -> Result<(), encode::Error<W::Error>> {
        out.array(7)?.i64(FORMAT)?;
        out.bytes(&self.device.0)?;
        out.bytes(&self.device_nonce)?.bytes(&self.server_nonce)?;
        out.u32(self.root_number)?.u8(self.stage.number())?;
        match &self.release {
            Some(release) => out.bytes(&release.0)?.ok(),
            None => out.null()?.ok(),
        }
    }
}

/// An assignment with its place in a signed batch.
#[derive(Clone, Copy, Debug)]
pub struct SignedAssignment<'a> {
    assignment: Assignment,
    index: u32,
    path: &'a [u8],
    approved: Approved<'a>,
}

/// What the signers of a batch sign: how many assignments it has, and the root of their Merkle tree
/// (RFC 9162, section 2.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Batch {
    /// How many assignments.
    pub size: u32,
    /// The tree's root.
    pub root: Hash,
}

impl Batch {
    /// The bytes that are signed.
    #[must_use]
    pub fn content(&self) -> BatchContent {
        let mut content = [0; BATCH_BYTES];
        let len = canonical::encode(self, &mut content)
            .expect("a size and a hash are no longer than that")
            .len();
        BatchContent { content, len }
    }
}

/// The bytes of a [`Batch`].
#[derive(Clone, Copy)]
pub struct BatchContent {
    content: [u8; BATCH_BYTES],
    len: usize,
}

impl core::ops::Deref for BatchContent {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.content[..self.len]
    }
}

impl<'a> Item<'a> for Batch {
    fn read(input: &mut Decoder<'a>) -> Result<Self, Malformed> {
        array(input, 2, "a size and a root")?;
        Ok(Self {
            size: expected(input.u32(), "the size of a batch")?,
            root: hash(input, "the root of a batch")?,
        })
    }

    fn write<W: Write>(&self, out: &mut Encoder<W>) -> Result<(), encode::Error<W::Error>> {
        out.array(2)?.u32(self.size)?.bytes(&self.root.0)?.ok()
    }
}

/// The leaf of an assignment in its batch.
#[must_use]
pub fn leaf(assignment: &Assignment) -> Hash {
    let mut bytes = [0; 160];
    let bytes = canonical::encode(assignment, &mut bytes).expect("no assignment is so long");
    leaf_hash(bytes)
}

impl<'a> SignedAssignment<'a> {
    /// An assignment, the hashes of its path in a batch one after the other, and that batch's content
    /// with its signatures.
    #[must_use]
    pub const fn new(
        assignment: Assignment,
        index: u32,
        path: &'a [u8],
        approved: Approved<'a>,
    ) -> Self {
        Self {
            assignment,
            index,
            path,
            approved,
        }
    }

    /// Reads one in its only form.
    ///
    /// # Errors
    /// Any [`Malformed`].
    pub fn decode(bytes: &'a [u8]) -> Result<Self, Malformed> {
        canonical::decode(bytes, MAX_ASSIGNMENT)
    }

    /// What it says, whether or not it is trusted.
    #[must_use]
    pub const fn claimed(&self) -> &Assignment {
        &self.assignment
    }

    /// The assignment, if it answers this question of this device and the root's assignment keys have
    /// signed its batch.
    ///
    /// # Errors
    /// [`Distrust::OtherDevice`], [`Distrust::NotFresh`], [`Distrust::OtherRoot`],
    /// [`Distrust::NotInBatch`], and [`Distrust`] of the signatures.
    pub fn trust<V: Verifier>(
        &self,
        root: &Root<'_>,
        device: MeterId,
        asked: &Nonce,
        verifier: &mut V,
    ) -> Result<Assignment, Distrust> {
        if self.assignment.device != device {
            return Err(Distrust::OtherDevice);
        }
        if self.assignment.device_nonce != *asked {
            return Err(Distrust::NotFresh);
        }
        let (assigned, trusted) = (self.assignment.root_number, root.number);
        if assigned != trusted {
            return Err(Distrust::OtherRoot { assigned, trusted });
        }
        let mut path = [Hash::ZERO; MAX_PATH];
        let (hashes, _) = self.path.as_chunks::<32>();
        for (place, hash) in path.iter_mut().zip(hashes) {
            *place = Hash(*hash);
        }
        let batch: Batch = canonical::decode(self.approved.content, BATCH_BYTES)
            .map_err(|_| Distrust::NotInBatch)?;
        let (index, size) = (self.index.into(), batch.size.into());
        let leaf = leaf(&self.assignment);
        verify_inclusion(&leaf, index, size, &path[..hashes.len()], &batch.root)
            .map_err(|_| Distrust::NotInBatch)?;
        self.approved
            .check(Domain::Assignment, &[&root.assignment], verifier)?;
        Ok(self.assignment)
    }
}

impl<'a> Item<'a> for SignedAssignment<'a> {
    fn read(input: &mut Decoder<'a>) -> Result<Self, Malformed> {
        array(input, 4, "a signed assignment of four fields")?;
        let assignment = unwrapped(input, "an assignment")?;
        let index = expected(input.u32(), "a place in a batch")?;
        let path = bytes(input, "a path of hashes")?;
        if path.len() % 32 != 0 || path.len() > MAX_PATH * 32 {
            return Err(Malformed::Expected("a path of up to 16 hashes"));
        }
        let approved = unwrapped(input, "a signed batch")?;
        Ok(Self {
            assignment,
            index,
            path,
            approved,
        })
    }

    fn write<W: Write>(&self, out: &mut Encoder<W>) -> Result<(), encode::Error<W::Error>> {
        out.array(4)?;
        wrapped(out, &self.assignment)?;
        out.u32(self.index)?.bytes(self.path)?;
        wrapped(out, &self.approved)
    }
}
