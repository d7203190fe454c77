//! Objects as they are made for a fleet: encrypted sector by sector, with the list of their digests.
//! For those who make releases; a device needs none of it.

use std::vec::Vec;

use ww_wire::Hash;

use crate::cipher::{ContentKey, SectorCipher};
use crate::key::Suite;
use crate::release::{Encoding, SECTOR_BYTES};

/// Bytes of a block of AES: what padding fills up.
const BLOCK_BYTES: usize = 16;

/// An encrypted object, the list of its digests, and what a release says of both.
pub struct SealedObject {
    /// The ciphertext, one for the whole fleet.
    pub ciphertext: Vec<u8>,
    /// SHA-256 of each sector of it, one after the other.
    pub list: Vec<u8>,
    /// What a release says of it.
    pub encoding: Encoding,
}

impl SealedObject {
    /// Encrypts a payload, or a delta that starts from the payload `base`. `key` and `nonce` must have
    /// served nothing before; `None` when it is empty or longer than 4 GiB.
    #[must_use]
    pub fn new(
        suite: Suite,
        key: &ContentKey,
        nonce: [u8; 8],
        base: Option<Hash>,
        plain: &[u8],
    ) -> Option<Self> {
        let plain_bytes = u32::try_from(plain.len()).ok().filter(|bytes| *bytes > 0)?;
        let mut ciphertext = Vec::with_capacity(suite.encrypted_bytes(plain_bytes)? as usize);
        ciphertext.extend_from_slice(plain);
        if suite == Suite::Rsa2048Aes256Cbc {
            let padding = BLOCK_BYTES - plain.len() % BLOCK_BYTES;
            ciphertext.resize(plain.len() + padding, padding as u8);
        }
        let cipher = SectorCipher::new(suite, key, nonce);
        let mut list = Vec::new();
        for (number, sector) in (0..).zip(ciphertext.chunks_mut(SECTOR_BYTES as usize)) {
            cipher
                .encrypt(number, sector)
                .expect("padding made whole blocks of it");
            list.extend_from_slice(&Hash::of(&[sector]).0);
        }
        let encoding = Encoding {
            base,
            plain_bytes,
            object: Hash::of(&[&ciphertext]),
            list: Hash::of(&[&list]),
            nonce,
            key_check: key.check(),
        };
        Some(Self {
            ciphertext,
            list,
            encoding,
        })
    }
}
