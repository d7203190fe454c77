//! What the release tool and the gateways of a fleet share, and what is derived from it: every device's
//! own secret, and the key that wraps those of releases on their way to a gateway. Whoever steals it
//! reads firmware and makes records that devices take for their gateway's; he installs nothing.

use hkdf::Hkdf;
use sha2::Sha256;
use ww_wire::{Hash, MeterId};
use zeroize::Zeroizing;

use crate::cipher::ContentKey;
use crate::secret::{DeviceSecret, SECRET_BYTES, WRAPPED_BYTES};

/// Bytes of a fleet key.
pub const FLEET_KEY_BYTES: usize = 32;

const DEVICES: &[u8] = b"wattwitness/v1/device-secret";
const WRAPPING: &[u8] = b"wattwitness/v1/fleet-wrapping";

/// The key of a fleet: 32 bytes that nobody can foresee.
pub struct FleetKey(Zeroizing<[u8; FLEET_KEY_BYTES]>);

impl FleetKey {
    /// The key with these bytes.
    #[must_use]
    pub fn new(bytes: [u8; FLEET_KEY_BYTES]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The key that a file holds: 64 hex digits, and nothing else but white space around them.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        let digits = text.trim_ascii().as_bytes();
        if digits.len() != 2 * FLEET_KEY_BYTES {
            return None;
        }
        let mut bytes = Zeroizing::new([0; FLEET_KEY_BYTES]);
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = hex_value(pair[0])? << 4 | hex_value(pair[1])?;
        }
        Some(Self(bytes))
    }

    /// Its bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8; FLEET_KEY_BYTES] {
        &self.0
    }

    /// The bytes that a device is provisioned with: HKDF-SHA-256 (RFC 5869) of this key for that device
    /// alone. From one device's, no other's can be found.
    #[must_use]
    pub fn provision(&self, device: MeterId) -> Zeroizing<[u8; SECRET_BYTES]> {
        self.derive(DEVICES, &device.0)
    }

    /// What a device shares with its gateway.
    #[must_use]
    pub fn device_secret(&self, device: MeterId) -> DeviceSecret {
        DeviceSecret::new(device, *self.provision(device))
    }

    /// The key of an object, as it travels in a release file: AES-256 key wrap (RFC 3394).
    #[must_use]
    pub fn wrap(&self, object: &Hash, key: &ContentKey) -> [u8; WRAPPED_BYTES] {
        key.wrap(&self.derive(WRAPPING, &object.0))
    }

    /// The key of an object; `None` when it was not wrapped for this fleet and this object.
    #[must_use]
    pub fn unwrap(&self, object: &Hash, wrapped: &[u8; WRAPPED_BYTES]) -> Option<ContentKey> {
        ContentKey::unwrap(&self.derive(WRAPPING, &object.0), wrapped)
    }

    fn derive(&self, purpose: &[u8], about: &[u8; 32]) -> Zeroizing<[u8; 32]> {
        let mut key = Zeroizing::new([0; 32]);
        Hkdf::<Sha256>::new(None, &*self.0)
            .expand_multi_info(&[purpose, about], &mut *key)
            .expect("HKDF gives as many bytes as a hash has");
        key
    }
}

fn hex_value(digit: u8) -> Option<u8> {
    // A hex digit is less than 16.
    char::from(digit).to_digit(16).map(|value| value as u8)
}
