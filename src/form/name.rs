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
    let mut is_apart = false;
    for character in typed::trim(typed).chars() {
        if typed::is_blank(character) {
            is_apart = true;
            continue;
        }
        if is_apart {
            name.push(' ');
        }
        is_apart = false;
        name.push(character);
    }
    if typed::count(&name) > MAX_CHARACTERS {
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
    if digits > 3 || !(name.is_empty() || name.chars().any(is_letter)) {
        return false;
    }
    let (mut long, mut short) = (0, 0);
    for word in name.split(typed::is_blank).filter(|word| !word.is_empty()) {
        let bare = word.strip_suffix('.').unwrap_or(word);
        let letters = typed::count(bare);
        let inside = |c: char| matches!(c, '\'' | '\u{2019}' | '\u{2bc}' | '`' | '-');
        let known = |c: char| is_letter(c) || inside(c) || typed::digit(c).is_some();
        let ends = [bare.chars().next(), bare.chars().next_back()];
        if !bare.chars().all(known)
            || ends.into_iter().flatten().any(inside)
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

/// Whether a character is a letter of some script, or a mark that belongs to one.
///
/// What is neither is told here, in the blocks that signs and symbols have to themselves: the standard
/// library's table of letters is ten times as large, and knows nothing of marks.
fn is_letter(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphabetic();
    }
    let is_sign = matches!(c,
        // Latin's own, and those of Armenian, Arabic and the scripts of India.
        '\u{80}'..='\u{a9}' | '\u{ab}'..='\u{b4}' | '\u{b6}'..='\u{b9}' | '\u{bb}'..='\u{bf}'
        | '\u{d7}' | '\u{f7}' | '\u{589}'..='\u{58f}' | '\u{600}'..='\u{60f}'
        | '\u{61b}'..='\u{61f}' | '\u{66a}'..='\u{66d}' | '\u{6d4}' | '\u{964}' | '\u{965}'
        // Punctuation but for the joiners, currencies, arrows, shapes.
        | '\u{2000}'..='\u{200b}' | '\u{200e}'..='\u{2bff}' | '\u{2e00}'..='\u{2e7f}'
        | '\u{3000}'..='\u{3004}' | '\u{3008}'..='\u{3020}' | '\u{3030}'
        // For private use, variants, forms of punctuation, full-width ones.
        | '\u{e000}'..='\u{f8ff}' | '\u{fe00}'..='\u{fe1f}' | '\u{fe30}'..='\u{fe6f}'
        | '\u{feff}'..='\u{ff20}' | '\u{ff3b}'..='\u{ff40}' | '\u{ff5b}'..='\u{ff65}'
        | '\u{ffe0}'..='\u{ffff}'
        // Pictures, tags.
        | '\u{1f000}'..='\u{1faff}' | '\u{e0000}'..
    );
    !is_sign && typed::digit(c).is_none()
}
