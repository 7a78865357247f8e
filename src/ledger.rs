//! The ledger of the outboxes: what became of the events of each hour.
//!
//! # Guarantees
//!
//! - An event counts in the hour in which it was received, whenever something becomes of it.
//! - Of each hour, what was accepted was delivered, waits, is dead or was erased, and nothing of it is two of
//!   these: [`Hour::balance`] is 0. Hosts write each count together with what it counts, and find out what
//!   waits from the events themselves; so a balance that is not 0 shows that one was lost or made up.

mod alarm;
mod page;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use self::{
    alarm::{Alarm, Limits, State, judge},
    page::{Held, Page, Site, render},
};
use crate::{
    api::time::DateTime,
    retry::{Fate, fate},
    value::{Members, Value},
};

/// The length of an hour, in milliseconds.
pub const HOUR: u64 = 60 * 60 * 1000;

/// How long hours are kept, in milliseconds: a little longer than what is dead.
pub const KEPT_FOR: u64 = 32 * 24 * HOUR;

/// The hour of a time, counted from the start of Unix time.
#[must_use]
pub fn hour_of(time: u64) -> u64 {
    time / HOUR
}

/// Counts of an hour; as a change of them, what is added, which may be less than nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::exhaustive_structs, reason = "hosts count each of them")]
pub struct Hour {
    /// Events that were taken.
    #[serde(skip_serializing_if = "is_zero")]
    pub accepted: i64,
    /// Of those, the ones that the platform has, and the ones of which it is told nothing.
    #[serde(skip_serializing_if = "is_zero")]
    pub delivered: i64,
    /// The ones that wait.
    #[serde(skip_serializing_if = "is_zero")]
    pub pending: i64,
    /// The ones that the platform will not take, by reason.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub dead: BTreeMap<String, i64>,
    /// The ones that were erased before the platform had them.
    #[serde(skip_serializing_if = "is_zero")]
    pub erased: i64,
    /// Events that were known already, and are not among those that were accepted.
    #[serde(skip_serializing_if = "is_zero")]
    pub duplicate: i64,
    /// Events that were not taken, by reason.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub refused: BTreeMap<String, i64>,
}

fn is_zero<T: Default + PartialEq>(count: &T) -> bool {
    *count == T::default()
}

impl Hour {
    /// Adds other counts.
    pub fn add(&mut self, more: &Self) {
        self.accepted += more.accepted;
        self.delivered += more.delivered;
        self.pending += more.pending;
        self.erased += more.erased;
        self.duplicate += more.duplicate;
        for (own, more) in [(&mut self.dead, &more.dead), (&mut self.refused, &more.refused)] {
            for (reason, count) in more {
                *own.entry(reason.clone()).or_default() += count;
            }
            own.retain(|_, count| *count != 0);
        }
    }

    /// Counts events that the platform will not take, or with less than nothing, of which that holds no
    /// longer.
    pub fn add_dead(&mut self, reason: &str, count: i64) {
        *self.dead.entry(reason.to_owned()).or_default() += count;
    }

    /// All that are dead.
    #[must_use]
    pub fn dead(&self) -> i64 {
        self.dead.values().sum()
    }

    /// All that were refused.
    #[must_use]
    pub fn refused(&self) -> i64 {
        self.refused.values().sum()
    }

    /// What was accepted and is nowhere; less than nothing if more has become of it.
    #[must_use]
    pub fn balance(&self) -> i64 {
        self.accepted - self.delivered - self.pending - self.dead() - self.erased
    }

    /// Whether there is nothing to count.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The hour at `at`, as JSON.
    fn to_value(&self, at: u64) -> Value {
        let mut members = vec![("hour".to_owned(), Value::Text(text_of(at * HOUR)))];
        members.extend(self.members());
        Value::Object(members)
    }

    fn members(&self) -> Members {
        let reasons = |reasons: &BTreeMap<String, i64>| {
            let members = reasons.iter().map(|(reason, count)| (reason.clone(), whole(*count)));
            Value::Object(members.collect())
        };
        let count = |name: &str, count| (name.to_owned(), whole(count));
        vec![
            count("accepted", self.accepted),
            count("delivered", self.delivered),
            count("pending", self.pending),
            count("dead", self.dead()),
            count("erased", self.erased),
            count("balance", self.balance()),
            count("duplicate", self.duplicate),
            count("refused", self.refused()),
            ("dead_by_reason".into(), reasons(&self.dead)),
            ("refused_by_reason".into(), reasons(&self.refused)),
        ]
    }
}

fn whole(count: i64) -> Value {
    Value::Number(count.to_string())
}

/// Why the platform will not take an event, by a stable name: `http_400`, or `expired` where it was tried
/// until it was too old.
#[must_use]
pub fn reason_of(status: Option<u16>) -> String {
    match status.filter(|status| fate(Some(*status)) == Fate::Final) {
        Some(status) => format!("http_{status}"),
        None => "expired".into(),
    }
}

/// What an outbox, or several of them, tell.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::exhaustive_structs, reason = "hosts fill it")]
pub struct Sheet {
    /// The hours in which something was received.
    pub hours: BTreeMap<u64, Hour>,
    /// When the oldest of the events that wait was received, Unix time in milliseconds.
    pub oldest: Option<u64>,
    /// Until when nothing is sent, since the platform is down or asked for it, Unix time in milliseconds.
    pub closed_until: Option<u64>,
}

impl Sheet {
    /// Adds what another outbox tells.
    pub fn add(&mut self, more: &Self) {
        for (hour, counts) in &more.hours {
            self.hours.entry(*hour).or_default().add(counts);
        }
        self.oldest = self.oldest.into_iter().chain(more.oldest).min();
        self.closed_until = self.closed_until.into_iter().chain(more.closed_until).max();
    }

    /// All hours together.
    #[must_use]
    pub fn total(&self) -> Hour {
        let mut total = Hour::default();
        self.hours.values().for_each(|hour| total.add(hour));
        total
    }

    /// The hours of which something is nowhere, or too much has become.
    pub fn unbalanced(&self) -> impl Iterator<Item = (u64, &Hour)> {
        self.hours.iter().filter(|(_, hour)| hour.balance() != 0).map(|(at, hour)| (*at, hour))
    }

    /// As JSON, for machines: the newest hour first.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let time = |time: Option<u64>| time.map_or(Value::Null, |time| Value::Text(text_of(time)));
        let hours = self.hours.iter().rev().map(|(at, hour)| hour.to_value(*at));
        Value::Object(vec![
            ("total".into(), Value::Object(self.total().members())),
            ("oldest".into(), time(self.oldest)),
            ("closed_until".into(), time(self.closed_until)),
            ("hours".into(), Value::List(hours.collect())),
        ])
    }
}

/// A time as people and machines read it.
fn text_of(time: u64) -> String {
    let millis = i64::try_from(time).unwrap_or(i64::MAX);
    DateTime::from_millis(millis).as_str().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_replayed_or_erased_is_dead_no_longer() {
        let mut hour = Hour { accepted: 3, delivered: 1, ..Hour::default() };
        hour.add_dead("http_400", 2);
        assert_eq!(hour.balance(), 0);
        let mut replayed = Hour::default();
        replayed.add_dead("http_400", -1);
        hour.add(&replayed);
        assert_eq!((hour.dead(), hour.balance()), (1, 1));
        hour.add(&Hour { pending: 1, ..Hour::default() });
        assert_eq!(hour.balance(), 0);
        let mut erased = Hour { erased: 1, ..Hour::default() };
        erased.add_dead("http_400", -1);
        hour.add(&erased);
        assert!(hour.dead.is_empty());
        assert_eq!((hour.erased, hour.balance()), (1, 0));
    }

    #[test]
    fn what_becomes_dead_has_a_name_that_stays() {
        let reasons = [Some(400), Some(422), Some(503), Some(429), None].map(reason_of);
        assert_eq!(reasons, ["http_400", "http_422", "expired", "expired", "expired"]);
    }

    #[test]
    fn outboxes_are_summed_hour_by_hour() {
        let sheet = |hour, oldest| Sheet {
            hours: [(hour, Hour { accepted: 1, pending: 1, ..Hour::default() })].into(),
            oldest,
            closed_until: None,
        };
        let mut sum = sheet(7, Some(70));
        sum.add(&sheet(7, Some(50)));
        sum.add(&sheet(8, None));
        assert_eq!((sum.hours[&7].accepted, sum.hours[&8].accepted), (2, 1));
        assert_eq!((sum.oldest, sum.total().pending), (Some(50), 3));
        assert_eq!(sum.unbalanced().count(), 0);
    }
}
