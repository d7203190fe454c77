//! Bytes as lower-case hex in strings of JSON.

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// Writes bytes as lower-case hex.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    push(&mut text, bytes);
    text
}

/// Writes bytes as lower-case hex to the end of `text`.
pub fn push(text: &mut String, bytes: &[u8]) {
    for &byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
}

/// Reads exactly `N` bytes; either case is taken. `None` for any other length or character.
#[must_use]
pub fn decode_array<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    (decode_into(text, &mut bytes)? == N).then_some(bytes)
}

/// Reads into the front of `out` and gives the number of bytes; `None` when the text is longer
/// than twice `out`, has an odd length, or holds anything but hex digits.
#[must_use]
pub fn decode_into(text: &str, out: &mut [u8]) -> Option<usize> {
    let text = text.as_bytes();
    if !text.len().is_multiple_of(2) {
        return None;
    }
    let out = out.get_mut(..text.len() / 2)?;
    let mut wrong = 0;
    for (byte, pair) in out.iter_mut().zip(text.chunks_exact(2)) {
        let (high, low) = (VALUES[usize::from(pair[0])], VALUES[usize::from(pair[1])]);
        wrong |= high | low;
        *byte = high << 4 | low & 15;
    }
    (wrong & 0xf0 == 0).then_some(out.len())
}

/// The value of each hex digit; 0xff for every other character.
const VALUES: [u8; 256] = {
    let mut values = [0xff; 256];
    let mut i = 0u8;
    while i < 16 {
        let digit = DIGITS[i as usize];
        values[digit as usize] = i;
        values[digit.to_ascii_uppercase() as usize] = i;
        i += 1;
    }
    values
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn either_case_is_read_and_lower_case_is_written() {
        assert_eq!(decode_array("00fFa5"), Some([0, 0xff, 0xa5]));
        assert_eq!(encode(&[0, 0xff, 0xa5]), "00ffa5");
    }

    #[test]
    fn other_characters_and_lengths_are_refused() {
        assert_eq!(decode_array::<2>("00g0"), None);
        assert_eq!(decode_array::<2>("000"), None);
        assert_eq!(decode_array::<2>("0000 0"), None);
        assert_eq!(decode_array::<2>("000000"), None);
        assert_eq!(decode_array::<2>("00"), None);
        assert_eq!(decode_array::<2>("0é0"), None);
    }
}
