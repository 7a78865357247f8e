//! Who may do what: keys, their rights, and tokens for events.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use hyper::StatusCode;
use hyper::header::{AUTHORIZATION, HeaderMap};

use crate::api::{Failure, Operation};
use crate::rest::uuid;
use crate::settings::Settings;

/// The operations that a token is good for.
const OF_TOKENS: [&str; 3] = ["registerEvent", "sendHistoryEvents", "removeHistoryEvents"];

/// Operations that any key may call, since they only tell that it works.
const OF_ALL: [&str; 2] = ["getVersionV1", "getVersionV2"];

/// Tokens and when they end. They do not outlive the process.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    /// For events.
    events: Mutex<HashMap<String, u64>>,
    /// Of contacts, each good for one call, with whose it is.
    contacts: Mutex<HashMap<String, (String, u64)>>,
}

impl Tokens {
    pub(crate) fn add(&self, token: String, until: u64) {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).insert(token, until);
    }

    /// A new token of a contact.
    pub(crate) fn add_of_contact(&self, whose: String, until: u64) -> String {
        let token = uuid();
        let mut tokens = self.contacts.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.insert(token.clone(), (whose, until));
        token
    }

    /// Whose token this is, if it is good; it never is again.
    pub(crate) fn spend(&self, token: &str, now: u64) -> Option<String> {
        let mut tokens = self.contacts.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.remove(token).filter(|(_, until)| now < *until).map(|(whose, _)| whose)
    }

    fn is_good(&self, token: &str, now: u64) -> bool {
        let tokens = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.get(token).is_some_and(|until| now < *until)
    }

    pub(crate) fn clear(&self) {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.contacts.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// What a request proved about its sender, and never the proof itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sender {
    /// No key at all.
    Nobody,
    /// A key or token that is not known, or no longer.
    Wrong,
    /// The key at this place of the settings.
    Key(usize),
    /// A good token.
    Token,
}

impl Sender {
    pub(super) fn of(headers: &HeaderMap, settings: &Settings, tokens: &Tokens, now: u64) -> Self {
        let Some(value) = headers.get(AUTHORIZATION) else { return Self::Nobody };
        let Some((scheme, proof)) = value.to_str().ok().and_then(|text| text.split_once(' '))
        else {
            return Self::Wrong;
        };
        let proof = proof.trim();
        if scheme.eq_ignore_ascii_case("bearer") {
            return if tokens.is_good(proof, now) { Self::Token } else { Self::Wrong };
        }
        if !scheme.eq_ignore_ascii_case("basic") {
            return Self::Wrong;
        }
        // Any user name will do, also none; only the password counts.
        let pair = decode(proof).and_then(|bytes| String::from_utf8(bytes).ok());
        let place = pair
            .as_deref()
            .and_then(|pair| pair.split_once(':'))
            .and_then(|(_, key)| settings.api_keys.iter().position(|known| known.text() == key));
        place.map_or(Self::Wrong, Self::Key)
    }

    /// Its name in a record.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Nobody => "none",
            Self::Wrong => "wrong",
            Self::Key(_) => "right",
            Self::Token => "token",
        }
    }

    pub(super) fn key(self) -> Option<u64> {
        match self {
            Self::Key(place) => u64::try_from(place).ok(),
            _ => None,
        }
    }

    /// Whether it may call the operation.
    ///
    /// # Errors
    ///
    /// 401 without a good key, 403 with one that is not for this.
    pub(super) fn check(self, operation: &Operation, settings: &Settings) -> Result<(), Failure> {
        let unauthorized =
            |message: &str| Err(Failure::whole(StatusCode::UNAUTHORIZED, "key", message));
        let forbidden =
            |message: String| Err(Failure::whole(StatusCode::FORBIDDEN, "right", message));
        let key = match self {
            Self::Nobody => return unauthorized("Full authentication is required"),
            Self::Wrong => return unauthorized("Bad credentials"),
            Self::Token if OF_TOKENS.contains(&operation.id.as_str()) => return Ok(()),
            Self::Token => return unauthorized("a token is for events only"),
            Self::Key(place) => &settings.api_keys[place],
        };
        let limited = !key.groups().is_empty();
        match &operation.group {
            _ if !limited || OF_ALL.contains(&operation.id.as_str()) => Ok(()),
            Some(group) if key.groups().contains(group) => Ok(()),
            Some(group) => forbidden(format!("the key has no right to {group}")),
            None => forbidden("only a key for everything may do this".to_owned()),
        }
    }
}

/// Base64 with its usual alphabet; the padding may be missing.
fn decode(text: &str) -> Option<Vec<u8>> {
    let text = text.trim_end_matches('=');
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    let (mut bits, mut count) = (0_u32, 0);
    for letter in text.bytes() {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).ok()?);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_decoded() {
        assert_eq!(
            decode("QWxhZGRpbjpvcGVuIHNlc2FtZQ==").as_deref(),
            Some(&b"Aladdin:open sesame"[..])
        );
        assert_eq!(decode("OmtleQ").as_deref(), Some(&b":key"[..]));
        assert_eq!(decode("a b"), None);
    }
}
