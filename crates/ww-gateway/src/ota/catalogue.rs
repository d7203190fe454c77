//! Roots and releases as devices are told of them: in memory, since every question needs them. What is
//! durable is in the store; the keys of objects are opened here and wiped when they go.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, RwLock, RwLockReadGuard, RwLockWriteGuard};

use bytes::Bytes;
use ww_release::cipher::ContentKey;
use ww_release::fleet::FleetKey;
use ww_release::key::Suite;
use ww_release::release::{HardwareClass, Parts, SECTOR_BYTES, SignedRelease};
use ww_release::root::SignedRoot;
use ww_release::secret::WRAPPED_BYTES;
use ww_store::{FirmwareRelease, FirmwareRoot, Store, StoreError, Withdrawal};
use ww_wire::{Hash, SignerId, UtcMillis};

/// Releases that are read from the store at a time.
const RELEASES_AT_ONCE: u32 = 64;

/// A root as it is held.
#[derive(Debug)]
pub(crate) struct HeldRoot {
    pub(crate) number: u32,
    pub(crate) bytes: Bytes,
    pub(crate) added: Option<UtcMillis>,
    pub(crate) added_by: String,
    /// Whose signature alone is enough under an assignment.
    assigners: Vec<SignerId>,
}

impl HeldRoot {
    /// Whether what this key signs alone is an assignment.
    pub(crate) fn is_assigned_by(&self, key: SignerId) -> bool {
        self.assigners.contains(&key)
    }
}

/// A release as it is held.
#[derive(Debug)]
pub(crate) struct HeldRelease {
    pub(crate) id: u64,
    pub(crate) digest: Hash,
    pub(crate) payload: Hash,
    pub(crate) class: HardwareClass,
    pub(crate) security_counter: u32,
    pub(crate) version: String,
    pub(crate) suite: Suite,
    pub(crate) parts: Parts,
    pub(crate) signers: Vec<SignerId>,
    pub(crate) root_number: u32,
    pub(crate) envelope: Bytes,
    pub(crate) encodings: Vec<HeldEncoding>,
    pub(crate) published: Option<UtcMillis>,
    pub(crate) published_by: String,
    pub(crate) withdrawal: Option<Withdrawal>,
}

/// One way in which it travels.
pub(crate) struct HeldEncoding {
    pub(crate) base: Option<Hash>,
    pub(crate) plain_bytes: u32,
    pub(crate) object_bytes: u32,
    pub(crate) object: Hash,
    pub(crate) list: Hash,
    /// What its key gives.
    pub(crate) key_check: [u8; 16],
    /// Its key; none where this gateway's fleet key does not open it.
    pub(crate) key: Option<ContentKey>,
}

impl core::fmt::Debug for HeldEncoding {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("HeldEncoding")
            .field("object", &self.object)
            .finish_non_exhaustive()
    }
}

/// All roots and releases.
#[derive(Debug, Default)]
pub(crate) struct Catalogue(RwLock<Held>);

#[derive(Debug, Default)]
struct Held {
    roots: BTreeMap<u32, Arc<HeldRoot>>,
    releases: HashMap<Hash, Arc<HeldRelease>>,
    by_place: BTreeMap<u64, Hash>,
    /// The newest release with each payload.
    by_payload: HashMap<Hash, Arc<HeldRelease>>,
    /// Bytes of every object and list.
    objects: HashMap<Hash, u64>,
}

impl Catalogue {
    /// Takes up what the store has.
    pub(crate) async fn load(
        store: &dyn Store,
        fleet: Option<&FleetKey>,
    ) -> Result<Self, StoreError> {
        let catalogue = Self::default();
        for root in store.firmware_roots().await? {
            catalogue.put_root(root);
        }
        let mut before = None;
        loop {
            let page = store.firmware_releases(before, RELEASES_AT_ONCE).await?;
            before = page.last().map(|release| release.id);
            let is_last = page.len() < RELEASES_AT_ONCE as usize;
            for release in page {
                catalogue.put_release(release, fleet);
            }
            if is_last {
                return Ok(catalogue);
            }
        }
    }

    /// Takes over a root that the store holds.
    pub(crate) fn put_root(&self, stored: FirmwareRoot) {
        let Ok(signed) = SignedRoot::decode(&stored.bytes) else {
            tracing::error!(number = stored.number, "a stored root cannot be read");
            return;
        };
        let role = &signed.claimed().assignment;
        let assigners = match role.threshold() {
            1 => role.keys().map(|key| key.id()).collect(),
            // One gateway has one key: it alone assigns nothing.
            _ => Vec::new(),
        };
        let root = HeldRoot {
            number: stored.number,
            bytes: Bytes::from(stored.bytes),
            added: stored.added,
            added_by: stored.added_by,
            assigners,
        };
        self.write().roots.insert(root.number, Arc::new(root));
    }

    /// Takes over a release that the store holds.
    pub(crate) fn put_release(
        &self,
        stored: FirmwareRelease,
        fleet: Option<&FleetKey>,
    ) -> Option<Arc<HeldRelease>> {
        let envelope = Bytes::from(stored.envelope);
        let Ok(signed) = SignedRelease::decode(&envelope) else {
            tracing::error!(release = %stored.digest, "a stored release cannot be read");
            return None;
        };
        let release = signed.claimed();
        let (keys, _) = stored.keys.as_chunks::<WRAPPED_BYTES>();
        let mut encodings = Vec::new();
        for (place, encoding) in release.encodings().enumerate() {
            let open = || {
                let key = fleet?.unwrap(&encoding.object, keys.get(place)?)?;
                (key.check() == encoding.key_check).then_some(key)
            };
            encodings.push(HeldEncoding {
                base: encoding.base,
                plain_bytes: encoding.plain_bytes,
                object_bytes: release.object_bytes(encoding).unwrap_or(0),
                object: encoding.object,
                list: encoding.list,
                key_check: encoding.key_check,
                key: open(),
            });
        }
        let held = Arc::new(HeldRelease {
            id: stored.id,
            digest: stored.digest,
            payload: release.payload,
            class: release.class,
            security_counter: release.security_counter,
            version: release.version.to_owned(),
            suite: release.suite,
            parts: release.parts,
            signers: signed
                .approved()
                .signatures()
                .map(|one| one.signer())
                .collect(),
            root_number: stored.root_number,
            envelope: envelope.clone(),
            encodings,
            published: stored.published,
            published_by: stored.published_by,
            withdrawal: stored.withdrawal,
        });
        let mut all = self.write();
        for encoding in &held.encodings {
            let sectors = encoding.object_bytes.div_ceil(SECTOR_BYTES);
            all.objects
                .insert(encoding.object, encoding.object_bytes.into());
            all.objects.insert(encoding.list, 32 * u64::from(sectors));
        }
        all.by_place.insert(held.id, held.digest);
        let newest = all.by_payload.get(&held.payload);
        if newest.is_none_or(|newest| newest.id <= held.id) {
            all.by_payload.insert(held.payload, Arc::clone(&held));
        }
        all.releases.insert(held.digest, Arc::clone(&held));
        Some(held)
    }

    /// The root with the highest number.
    pub(crate) fn newest_root(&self) -> Option<Arc<HeldRoot>> {
        self.read().roots.values().next_back().cloned()
    }

    pub(crate) fn root(&self, number: u32) -> Option<Arc<HeldRoot>> {
        self.read().roots.get(&number).cloned()
    }

    pub(crate) fn roots(&self) -> Vec<Arc<HeldRoot>> {
        self.read().roots.values().cloned().collect()
    }

    pub(crate) fn release(&self, digest: &Hash) -> Option<Arc<HeldRelease>> {
        self.read().releases.get(digest).cloned()
    }

    /// The newest release with this payload.
    pub(crate) fn with_payload(&self, payload: &Hash) -> Option<Arc<HeldRelease>> {
        self.read().by_payload.get(payload).cloned()
    }

    /// Releases, newest first, with places below `before`.
    pub(crate) fn releases(&self, before: u64, limit: usize) -> Vec<Arc<HeldRelease>> {
        let held = self.read();
        let newest_first = held.by_place.range(..before).rev();
        newest_first
            .filter_map(|(_, digest)| held.releases.get(digest))
            .take(limit)
            .cloned()
            .collect()
    }

    /// The release that has an object under the key with this check, if there is one.
    pub(crate) fn with_key(&self, key_check: &[u8; 16]) -> Option<Arc<HeldRelease>> {
        let held = self.read();
        let mut releases = held.releases.values();
        releases
            .find(|release| {
                let mut encodings = release.encodings.iter();
                encodings.any(|encoding| encoding.key_check == *key_check)
            })
            .cloned()
    }

    /// Bytes of an object or a list.
    pub(crate) fn object_bytes(&self, digest: &Hash) -> Option<u64> {
        self.read().objects.get(digest).copied()
    }

    fn read(&self) -> RwLockReadGuard<'_, Held> {
        self.0
            .read()
            .expect("no code panics while it holds this lock")
    }

    fn write(&self) -> RwLockWriteGuard<'_, Held> {
        self.0
            .write()
            .expect("no code panics while it holds this lock")
    }
}
