//! What all that people type has in common.

/// Signs that nobody sees and that come along when text is copied: joiners, marks of direction. Address
/// books put them around phone numbers, messengers around addresses.
pub(super) fn is_invisible(character: char) -> bool {
    matches!(character, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// White space as Unicode has it. The standard library's table of it would be linked for this alone.
pub(super) fn is_blank(character: char) -> bool {
    matches!(character, '\t'..='\r' | ' ' | '\u{85}' | '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}'
        | '\u{2028}' | '\u{2029}' | '\u{202f}' | '\u{205f}' | '\u{3000}')
}

/// The text without blanks and invisible signs around it.
pub(crate) fn trim(text: &str) -> &str {
    text.trim_matches(|character: char| is_blank(character) || is_invisible(character))
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

/// How many characters there are. The standard library counts faster, and in ten times the code.
pub(super) fn count(text: &str) -> usize {
    text.bytes().filter(|byte| byte & 0xc0 != 0x80).count()
}

/// What stands before and behind the first `sign`, which is one of ASCII's.
///
/// Searches of the standard library know all patterns, and a page links one for each.
pub(crate) fn cut(text: &str, sign: u8) -> Option<(&str, &str)> {
    let at = text.bytes().position(|byte| byte == sign)?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

/// What stands before and behind the last `sign`.
pub(super) fn cut_last(text: &str, sign: u8) -> Option<(&str, &str)> {
    let at = text.bytes().rposition(|byte| byte == sign)?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

/// What stands between the signs, empty parts too.
pub(crate) fn parts(text: &str, sign: u8) -> impl Iterator<Item = &str> {
    let mut left = Some(text);
    core::iter::from_fn(move || {
        let text = left?;
        let cut = cut(text, sign);
        left = cut.map(|(_, behind)| behind);
        Some(cut.map_or(text, |(part, _)| part))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_are_those_of_unicode() {
        for character in '\0'..=char::MAX {
            assert_eq!(is_blank(character), character.is_whitespace(), "{character:?}");
        }
    }

    #[test]
    fn text_is_counted_and_cut_like_by_the_standard_library() {
        for text in ["", ".", "a", "a.б", ".a.", "ї..漢🙂"] {
            assert_eq!(count(text), text.chars().count());
            assert_eq!(cut(text, b'.'), text.split_once('.'));
            assert_eq!(cut_last(text, b'.'), text.rsplit_once('.'));
            assert!(parts(text, b'.').eq(text.split('.')));
        }
    }
}
