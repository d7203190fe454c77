//! Words of others, as a terminal may show them. It changes what is shown, never what is kept.

use std::fmt::{self, Write as _};

/// Text of a gateway, an operator or a meter, shown with U+FFFD for each character that would act
/// instead of being seen: controls (a terminal obeys them) and invisible format characters, those
/// of writing direction among them (what stands behind reads otherwise than it is).
#[derive(Clone, Copy, Debug)]
pub struct Plain<'a>(pub &'a str);

impl fmt::Display for Plain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|character| {
            let is_seen = !character.is_control() && !is_format(character);
            f.write_char(if is_seen {
                character
            } else {
                char::REPLACEMENT_CHARACTER
            })
        })
    }
}

/// The general categories Cf, Zl and Zp of Unicode, with what is reserved for more of them.
const fn is_format(character: char) -> bool {
    matches!(character,
        '\u{ad}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}'
        | '\u{890}'..='\u{891}' | '\u{8e2}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
        | '\u{fff0}'..='\u{fffb}' | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}'
        | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_replaced() {
        let hostile = "a\u{1b}[2Jb\u{9b}1mc\u{202e}d\u{2066}e\u{200b}f\r\ng\u{e0041}";
        assert_eq!(
            Plain(hostile).to_string(),
            "a\u{fffd}[2Jb\u{fffd}1mc\u{fffd}d\u{fffd}e\u{fffd}f\u{fffd}\u{fffd}g\u{fffd}"
        );
    }

    #[test]
    fn what_can_be_seen_stays() {
        let words = "Dach Süd, 30 kWp: «überprüft» — 屋根 ☀ e\u{301}";
        assert_eq!(Plain(words).to_string(), words);
    }
}
