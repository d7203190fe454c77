//! The root of trust: which keys there are, what each may sign, and how many of them it takes. A
//! device is made with one; a root is followed only by the next, which enough keys of both have signed
//! (The Update Framework, section 5.3).

use minicbor::encode::{self, Write};
use minicbor::{Decoder, Encoder};
use ww_wire::SignerId;

use crate::canonical::{self, Item, Malformed, array, bytes, expected, list, number};
use crate::key::{Algorithm, Key, Suite, Verifier};
use crate::signatures::{Approved, Distrust, Domain};

/// The longest root with its signatures: one sector of flash.
pub const MAX_ROOT: usize = 4096;

/// The most keys of one role.
pub const MAX_KEYS: usize = 8;

/// Version of the root's format.
const FORMAT: i64 = 1;

/// Who may sign one thing, and how many of them it takes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Role<'a> {
    threshold: u8,
    keys: [Option<Key<'a>>; MAX_KEYS],
}

impl<'a> Role<'a> {
    /// Keys in the order of their bytes, each once, and how many of them must sign; `None` when that
    /// is none or more than there are, or when there are too many.
    #[must_use]
    pub fn new(threshold: u8, keys: &[Key<'a>]) -> Option<Self> {
        let is_in_order = keys.windows(2).all(|pair| pair[0] < pair[1]);
        let reachable = 1..=keys.len();
        if !is_in_order || keys.len() > MAX_KEYS || !reachable.contains(&usize::from(threshold)) {
            return None;
        }
        let mut held = [None; MAX_KEYS];
        for (place, key) in held.iter_mut().zip(keys) {
            *place = Some(*key);
        }
        let keys = held;
        Some(Self { threshold, keys })
    }

    /// How many of them must sign.
    #[must_use]
    pub const fn threshold(&self) -> u8 {
        self.threshold
    }

    /// Their keys.
    pub fn keys(&self) -> impl Iterator<Item = Key<'a>> {
        self.keys.iter().map_while(|key| *key)
    }

    /// The key with this id.
    #[must_use]
    pub fn key(&self, id: SignerId) -> Option<Key<'a>> {
        self.keys().find(|key| key.id() == id)
    }
}

impl core::fmt::Debug for Role<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{} of ", self.threshold)?;
        f.debug_list().entries(self.keys()).finish()
    }
}

impl<'a> Item<'a> for Role<'a> {
    fn read(input: &mut Decoder<'a>) -> Result<Self, Malformed> {
        array(input, 2, "a threshold and keys")?;
        let threshold = expected(input.u8(), "a threshold")?;
        let count = list(input, MAX_KEYS, "up to 8 keys")?;
        let mut keys = [None; MAX_KEYS];
        for place in &mut keys[..count] {
            let key = Key::new(bytes(input, "a key")?);
            *place = Some(key.ok_or(Malformed::Expected("a key of P-256 or RSA-2048"))?);
        }
        let role = Self { threshold, keys };
        let is_in_order = role
            .keys()
            .zip(role.keys().skip(1))
            .all(|(one, next)| one < next);
        if !is_in_order || !(1..=count).contains(&usize::from(threshold)) {
            return Err(Malformed::Expected(
                "keys in ascending order, each once, and a threshold that they can reach",
            ));
        }
        Ok(role)
    }

    fn write<W: Write>(&self, out: &mut Encoder<W>) -> Result<(), encode::Error<W::Error>> {
        out.array(2)?.u8(self.threshold)?;
        out.array(self.keys().count() as u64)?;
        for key in self.keys() {
            out.bytes(key.bytes())?;
        }
        Ok(())
    }
}

/// A root as it says itself; whether it is trusted, [`SignedRoot::follow`] decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Root<'a> {
    /// From 1, one more than the root before.
    pub number: u32,
    /// How releases are signed and encrypted.
    pub suite: Suite,
    /// Who may sign the next root.
    pub root: Role<'a>,
    /// Who may sign releases, with the suite's algorithm.
    pub release: Role<'a>,
    /// Who may sign assignments: a key that is online. ES256.
    pub assignment: Role<'a>,
}

impl Root<'_> {
    /// What no root may be, though each of its parts may.
    fn rule(&self) -> Result<(), Malformed> {
        let rules = [
            (self.number > 0, "a root's number from 1 on"),
            (signs_by(&self.root, Algorithm::Es256), "root keys of P-256"),
            (
                signs_by(&self.release, self.suite.algorithm()),
                "release keys of the suite's algorithm",
            ),
            (
                signs_by(&self.assignment, Algorithm::Es256),
                "assignment keys of P-256",
            ),
            (self.has_one_role_a_key(), "one role for each key"),
        ];
        match rules.iter().find(|(holds, _)| !holds) {
            Some((_, rule)) => Err(Malformed::Expected(rule)),
            None => Ok(()),
        }
    }

    fn has_one_role_a_key(&self) -> bool {
        let has = |role: &Role<'_>, key| role.keys().any(|own| own == key);
        let is_alone = |key| {
            let roles = [&self.root, &self.release, &self.assignment];
            roles.iter().filter(|role| has(role, key)).count() == 1
        };
        let all = self.root.keys().chain(self.release.keys());
        all.chain(self.assignment.keys()).all(is_alone)
    }
}

fn signs_by(role: &Role<'_>, algorithm: Algorithm) -> bool {
    role.keys().all(|key| key.algorithm() == algorithm)
}

impl<'a> Item<'a> for Root<'a> {
    fn read(input: &mut Decoder<'a>) -> Result<Self, Malformed> {
        array(input, 6, "a root of six fields")?;
        number(input, FORMAT, "format 1 of a root")?;
        let root = Self {
            number: expected(input.u32(), "a root's number")?,
            suite: Suite::numbered(expected(input.u8(), "the number of a suite")?)?,
            root: Role::read(input)?,
            release: Role::read(input)?,
            assignment: Role::read(input)?,
        };
        root.rule().map(|()| root)
    }

    fn write<W: Write>(&self, out: &mut Encoder<W>) -> Result<(), encode::Error<W::Error>> {
        out.array(6)?.i64(FORMAT)?.u32(self.number)?;
        out.u8(self.suite.number())?;
        self.root.write(out)?;
        self.release.write(out)?;
        self.assignment.write(out)
    }
}

/// A root with the signatures beside it.
#[derive(Clone, Copy, Debug)]
pub struct SignedRoot<'a> {
    approved: Approved<'a>,
    root: Root<'a>,
}

impl<'a> SignedRoot<'a> {
    /// Reads one in its only form.
    ///
    /// # Errors
    /// Any [`Malformed`].
    pub fn decode(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let approved: Approved<'a> = canonical::decode(bytes, MAX_ROOT)?;
        let root = canonical::decode(approved.content, MAX_ROOT)?;
        Ok(Self { approved, root })
    }

    /// What it says, whether or not it is trusted.
    #[must_use]
    pub const fn claimed(&self) -> &Root<'a> {
        &self.root
    }

    /// What was signed and by whom, whether or not it holds.
    #[must_use]
    pub const fn approved(&self) -> &Approved<'a> {
        &self.approved
    }

    /// The root that follows a trusted one.
    ///
    /// # Errors
    /// [`Distrust::OutOfOrder`]; [`Distrust`] of too few or bad signatures of either root's keys.
    pub fn follow<V: Verifier>(
        &self,
        trusted: &Root<'_>,
        verifier: &mut V,
    ) -> Result<Root<'a>, Distrust> {
        let number = self.root.number;
        if Some(number) != trusted.number.checked_add(1) {
            let trusted = trusted.number;
            return Err(Distrust::OutOfOrder { number, trusted });
        }
        let roles = [&trusted.root, &self.root.root];
        self.approved.check(Domain::Root, &roles, verifier)?;
        Ok(self.root)
    }

    /// The root whose own keys have signed it: what a first root must be before a device is made with
    /// it. It makes no other root trusted.
    ///
    /// # Errors
    /// [`Distrust`] of too few or bad signatures.
    pub fn stand_alone<V: Verifier>(&self, verifier: &mut V) -> Result<Root<'a>, Distrust> {
        self.approved
            .check(Domain::Root, &[&self.root.root], verifier)?;
        Ok(self.root)
    }
}
