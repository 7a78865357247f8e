//! What can go wrong with a call, and whether and when to try again.

use std::fmt;

use super::{Repeat, Reply, shape::Reader};
use crate::{
    api::answer::find_json,
    retry,
    value::{Value, is_blank},
};

/// Longest text of the platform that an error keeps, in characters.
const MAX_TEXT: usize = 2000;

/// A call that did not do what it was made for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Error {
    /// What it is.
    pub kind: Kind,
    /// The platform's status; `None` if it did not answer.
    pub status: Option<u16>,
    /// The platform's words.
    pub text: String,
    /// In how many milliseconds the same call may go better; `None` if it never will, or if nobody
    /// knows whether it was done and doing it twice does harm.
    pub repeat_after: Option<u64>,
}

/// What went wrong. Branch on this, never on the platform's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// The key is missing, wrong, switched off, or unused for 90 days. All calls will fail.
    Unauthorized,
    /// The key has no right to this operation.
    Forbidden,
    /// There is no such thing at the platform.
    NotFound,
    /// The same call was made within the last minute, and was done then.
    AlreadyDone,
    /// More calls than the platform takes.
    RateLimited,
    /// A period that is longer than the platform answers for.
    PeriodTooLong,
    /// The platform does not take what was sent.
    Refused,
    /// The answer points elsewhere. It is not followed: the key would go along.
    Redirected,
    /// The platform failed.
    Failed,
    /// No answer: no connection, or none in time.
    Unreachable,
    /// A success whose body is not what the operation answers.
    Unreadable,
}

impl Kind {
    /// The stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::AlreadyDone => "already_done",
            Self::RateLimited => "rate_limited",
            Self::PeriodTooLong => "period_too_long",
            Self::Refused => "refused",
            Self::Redirected => "redirected",
            Self::Failed => "failed",
            Self::Unreachable => "unreachable",
            Self::Unreadable => "unreadable",
        }
    }
}

impl Error {
    /// The error of an answer whose status is no success.
    pub(super) fn from_reply(reply: &Reply, repeat: Repeat, now: u64) -> Self {
        let text = message(&reply.text);
        let duplicate = text.to_ascii_lowercase().contains("duplicated request");
        let kind = match reply.status {
            // Orders say so in words alone.
            400 | 409 if duplicate => Kind::AlreadyDone,
            409 if repeat == Repeat::Window => Kind::AlreadyDone,
            401 => Kind::Unauthorized,
            403 => Kind::Forbidden,
            404 => Kind::NotFound,
            419 => Kind::PeriodTooLong,
            429 => Kind::RateLimited,
            300..=399 => Kind::Redirected,
            400..=499 if !matches!(reply.status, 408 | 425) => Kind::Refused,
            _ => Kind::Failed,
        };
        let asked = retry::parse_retry_after(reply.retry_after.as_deref(), now);
        let repeat_after = match kind {
            // It was not done, so that doing it later cannot be the second time.
            Kind::RateLimited => Some(asked.unwrap_or(1000)),
            Kind::Failed if repeat.is_safe() || reply.status == 503 && asked.is_some() => {
                Some(retry::pause(0, asked, u32::MAX))
            }
            _ => None,
        };
        Self { kind, status: Some(reply.status), text, repeat_after }
    }

    /// The error of a call that got no answer.
    #[must_use]
    pub fn unreachable(repeat: Repeat) -> Self {
        let repeat_after = repeat.is_safe().then(|| retry::pause(0, None, u32::MAX));
        Self { kind: Kind::Unreachable, status: None, text: String::new(), repeat_after }
    }

    /// The error of a call that was not made, since the platform had no room for it, was failing, or
    /// had refused the key a moment before.
    #[must_use]
    pub fn held(kind: Kind, wait: u64) -> Self {
        Self { kind, status: None, text: String::new(), repeat_after: Some(wait) }
    }

    /// The error of a success whose body is JSON, but not what was asked for; it was only read.
    pub(crate) fn not_read(reply: &Reply) -> Self {
        Self::unreadable(reply, Repeat::Reads)
    }

    pub(super) fn unreadable(reply: &Reply, repeat: Repeat) -> Self {
        let repeat_after = (repeat == Repeat::Reads).then(|| retry::pause(0, None, u32::MAX));
        let text = cut(&reply.text);
        Self { kind: Kind::Unreadable, status: Some(reply.status), text, repeat_after }
    }

    pub(super) fn inside(status: u16, text: String) -> Self {
        Self { kind: Kind::Refused, status: Some(status), text, repeat_after: None }
    }

    /// Whether all that was to be done is done, so that a caller may go on as after a success.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.kind == Kind::AlreadyDone
    }

    /// Whether nobody knows what became of the call: it may have been done.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        let asked = self.status.is_some() || self.kind == Kind::Unreachable;
        asked && matches!(self.kind, Kind::Unreachable | Kind::Failed | Kind::Unreadable)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.as_str())?;
        if let Some(status) = self.status {
            write!(f, " ({status})")?;
        }
        if !self.text.is_empty() {
            write!(f, ": {}", self.text)?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

/// The platform's words in a body: text, or the member of a JSON object that has them.
fn message(text: &str) -> String {
    let value = find_json(text, &mut Reader::answer());
    let named = value.as_ref().and_then(|value| {
        ["message", "error", "errorMessage", "errors", "status"].iter().find_map(|name| {
            let member = value.member(name)?;
            let inner = member.member("message").unwrap_or(member);
            inner.as_text().filter(|text| !is_blank(text))
        })
    });
    match (named, &value) {
        (Some(named), _) => cut(named),
        (None, Some(Value::Text(text))) => cut(text),
        // Text that JSON follows is told as a whole: the JSON is part of what it says.
        _ => cut(text),
    }
}

fn cut(text: &str) -> String {
    text.trim().chars().take(MAX_TEXT).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(status: u16, text: &str, repeat: Repeat) -> Error {
        Error::from_reply(&Reply { status, text: text.into(), ..Reply::default() }, repeat, 0)
    }

    #[test]
    fn the_platforms_words_are_found_in_every_form_seen() {
        for (text, words) in [
            ("no such form ", "no such form"),
            (r#""in a string""#, "in a string"),
            (r#"{"message": "in message"}"#, "in message"),
            (r#"{"status": 400, "error": "in error"}"#, "in error"),
            (r#"{"errors": {"domain": "x", "message": "deeper"}}"#, "deeper"),
            ("params: [\n {\"name\": \"a\"}]", "params: [\n {\"name\": \"a\"}]"),
            ("", ""),
        ] {
            assert_eq!(error(400, text, Repeat::Same).text, words);
        }
        assert_eq!(error(500, &"x".repeat(5000), Repeat::Same).text.len(), MAX_TEXT);
    }

    #[test]
    fn the_same_call_within_a_minute_is_done_already() {
        assert_eq!(error(409, "", Repeat::Window).kind, Kind::AlreadyDone);
        assert_eq!(error(400, "Duplicated request", Repeat::Same).kind, Kind::AlreadyDone);
        assert_eq!(error(409, "", Repeat::Acts).kind, Kind::Refused);
    }

    #[test]
    fn what_may_have_been_done_is_repeated_only_where_that_is_harmless() {
        assert_eq!(error(500, "", Repeat::Same).repeat_after, Some(1000));
        assert_eq!(error(500, "", Repeat::Acts).repeat_after, None);
        assert_eq!(error(429, "", Repeat::Acts).repeat_after, Some(1000));
        assert_eq!(error(401, "", Repeat::Reads).repeat_after, None);
        assert_eq!(Error::unreachable(Repeat::Acts).repeat_after, None);
        assert_eq!(Error::unreachable(Repeat::Window).repeat_after, Some(1000));
    }
}
