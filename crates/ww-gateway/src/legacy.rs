//! Recognises what the firmware that WattWitness replaces sent as a signature: the SHA-256 of the
//! reading's text, which anyone can compute, and 32 bytes of whatever lay behind it in memory.

use ww_api::Milli;
use ww_wire::Hash;

/// The buffer that the firmware hashed, zero bytes at its end included.
const BUFFER_BYTES: usize = 64;

/// Whether the first 32 bytes of `signature` are that checksum of these values. The firmware took
/// the counter, which is in Wh, for kWh, so the thousandfold is tried too.
pub(crate) fn is_checksum(signature: &[u8], power: Milli, total: Milli, seconds: i128) -> bool {
    let Some(checksum) = signature.get(..32) else {
        return false;
    };
    let totals = [total, Milli(total.0.saturating_mul(1000))];
    let texts = tenths(power).into_iter().flat_map(|power| {
        totals.into_iter().flat_map(tenths).map(move |total| {
            format!("ShellyEM power={power}W total={total}Wh timestamp={seconds}")
        })
    });
    texts.into_iter().any(|text| {
        let mut buffer = [0; BUFFER_BYTES];
        let len = text.len().min(BUFFER_BYTES - 1);
        buffer[..len].copy_from_slice(&text.as_bytes()[..len]);
        Hash::of(&[&buffer]).0 == *checksum
    })
}

/// The two ways in which C's `%.1f` may have rounded a number in thousandths.
fn tenths(value: Milli) -> [String; 2] {
    let sign = if value.0 < 0 { "-" } else { "" };
    let magnitude = value.0.unsigned_abs();
    let text = |tenths: u128| format!("{sign}{}.{}", tenths / 10, tenths % 10);
    [
        text(magnitude / 100),
        text(magnitude.saturating_add(99) / 100),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIXTURE: &str = "E8E9BAF0FA7C8231F222C3FBC0B1EA31A11F3E1774F4B95840ED815B6201A503C10B0980F021FB3F01000000000000007D5B0000040000002850FC3F2C50FC3F";

    #[test]
    fn the_fixture_is_recognised_from_rounded_and_from_exact_values() {
        let signature: [u8; 64] = ww_api::hex::decode_array(FIXTURE).unwrap();
        for (power, total) in [(16_400, 8_900_000), (16_350, 8_900), (16_350, 8_900_000)] {
            assert!(is_checksum(
                &signature,
                Milli(power),
                Milli(total),
                1_750_346_382
            ));
        }
    }

    #[test]
    fn other_values_and_other_bytes_are_not() {
        let signature: [u8; 64] = ww_api::hex::decode_array(FIXTURE).unwrap();
        assert!(!is_checksum(
            &signature,
            Milli(16_600),
            Milli(8_900),
            1_750_346_382
        ));
        assert!(!is_checksum(
            &signature,
            Milli(16_350),
            Milli(8_900),
            1_750_346_383
        ));
        assert!(!is_checksum(
            &[0; 64],
            Milli(16_350),
            Milli(8_900),
            1_750_346_382
        ));
        assert!(!is_checksum(&[], Milli(0), Milli(0), 0));
    }
}
