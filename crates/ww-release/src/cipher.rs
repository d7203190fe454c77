//! How the sectors of an object are encrypted, each for itself, so that a download resumes at any of
//! them. A key serves one object of one release; what differs between sectors is their place.

use aes::Aes256;
use aes::cipher::{
    Block, BlockCipherDecrypt, BlockCipherEncrypt, KeyInit, KeyIvInit, StreamCipher,
};
use aes_kw::KwAes256;
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::key::Suite;
use crate::release::SECTOR_BYTES;
use crate::secret::WRAPPED_BYTES;

/// Bytes of a block of AES.
const BLOCK_BYTES: usize = 16;

/// Counter blocks of one sector.
const BLOCKS_IN_SECTOR: u64 = SECTOR_BYTES as u64 / BLOCK_BYTES as u64;

const DATA: &[u8] = b"wattwitness/v1/firmware-data";
const VECTORS: &[u8] = b"wattwitness/v1/firmware-vectors";
const CHECK: &[u8] = b"wattwitness/v1/firmware-key-check";

/// The key of one object of one release: 32 bytes that nobody can foresee.
pub struct ContentKey(Zeroizing<[u8; 32]>);

impl ContentKey {
    /// The key with these bytes.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Its bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The key as only whoever has the key `under` can read it: AES-256 key wrap (RFC 3394).
    pub(crate) fn wrap(&self, under: &[u8; 32]) -> [u8; WRAPPED_BYTES] {
        let mut wrapped = [0; WRAPPED_BYTES];
        KwAes256::new(under.into())
            .wrap_key(self.bytes(), &mut wrapped)
            .expect("the room is that of a wrapped key");
        wrapped
    }

    /// The key that was wrapped under this one; `None` when it was not.
    pub(crate) fn unwrap(under: &[u8; 32], wrapped: &[u8; WRAPPED_BYTES]) -> Option<Self> {
        let mut key = Zeroizing::new([0; 32]);
        let unwrapped = KwAes256::new(under.into()).unwrap_key(wrapped, &mut *key);
        unwrapped.is_ok().then(|| Self::new(*key))
    }

    /// What a release says of the key, by which a wrong one is known.
    #[must_use]
    pub fn check(&self) -> [u8; 16] {
        *self.derive(CHECK)
    }

    /// HKDF-Expand (RFC 5869, section 2.3): the key is as even as a pseudorandom key must be.
    fn derive<const N: usize>(&self, purpose: &[u8]) -> Zeroizing<[u8; N]> {
        let mut key = Zeroizing::new([0; N]);
        Hkdf::<Sha256>::from_prk(&*self.0)
            .expect("a key is as long as a hash")
            .expand(purpose, &mut *key)
            .expect("HKDF gives as many bytes as a hash has");
        key
    }
}

/// Why a sector cannot be decrypted. With a key that fits the release, it never is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CipherError {
    /// A ciphertext of CBC is whole blocks.
    #[error("{0} bytes are no whole blocks")]
    PartialBlock(usize),
    /// The last block does not end as PKCS#7 (RFC 5652, section 6.3) has it.
    #[error("the padding of the last sector is wrong")]
    Padding,
}

/// Encrypts and decrypts the sectors of one object.
pub enum SectorCipher {
    /// AES-256 in counter mode. The counter block is the nonce, then the number of the block in the
    /// object, 8 big-endian bytes each.
    Counter {
        /// The key of the data.
        data: Zeroizing<[u8; 32]>,
        /// The first half of every counter block.
        nonce: [u8; 8],
    },
    /// AES-256 in CBC mode. The initialisation vector of a sector is its number, encrypted under a key
    /// for that alone.
    Chained {
        /// The key of the data.
        data: Zeroizing<[u8; 32]>,
        /// The key of the vectors.
        vectors: Zeroizing<[u8; 32]>,
    },
}

impl SectorCipher {
    /// The cipher of an object.
    #[must_use]
    pub fn new(suite: Suite, key: &ContentKey, nonce: [u8; 8]) -> Self {
        let data = key.derive(DATA);
        match suite {
            Suite::Es256Aes256Ctr => Self::Counter { data, nonce },
            Suite::Rsa2048Aes256Cbc => {
                let vectors = key.derive(VECTORS);
                Self::Chained { data, vectors }
            }
        }
    }

    /// Decrypts the `number`th sector in its place, and says how many of its bytes are content.
    ///
    /// # Errors
    /// [`CipherError`], in CBC only.
    pub fn decrypt(
        &self,
        number: u32,
        is_last: bool,
        sector: &mut [u8],
    ) -> Result<usize, CipherError> {
        let len = sector.len();
        let (data, vectors) = match self {
            Self::Counter { data, nonce } => {
                count(data, nonce, number, sector);
                return Ok(len);
            }
            Self::Chained { data, vectors } => (data, vectors),
        };
        let cipher = Aes256::new((&**data).into());
        let mut before = vector(vectors, number);
        for block in whole_blocks(sector)? {
            let encrypted = *block;
            cipher.decrypt_block(block);
            add(block, &before);
            before = encrypted;
        }
        if !is_last {
            return Ok(len);
        }
        let padding = sector.last().copied().unwrap_or_default();
        let content = len.checked_sub(usize::from(padding));
        let content = content.filter(|content| {
            (1..=BLOCK_BYTES as u8).contains(&padding)
                && sector[*content..].iter().all(|byte| *byte == padding)
        });
        content.ok_or(CipherError::Padding)
    }

    /// Encrypts the `number`th sector in its place. In CBC it is whole blocks: what is last was padded
    /// before.
    ///
    /// # Errors
    /// [`CipherError::PartialBlock`].
    pub fn encrypt(&self, number: u32, sector: &mut [u8]) -> Result<(), CipherError> {
        let (data, vectors) = match self {
            Self::Counter { data, nonce } => {
                count(data, nonce, number, sector);
                return Ok(());
            }
            Self::Chained { data, vectors } => (data, vectors),
        };
        let cipher = Aes256::new((&**data).into());
        let mut before = vector(vectors, number);
        for block in whole_blocks(sector)? {
            add(block, &before);
            cipher.encrypt_block(block);
            before = *block;
        }
        Ok(())
    }
}

/// Counter mode, which is its own inverse.
fn count(data: &[u8; 32], nonce: &[u8; 8], number: u32, sector: &mut [u8]) {
    let mut first = [0; BLOCK_BYTES];
    let block = u64::from(number) * BLOCKS_IN_SECTOR;
    first[..8].copy_from_slice(nonce);
    first[8..].copy_from_slice(&block.to_be_bytes());
    ctr::Ctr64BE::<Aes256>::new(data.into(), (&first).into()).apply_keystream(sector);
}

fn whole_blocks(sector: &mut [u8]) -> Result<&mut [Block<Aes256>], CipherError> {
    let len = sector.len();
    let (blocks, rest) = Block::<Aes256>::slice_as_chunks_mut(sector);
    match rest.is_empty() {
        true => Ok(blocks),
        false => Err(CipherError::PartialBlock(len)),
    }
}

/// The initialisation vector of a sector.
fn vector(key: &[u8; 32], number: u32) -> Block<Aes256> {
    let mut vector = Block::<Aes256>::from(u128::from(number).to_be_bytes());
    Aes256::new(key.into()).encrypt_block(&mut vector);
    vector
}

fn add(block: &mut Block<Aes256>, other: &Block<Aes256>) {
    for (byte, other) in block.iter_mut().zip(other) {
        *byte ^= other;
    }
}
