//! What all that people type has in common.

/// Signs that nobody sees and that come along when text is copied: joiners, marks of direction. Address
/// books put them around phone numbers, messengers around addresses.
pub(super) fn is_invisible(character: char) -> bool {
    matches!(character, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// The text without blanks and invisible signs around it.
pub(super) fn trim(text: &str) -> &str {
    text.trim_matches(|character: char| character.is_whitespace() || is_invisible(character))
}

/// The digit that a character is: ASCII's, and those of the scripts whose keyboards have their own:
/// full-width, Arabic, Persian and Hindi.
pub(super) fn digit(character: char) -> Option<u8> {
    let at = u32::from(character);
    let zero = match at {
        0x30..=0x39 => 0x30,
        0x660..=0x669 => 0x660,
        0x6f0..=0x6f9 => 0x6f0,
        0x966..=0x96f => 0x966,
        0xff10..=0xff19 => 0xff10,
        _ => return None,
    };
    u8::try_from(at - zero).ok()
}
