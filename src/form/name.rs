//! Names of people, by the platform's rules.

use super::typed;

/// Most characters of a name.
pub const MAX_CHARACTERS: usize = 40;

/// Why text is no name that the platform stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NameError {
    /// It has more than [`MAX_CHARACTERS`].
    TooLong,
    /// The platform would leave it out.
    Malformed,
}

/// Takes a name, without the blanks around it and with single ones inside. Of first names the
/// platform counts the words too.
///
/// # Errors
///
/// Why it is none.
pub fn parse(typed: &str, is_first: bool) -> Result<String, NameError> {
    let mut name = String::new();
    for word in typed::trim(typed).split_whitespace() {
        if !name.is_empty() {
            name.push(' ');
        }
        name.push_str(word);
    }
    if name.chars().count() > MAX_CHARACTERS {
        return Err(NameError::TooLong);
    }
    if name.is_empty() || !is_stored(&name, is_first) {
        return Err(NameError::Malformed);
    }
    Ok(name)
}

/// Whether the platform stores a name: letters of any script, at most three digits, apostrophes and
/// hyphens inside words only, a dot only behind a short word; of a first name at most three words of
/// more than three letters, and three shorter ones.
#[must_use]
pub fn is_stored(name: &str, is_first: bool) -> bool {
    let digits = name.chars().filter(char::is_ascii_digit).count();
    if digits > 3 || !(name.is_empty() || name.chars().any(char::is_alphabetic)) {
        return false;
    }
    let (mut long, mut short) = (0, 0);
    for word in name.split_whitespace() {
        let bare = word.strip_suffix('.').unwrap_or(word);
        let letters = bare.chars().count();
        let inside = |c: char| matches!(c, '\'' | '\u{2019}' | '\u{2bc}' | '`' | '-');
        let known = |c: char| c.is_alphanumeric() || is_mark(c) || inside(c);
        if !bare.chars().all(known)
            || bare.starts_with(inside)
            || bare.ends_with(inside)
            || (bare.len() < word.len() && letters > 3)
        {
            return false;
        }
        if letters > 3 {
            long += 1;
        } else {
            short += 1;
        }
    }
    !is_first || (long <= 3 && short <= 3)
}

/// Marks that join letters in some scripts: combining accents, vowel signs, joiners.
fn is_mark(c: char) -> bool {
    // The scripts of India have a block of 128 signs each, and their marks in the same places of it.
    let of_india = matches!(c, '\u{900}'..='\u{d7f}') && matches!(u32::from(c) & 0x7f, 0x3a..=0x4f);
    of_india
        || matches!(c, '\u{300}'..='\u{36f}' | '\u{591}'..='\u{5c7}' | '\u{610}'..='\u{65f}'
            | '\u{e31}'..='\u{e4e}' | '\u{eb1}'..='\u{ecd}' | '\u{1036}'..='\u{103e}'
            | '\u{17b4}'..='\u{17d3}' | '\u{200c}' | '\u{200d}')
}
