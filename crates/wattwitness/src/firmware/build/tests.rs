use std::collections::HashSet;
use std::ops::Range;

use aws_lc_rs::hkdf;
use ww_release::cipher::{ContentKey, SectorCipher};
use ww_release::release::{Encoding, SECTOR_BYTES};

use super::*;

/// Half of them of each suite, each with the whole and two deltas.
const RELEASES: u32 = 300;

const SUITES: [Suite; 2] = [Suite::Es256Aes256Ctr, Suite::Rsa2048Aes256Cbc];

/// The counter blocks that an object's ciphertext was made with, under its key: a range of the numbers
/// that follow the nonce.
type Counters = (Vec<u8>, [u8; 8], Range<u64>);

/// What must serve once among all releases of a fleet.
#[derive(Default)]
struct Served {
    keys: HashSet<[u8; 32]>,
    checks: HashSet<[u8; 16]>,
    nonces: HashSet<[u8; 8]>,
    data_keys: HashSet<Vec<u8>>,
    vectors: HashSet<(Vec<u8>, u32)>,
    counters: Vec<Counters>,
    first_blocks: HashSet<[u8; 16]>,
}

fn subkey(key: &ContentKey, purpose: &str) -> Vec<u8> {
    let mut out = vec![0; 32];
    hkdf::Prk::new_less_safe(hkdf::HKDF_SHA256, key.bytes())
        .expand(&[purpose.as_bytes()], hkdf::HKDF_SHA256)
        .unwrap()
        .fill(&mut out)
        .unwrap();
    out
}

impl Served {
    fn object(&mut self, suite: Suite, encoding: &Encoding, key: &ContentKey, len: usize) {
        assert!(self.keys.insert(*key.bytes()), "a content key served twice");
        assert!(self.checks.insert(key.check()), "a key check came twice");
        assert!(self.nonces.insert(encoding.nonce), "a nonce served twice");
        let data = subkey(key, "wattwitness/v1/firmware-data");
        assert!(
            self.data_keys.insert(data.clone()),
            "a key of data served twice"
        );
        match suite {
            Suite::Es256Aes256Ctr => {
                let blocks = 0..len.div_ceil(16) as u64;
                self.counters.push((data, encoding.nonce, blocks));
            }
            Suite::Rsa2048Aes256Cbc => {
                let vectors = subkey(key, "wattwitness/v1/firmware-vectors");
                for sector in 0..len.div_ceil(SECTOR_BYTES as usize) as u32 {
                    let is_new = self.vectors.insert((vectors.clone(), sector));
                    assert!(is_new, "a vector served twice");
                }
            }
        }
    }

    /// No counter block serves twice under one key: the ranges of each nonce lie apart.
    fn counters_lie_apart(&mut self) {
        self.counters.sort_by(|one, other| {
            let order = |counters: &Counters| (counters.0.clone(), counters.1, counters.2.start);
            order(one).cmp(&order(other))
        });
        for pair in self.counters.windows(2) {
            let [(key, nonce, blocks), (next_key, next_nonce, next_blocks)] = pair else {
                panic!("a window of two has two");
            };
            let is_apart =
                key != next_key || nonce != next_nonce || blocks.end <= next_blocks.start;
            assert!(is_apart, "a counter block served twice");
        }
    }
}

/// Reads an object as a device does: each sector is held against the list, then decrypted.
fn as_a_device(
    suite: Suite,
    encoding: &Encoding,
    key: &ContentKey,
    ciphertext: &[u8],
    list: &[u8],
) -> Vec<u8> {
    assert_eq!(key.check(), encoding.key_check);
    assert_eq!(Hash::of(&[list]), encoding.list);
    let cipher = SectorCipher::new(suite, key, encoding.nonce);
    let sectors = ciphertext.chunks(SECTOR_BYTES as usize);
    let last = sectors.len() - 1;
    let mut plain = Vec::new();
    for (number, (sector, digest)) in sectors.zip(list.chunks_exact(32)).enumerate() {
        assert_eq!(Hash::of(&[sector]).0, *digest);
        let mut sector = sector.to_vec();
        let content = cipher.decrypt(number as u32, number == last, &mut sector);
        plain.extend_from_slice(&sector[..content.unwrap()]);
    }
    assert_eq!(plain.len(), encoding.plain_bytes as usize);
    plain
}

#[test]
fn no_key_nonce_vector_or_counter_block_serves_twice_in_hundreds_of_releases() {
    let fleet = FleetKey::new([0xf1; 32]);
    let mut served = Served::default();
    for number in 0..RELEASES {
        let suite = SUITES[number as usize % 2];
        // The same image every time: equal plaintexts would show equal keys.
        let image = vec![0x5a; 9_000];
        let deltas = [b"one delta", b"two delta"].map(|bytes| Delta {
            base: Hash::of(&[bytes, &number.to_be_bytes()]),
            bytes,
        });
        let draft = Draft {
            class: HardwareClass([0xcc; 16]),
            security_counter: number,
            version: "1.0.0",
            suite,
            image: &image,
            config: &[],
            layout: b"layout",
            deltas: &deltas,
        };
        let file = sealed(&draft, &fleet).unwrap();
        let release = ReleaseFile::decode(&file).unwrap();
        for (place, (encoding, object)) in release.objects().enumerate() {
            let key = release.key(place, &fleet).unwrap();
            let (ciphertext, list) = (object.ciphertext, object.list);
            served.object(suite, encoding, &key, ciphertext.len());
            let (first, _) = ciphertext.as_chunks::<16>();
            // Counter mode may end within its first block.
            if let Some(first) = first.first() {
                assert!(
                    served.first_blocks.insert(*first),
                    "a key stream came twice"
                );
            }
            let read = as_a_device(suite, encoding, &key, ciphertext, list);
            match deltas
                .iter()
                .find(|delta| Some(delta.base) == encoding.base)
            {
                Some(delta) => assert_eq!(read, delta.bytes),
                None => assert_eq!(read, *draft.payload()),
            }
        }
    }
    assert_eq!(served.keys.len(), 3 * RELEASES as usize);
    served.counters_lie_apart();
}
