//! In which encoding a feed is written, and its bytes as text.

use std::borrow::Cow;

use super::{Broken, Refusal};

/// Letters cut in half that one product may have: a shop that shortens its texts by bytes makes one of
/// each. More are text in another encoding.
const MAX_MENDED: usize = 8;

/// What the bytes of a feed stand for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Encoding {
    #[default]
    Utf8,
    /// What shops made for Windows write.
    Windows1251,
}

/// The letters of Windows-1251 from 0x80 to 0xBF; those from 0xC0 on are in the order of Unicode.
const WINDOWS_1251: [char; 64] = [
    'Ђ', 'Ѓ', '‚', 'ѓ', '„', '…', '†', '‡', '€', '‰', 'Љ', '‹', 'Њ', 'Ќ', 'Ћ', 'Џ', //
    'ђ', '‘', '’', '“', '”', '•', '–', '—', '\u{98}', '™', 'љ', '›', 'њ', 'ќ', 'ћ', 'џ', //
    '\u{a0}', 'Ў', 'ў', 'Ј', '¤', 'Ґ', '¦', '§', 'Ё', '©', 'Є', '«', '¬', '\u{ad}', '®',
    'Ї', //
    '°', '±', 'І', 'і', 'ґ', 'µ', '¶', '·', 'ё', '№', 'є', '»', 'ј', 'Ѕ', 'ѕ', 'ї',
];

impl Encoding {
    /// Why a feed with these first two bytes is not read.
    pub(super) fn refused(first: [u8; 2]) -> Option<Refusal> {
        match first {
            [0x1f, 0x8b] => Some(Refusal::Compressed),
            // Its marks, and the zero beside the `<` that comes first without one.
            [0xfe, 0xff] | [0xff, 0xfe] | [0, _] | [_, 0] => {
                Some(Refusal::Encoding("UTF-16".into()))
            }
            _ => None,
        }
    }

    /// The encoding that a feed's declaration names.
    pub(super) fn declared(declaration: &[u8]) -> Result<Self, Refusal> {
        let head = String::from_utf8_lossy(declaration);
        let named = head.split_once("encoding").and_then(|(_, rest)| {
            let rest = rest.trim_start().strip_prefix('=')?.trim_start();
            let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
            rest.split(quote).nth(1)
        });
        let Some(named) = named else { return Ok(Self::Utf8) };
        match named.to_ascii_lowercase().as_str() {
            "utf-8" | "utf8" | "us-ascii" => Ok(Self::Utf8),
            "windows-1251" | "cp1251" | "cp-1251" | "win-1251" => Ok(Self::Windows1251),
            _ => Err(Refusal::Encoding(named.chars().take(40).collect())),
        }
    }

    /// The text that the bytes of one product stand for.
    pub(super) fn read(self, bytes: &[u8]) -> Result<Cow<'_, str>, Broken> {
        match self {
            Self::Utf8 => {
                // Twice as fast as what mends it, and mostly enough.
                if let Ok(text) = str::from_utf8(bytes) {
                    return Ok(Cow::Borrowed(text));
                }
                let text = String::from_utf8_lossy(bytes);
                let mended = text.matches(char::REPLACEMENT_CHARACTER).count();
                if mended > MAX_MENDED { Err(Broken::Encoding) } else { Ok(text) }
            }
            Self::Windows1251 => Ok(bytes.iter().map(|byte| letter(*byte)).collect()),
        }
    }
}

fn letter(byte: u8) -> char {
    match byte {
        0..0x80 => char::from(byte),
        0x80..0xc0 => WINDOWS_1251.get(usize::from(byte - 0x80)).copied().unwrap_or(' '),
        0xc0.. => char::from_u32(u32::from('А') + u32::from(byte - 0xc0)).unwrap_or(' '),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_declaration_names_the_encoding() {
        for (head, encoding) in [
            ("", Encoding::Utf8),
            ("xml version=\"1.0\"?>", Encoding::Utf8),
            ("xml version='1.0' encoding = 'Windows-1251' ?>", Encoding::Windows1251),
            ("xml version=\"1.0\" encoding=\"utf-8\" standalone=\"yes\"?>", Encoding::Utf8),
        ] {
            assert_eq!(Encoding::declared(head.as_bytes()), Ok(encoding), "{head}");
        }
        let koi = Encoding::declared(b"xml encoding=\"KOI8-U\"?>");
        assert_eq!(koi, Err(Refusal::Encoding("KOI8-U".into())));
    }

    #[test]
    fn windows_1251_has_every_letter_of_ukrainian() {
        let text = Encoding::Windows1251
            .read(b"\xcf\xf0\xe8\xe2\xb3\xf2 \xbf\xbe\xba\xb4 \xaf\xb9\xffA\xd2");
        assert_eq!(text.unwrap(), "Привіт їѕєґ Ї№яAТ");
    }

    #[test]
    fn one_letter_cut_in_half_is_mended_and_text_in_another_encoding_is_not() {
        let mended = Encoding::Utf8.read("Наме".as_bytes().split_last().unwrap().1);
        assert_eq!(mended.unwrap(), "Нам\u{fffd}");
        assert_eq!(
            Encoding::Utf8.read(b"\xcd\xe0\xec\xe5\xf2 \xe4\xe2\xee\xec\xb3\xf1\xed\xe8\xe9"),
            Err(Broken::Encoding)
        );
    }
}
