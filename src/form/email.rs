//! E-mail addresses: what can be one, what it counts as, and what may have been meant.

mod hint;

pub use self::hint::suggest;

use super::typed;

/// Most bytes of an address, as SMTP takes it.
const MAX_BYTES: usize = 254;

/// Most bytes of what stands before the `@`.
const MAX_LOCAL_BYTES: usize = 64;

/// Most characters of a part of a domain.
const MAX_LABEL: usize = 63;

/// An e-mail address, as it was typed: only the blanks around it are gone.
///
/// Internationalized domains, quoted local parts, plus signs and capitals stay as they are, since what
/// stands before the `@` is the mailbox's own to read.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Email {
    text: String,
    /// Where the `@` is.
    at: usize,
}

impl From<Email> for String {
    fn from(email: Email) -> Self {
        email.text
    }
}

/// Why text is no e-mail address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EmailError {
    /// It cannot be an address.
    Malformed,
    /// Letters that look like Latin ones and are not, where they cannot be meant.
    Letters,
}

impl Email {
    /// Takes what can be an address.
    ///
    /// # Errors
    ///
    /// Why it is none: one address and no list of them, with a domain of two parts or more that is no
    /// number, without blanks, control characters and invisible ones, in no more bytes than SMTP takes.
    pub fn parse(typed: &str) -> Result<Self, EmailError> {
        let text = typed::trim(typed);
        let (local, domain) = typed::cut_last(text, b'@').ok_or(EmailError::Malformed)?;
        let malformed = text.len() > MAX_BYTES
            || local.len() > MAX_LOCAL_BYTES
            || text.chars().any(|c| c.is_control() || typed::is_invisible(c))
            || !(is_atoms(local) || is_quoted(local));
        if malformed {
            return Err(EmailError::Malformed);
        }
        check_domain(domain)?;
        if !local.is_ascii() && hint::is_target(domain) {
            return Err(EmailError::Letters);
        }
        Ok(Self { text: text.to_owned(), at: local.len() })
    }

    /// The address, as it was typed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The mailbox, and the domain behind the `@`.
    #[must_use]
    pub fn parts(&self) -> (&str, &str) {
        let (local, domain) = self.text.split_at_checked(self.at).unwrap_or((&self.text, ""));
        (local, domain.strip_prefix('@').unwrap_or(domain))
    }

    /// What the address counts as where addresses are counted: one mailbox, one key, however it is
    /// written. Never an address to send to.
    ///
    /// Lower case, without quotes; without what stands behind a plus, since so many providers deliver
    /// it to the same person, and where one does not, two people share a limit; of Gmail without dots.
    /// `to_ascii` is asked for domains with other letters than ASCII's: tables of them would weigh more
    /// than all of this, and a host has them.
    pub fn key(&self, to_ascii: impl FnOnce(&str) -> Option<String>) -> String {
        let (local, domain) = self.parts();
        let quoted = local.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        let mut key = quoted.map_or_else(
            || local.to_lowercase(),
            |quoted| {
                let mut key = String::new();
                let mut characters = quoted.chars();
                while let Some(character) = characters.next() {
                    key.extend(if character == '\\' { characters.next() } else { Some(character) });
                }
                key.to_lowercase()
            },
        );
        if let Some(plus) = key.char_indices().find(|(at, c)| *c == '+' && *at > 0) {
            key.truncate(plus.0);
        }
        let mut domain = domain.to_lowercase();
        if !domain.is_ascii() {
            domain = to_ascii(&domain).unwrap_or(domain);
        }
        if matches!(domain.as_str(), "gmail.com" | "googlemail.com") {
            key.retain(|c| c != '.');
            domain = "gmail.com".into();
        }
        key.push('@');
        key.push_str(&domain);
        key
    }
}

/// Whether this is a local part of words with single dots between them.
fn is_atoms(local: &str) -> bool {
    let known = |c: char| {
        matches!(c, '!' | '#'..='\'' | '*' | '+' | '-' | '/' | '=' | '?' | '^'..='`' | '{'..='~')
            || c.is_ascii_alphanumeric()
            || is_other_letter(c)
    };
    typed::parts(local, b'.').all(|word| !word.is_empty() && word.chars().all(known))
}

/// Whether a character can be a letter of another alphabet, as far as matters here.
fn is_other_letter(c: char) -> bool {
    !c.is_ascii() && !typed::is_blank(c)
}

/// Whether this is a local part in quotes, with a backslash before each quote inside.
fn is_quoted(local: &str) -> bool {
    let inside = local.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let Some(inside) = inside.filter(|inside| !inside.is_empty()) else { return false };
    let mut characters = inside.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => return false,
            '\\' if characters.next().is_none() => return false,
            _ => {}
        }
    }
    true
}

fn check_domain(domain: &str) -> Result<(), EmailError> {
    let mut labels = 0;
    let mut last = "";
    for label in typed::parts(domain, b'.') {
        let known = |c: char| c.is_ascii_alphanumeric() || c == '-' || is_other_letter(c);
        let fits = !label.is_empty()
            && typed::count(label) <= MAX_LABEL
            && label.chars().all(known)
            && !label.starts_with('-')
            && !label.ends_with('-');
        if !fits {
            return Err(EmailError::Malformed);
        }
        if is_mixed(label) {
            return Err(EmailError::Letters);
        }
        labels += 1;
        last = label;
    }
    // No top-level domain has a digit but those that stand for other letters; a number is an address
    // of a network.
    let top = last.chars().all(|c| c.is_ascii_alphabetic() || !c.is_ascii())
        || last.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("xn--"));
    if labels < 2 || !top || typed::count(last) < 2 {
        return Err(EmailError::Malformed);
    }
    Ok(())
}

/// Whether Latin letters stand beside Greek, Cyrillic or full-width ones. No registry gives such a name
/// away: it is a slip of the keyboard, or somebody who wants to be taken for another.
fn is_mixed(label: &str) -> bool {
    let wide = label.chars().any(|c| matches!(c, '\u{ff00}'..='\u{ffef}'));
    let other = label.chars().any(|c| matches!(c, '\u{370}'..='\u{52f}'));
    wide || (other && label.chars().any(|c| c.is_ascii_alphabetic()))
}
