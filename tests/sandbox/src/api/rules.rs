//! Rules of the contract's prose that several operations share.

use super::Failure;

/// In keys of events and in the names of forms.
const FORBIDDEN: [char; 14] =
    ['<', '>', ';', '\u{2019}', '\\', '/', '|', '"', '`', '\'', '^', '?', '!', ','];

/// The longest first or last name.
const NAME: usize = 40;

/// Refuses a key with a character that the platform does not take in keys.
pub(crate) fn key(field: &str, text: &str) -> Result<(), Failure> {
    if text.trim().is_empty() {
        return Err(Failure::field(field, "the text is empty"));
    }
    match text.chars().find(|letter| FORBIDDEN.contains(letter)) {
        Some(letter) => Err(Failure::field(field, format!("the character {letter} is forbidden"))),
        None => Ok(()),
    }
}

/// Whether a mail could reach this address, as far as its form tells.
pub(crate) fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let is_part = |part: &str| !part.is_empty() && !part.starts_with('-') && !part.ends_with('-');
    !local.is_empty()
        && !local.contains('@')
        && domain.contains('.')
        && domain.split('.').all(is_part)
        && !text.contains(|letter: char| letter.is_whitespace() || "<>,;\"".contains(letter))
}

/// Whether this is a number in international form: 7 to 15 digits, perhaps after a plus.
pub(crate) fn is_phone(text: &str) -> bool {
    let rest = text.trim().strip_prefix('+').unwrap_or(text.trim());
    let digits = rest.bytes().filter(u8::is_ascii_digit).count();
    let only = rest.chars().all(|letter| letter.is_ascii_digit() || " -()".contains(letter));
    only && (7..=15).contains(&digits)
}

/// The form in which two writings of a channel are the same.
pub(crate) fn normal(kind: &str, value: &str) -> String {
    match kind {
        "email" => value.trim().to_lowercase(),
        "sms" | "viber" => value.chars().filter(char::is_ascii_digit).collect(),
        _ => value.trim().to_owned(),
    }
}

/// Whether a first name would be stored.
pub(crate) fn is_first_name(text: &str) -> bool {
    let words: Vec<&str> = text.split_whitespace().collect();
    let long = words.iter().filter(|word| letters(word) > 3).count();
    is_last_name(text) && long <= 3 && words.len() - long <= 3
}

/// Whether a last name would be stored: the rule of a first name without its count of words.
pub(crate) fn is_last_name(text: &str) -> bool {
    let text = text.trim();
    text.chars().count() <= NAME
        && text.chars().any(char::is_alphabetic)
        && text.chars().filter(char::is_ascii_digit).count() <= 3
        && text.split_whitespace().all(is_word)
}

fn letters(word: &str) -> usize {
    word.chars().filter(|letter| letter.is_alphanumeric()).count()
}

/// Apostrophes and hyphens inside of it only, a dot only behind up to three letters.
fn is_word(word: &str) -> bool {
    let word = match word.strip_suffix('.') {
        Some(short) if letters(short) <= 3 => short,
        Some(_) => return false,
        None => word,
    };
    let is_mark = |letter: char| "'\u{2019}\u{02bc}-".contains(letter);
    // Marks of the scripts that write them behind their letters.
    let is_letter =
        |letter: char| letter.is_alphanumeric() || !letter.is_ascii() && !letter.is_whitespace();
    !word.is_empty()
        && !word.starts_with(is_mark)
        && !word.ends_with(is_mark)
        && word.chars().all(|letter| is_letter(letter) || is_mark(letter))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_rules() {
        for right in ["John", "Анна-Марія", "O'Neil", "Jr. Smith", "Ann 2", "van der Berg"]
        {
            assert!(is_first_name(right), "{right}");
        }
        let long = "a".repeat(41);
        for wrong in ["...", "", " ", "12345", "A1234", "-Ann", "Smith.", "a@b", long.as_str()] {
            assert!(!is_first_name(wrong), "{wrong}");
            assert!(!is_last_name(wrong), "{wrong}");
        }
        assert!(!is_first_name("Anna Maria Louisa Helena"));
        assert!(is_last_name("Anna Maria Louisa Helena"));
    }

    #[test]
    fn addresses_have_their_form() {
        assert!(is_email("john.contact@gmail.com"));
        for wrong in ["x", "x@y", "@a.com", "a b@c.com", "a@@b.com", "a@b..com", "A <a@b.com>"] {
            assert!(!is_email(wrong), "{wrong}");
        }
        assert!(is_phone("+1 (234) 567-890") && is_phone("380942583691"));
        assert!(!is_phone("12345") && !is_phone("phone") && !is_phone("+38094258369112345"));
    }

    #[test]
    fn keys_have_no_forbidden_characters() {
        assert!(key("eventTypeKey", "abandoned_cart").is_ok());
        let failure = key("eventTypeKey", "a,b").unwrap_err();
        assert_eq!(failure.text(), "eventTypeKey: the character , is forbidden");
        assert!(key("keyValue", "  ").is_err());
    }
}
