//! The way of events that their object did not take: through a queue or a bucket, and back.
//!
//! A parcel holds the very text that the object would have got. Parcels that wait in the bucket, and
//! those that nobody can read, lie under keys that sort by time.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::wire::TIME_TO_LIVE;

/// The version of parcels that this build writes.
pub const VERSION: u64 = 1;

/// Longest text of a queue's message, in bytes: 128 kB hold the platform's own words too.
pub const MAX_MESSAGE: usize = 127_000;

/// Where parcels lie in the bucket that are to be brought back.
pub const WAITING: &str = "waiting/";

/// Where those lie that nobody can read, or takes.
pub const DEAD: &str = "dead/";

/// How long a parcel waits for its object, in milliseconds: as long as records wait on a page.
pub const WAITS_FOR: u64 = TIME_TO_LIVE;

/// How long a dead one is kept, in milliseconds: as long as what the platform refused.
pub const DEAD_FOR: u64 = 30 * 24 * 60 * 60 * 1000;

/// How long the objects know message ids, in milliseconds. A parcel that is older may have been stored
/// long ago, and nobody could tell.
pub const KNOWN_FOR: u64 = 14 * 24 * 60 * 60 * 1000;

/// The longest pause between two deliveries of a message, in seconds.
const MAX_DELAY: u32 = 3600;

/// What an object would have got, and which one.
#[derive(Debug, Serialize, Deserialize)]
pub struct Parcel {
    v: u64,
    object: String,
    what: What,
    body: Box<RawValue>,
}

/// What a parcel brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum What {
    /// A batch of a page.
    Records,
    /// An event of the shop's server.
    Event,
}

/// Why a text is no parcel that can be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unreadable {
    /// It is of a newer version, which may come back: nothing is wrong with it.
    Newer,
    /// It never was one.
    Wrong,
}

impl Unreadable {
    /// In words, for whoever looks after the deployment. They say nothing of the content.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Self::Newer => "of a newer version than the Worker that found it",
            Self::Wrong => "cannot be read",
        }
    }
}

impl Parcel {
    /// A parcel for `object`; nothing if `body` is no JSON.
    #[must_use]
    pub fn new(object: &str, what: What, body: String) -> Option<Self> {
        let body = RawValue::from_string(body).ok()?;
        Some(Self { v: VERSION, object: object.to_owned(), what, body })
    }

    /// Reads one.
    ///
    /// # Errors
    ///
    /// Why it cannot be read.
    pub fn parse(text: &str) -> Result<Self, Unreadable> {
        #[derive(Deserialize)]
        struct Versioned {
            v: u64,
        }
        match serde_json::from_str::<Versioned>(text) {
            Ok(Versioned { v }) if v > VERSION => Err(Unreadable::Newer),
            Ok(Versioned { v: 1.. }) => serde_json::from_str(text).map_err(|_| Unreadable::Wrong),
            _ => Err(Unreadable::Wrong),
        }
    }

    /// As it goes to a queue or a bucket: its body is in it byte for byte.
    #[must_use]
    pub fn to_text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The object that did not take it.
    #[must_use]
    pub fn object(&self) -> &str {
        &self.object
    }

    /// What it brings.
    #[must_use]
    pub fn what(&self) -> What {
        self.what
    }

    /// What the object would have got.
    #[must_use]
    pub fn body(&self) -> &str {
        self.body.get()
    }
}

/// Whether a queue takes this text.
#[must_use]
pub fn fits_message(text: &str) -> bool {
    text.len() <= MAX_MESSAGE
}

/// How long a message waits that was delivered so often, in seconds. Twenty times are half a day: a queue
/// of the free plan keeps a message for one.
#[must_use]
pub fn delay(attempts: u32) -> u32 {
    10_u32.checked_shl(attempts.saturating_sub(1)).map_or(MAX_DELAY, |delay| delay.min(MAX_DELAY))
}

/// The key of a parcel at `place`, which is [`WAITING`] or [`DEAD`]. `end` tells those of one moment apart.
#[must_use]
pub fn key(place: &str, at: u64, object: &str, end: &str) -> String {
    let object = if object.is_empty() { "-" } else { object };
    format!("{place}{at:013}/{object}/{end}")
}

/// When a parcel of this key was put there, Unix time in milliseconds; 0 for a key that is none.
#[must_use]
pub fn key_time(key: &str) -> u64 {
    key.split('/').nth(1).and_then(|time| time.parse().ok()).unwrap_or(0)
}

/// The key that a parcel has at another place.
#[must_use]
pub fn moved(key: &str, place: &str) -> String {
    [place, key.split_once('/').map_or(key, |(_, rest)| rest)].concat()
}

/// The object that a key names.
#[must_use]
pub fn key_object(key: &str) -> &str {
    let behind = key.splitn(3, '/').nth(2).unwrap_or_default();
    behind.rsplit_once('/').map_or("", |(object, _)| object)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parcel_brings_its_body_byte_for_byte() {
        let body = "{\"records\":[{\"price\":\"1.50\",\"n\":1.10e2,\"s\":\"\\u00e9 \\ud83d\"}],  \"big\":12345678901234567890}";
        let parcel = Parcel::new("main/g1/0", What::Records, body.to_owned()).unwrap();
        let text = parcel.to_text();
        let found = Parcel::parse(&text).unwrap();
        assert_eq!(
            (found.body(), found.object(), found.what()),
            (body, "main/g1/0", What::Records)
        );
        assert!(text.contains(body));
        assert!(Parcel::new("main/g1/0", What::Records, "{".to_owned()).is_none());
    }

    #[test]
    fn a_parcel_of_version_1_is_read_for_ever() {
        let text = r#"{"v":1,"object":"main/g1/0","what":"event","body":{"site":"main"}}"#;
        let parcel = Parcel::parse(text).unwrap();
        assert_eq!((parcel.what(), parcel.body()), (What::Event, r#"{"site":"main"}"#));
        assert_eq!(parcel.to_text(), text);
    }

    #[test]
    fn what_is_newer_is_told_from_what_is_wrong() {
        let newer = r#"{"v":2,"sealed":"…"}"#;
        assert_eq!(Parcel::parse(newer).unwrap_err(), Unreadable::Newer);
        for wrong in [
            "",
            "null",
            "{}",
            "{\"v\":0}",
            "{\"v\":1}",
            r#"{"v":1,"object":"a","what":"else","body":{}}"#,
        ] {
            assert_eq!(Parcel::parse(wrong).unwrap_err(), Unreadable::Wrong, "{wrong}");
        }
    }

    #[test]
    fn keys_sort_by_time_and_name_their_object() {
        let early = key(WAITING, 999, "main/g1/0", "ff");
        let late = key(WAITING, 1_764_200_000_000, "main/g1/0", "00");
        assert!(early < late);
        assert_eq!(late, "waiting/1764200000000/main/g1/0/00");
        assert_eq!((key_time(&late), key_object(&late)), (1_764_200_000_000, "main/g1/0"));
        assert_eq!(moved(&late, DEAD), "dead/1764200000000/main/g1/0/00");
        let nobody = key(DEAD, 5, "", "00");
        assert_eq!((key_time(&nobody), key_object(&nobody)), (5, "-"));
        assert_eq!((key_time("else"), key_object("else")), (0, ""));
    }

    #[test]
    fn twenty_deliveries_end_before_a_queue_of_the_free_plan_forgets() {
        assert_eq!([1, 2, 3, 20, 99].map(delay), [10, 20, 40, 3600, 3600]);
        assert_eq!(delay(0), 10);
        let all: u32 = (1..=20).map(delay).sum();
        assert!((8 * 3600..20 * 3600).contains(&all), "{all}");
    }

    #[test]
    fn a_text_is_measured_in_bytes() {
        assert!(fits_message(&"a".repeat(MAX_MESSAGE)));
        assert!(!fits_message(&"é".repeat(MAX_MESSAGE / 2 + 1)));
    }
}
