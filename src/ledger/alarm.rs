//! When the owner of a deployment is told that something is wrong: once when it begins, and once when it
//! is over.

use serde::{Deserialize, Serialize};

use super::{Hour, Sheet};
use crate::value::{Members, Value};

/// Most hours that one message names.
const MOST_HOURS: usize = 24;

/// A minute, in milliseconds.
const MINUTE: u64 = 60_000;

/// From when on it counts as wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "what the settings say")]
pub struct Limits {
    /// How old an event that waits may be, in minutes.
    pub oldest: u64,
}

/// What the owner has been told of a site, and holds still.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::exhaustive_structs, reason = "hosts keep it")]
pub struct State {
    /// Hours do not balance.
    pub unbalanced: bool,
    /// An event has waited for too long.
    pub late: bool,
}

/// Something to tell, and what the owner knows once they are told.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Alarm {
    /// The message, for the body of a request.
    pub message: Value,
    /// What is known then.
    pub after: State,
}

/// What is to be told of a site whose owner knows `state`, in this order. Each counts as told by itself:
/// where one cannot be, `state` stays what the one before has left, and all else comes again.
#[must_use]
pub fn judge(site: &str, sheet: &Sheet, limits: Limits, state: State, now: u64) -> Vec<Alarm> {
    let mut alarms = Vec::new();
    let mut known = state;
    let unbalanced: Vec<(u64, &Hour)> = sheet.unbalanced().collect();
    if unbalanced.is_empty() == state.unbalanced {
        known.unbalanced = !unbalanced.is_empty();
        let text = match unbalanced.len() {
            0 => format!("{site}: every hour balances again"),
            count => format!("{site}: {count} of the last hours do not balance"),
        };
        let newest = unbalanced.iter().rev().take(MOST_HOURS);
        let hours = newest.map(|(at, hour)| hour.to_value(*at));
        let numbers = vec![("hours".into(), Value::List(hours.collect()))];
        let message = message(site, "unbalanced", known.unbalanced, text, numbers);
        alarms.push(Alarm { message, after: known });
    }
    let minutes = sheet.oldest.map_or(0, |oldest| now.saturating_sub(oldest) / MINUTE);
    let late = minutes >= limits.oldest;
    if late != state.late {
        known.late = late;
        let text = if late {
            format!("{site}: an event has waited for {minutes} minutes")
        } else {
            format!("{site}: no event has waited for {} minutes any more", limits.oldest)
        };
        let pending = sheet.total().pending;
        let count = |name: &str, count: u64| (name.to_owned(), Value::whole(count));
        let numbers = vec![
            count("oldest_minutes", minutes),
            count("limit_minutes", limits.oldest),
            count("pending", u64::try_from(pending).unwrap_or(0)),
        ];
        alarms.push(Alarm { message: message(site, "late", late, text, numbers), after: known });
    }
    alarms
}

/// Who it is about is nobody: numbers, and the names of sites and reasons.
fn message(site: &str, kind: &str, is_raised: bool, text: String, numbers: Members) -> Value {
    let state = if is_raised { "raised" } else { "over" };
    let mut members = vec![
        ("site".to_owned(), Value::text(site)),
        ("kind".to_owned(), Value::text(kind)),
        ("state".to_owned(), Value::text(state)),
        // As services that show messages to people want them.
        ("text".to_owned(), Value::Text(text)),
    ];
    members.extend(numbers);
    Value::Object(members)
}

#[cfg(test)]
mod tests {
    use super::{super::HOUR, *};

    const LIMITS: Limits = Limits { oldest: 30 };
    const NOW: u64 = 500_000 * HOUR;

    fn sheet(balance: i64, waits: u64) -> Sheet {
        let hour = Hour { accepted: 5, delivered: 5 - balance, ..Hour::default() };
        Sheet {
            hours: [(7, hour)].into(),
            oldest: (waits > 0).then(|| NOW - waits * MINUTE),
            closed_until: None,
        }
    }

    fn told(sheet: &Sheet, state: State) -> Vec<(String, State)> {
        let text = |alarm: &Alarm, name: &str| {
            alarm.message.member(name).and_then(Value::as_text).unwrap().to_owned()
        };
        judge("main", sheet, LIMITS, state, NOW)
            .iter()
            .map(|alarm| ([text(alarm, "kind"), text(alarm, "state")].join(" "), alarm.after))
            .collect()
    }

    #[test]
    fn what_is_wrong_is_told_once_and_so_is_its_end() {
        let well = State::default();
        assert_eq!(told(&sheet(0, 29), well), []);
        let late = State { late: true, ..well };
        assert_eq!(told(&sheet(0, 30), well), [("late raised".into(), late)]);
        assert_eq!(told(&sheet(0, 99), late), []);
        assert_eq!(told(&sheet(0, 0), late), [("late over".into(), well)]);
        let unbalanced = State { unbalanced: true, ..well };
        for off in [-1, 1] {
            assert_eq!(told(&sheet(off, 0), well), [("unbalanced raised".into(), unbalanced)]);
            assert_eq!(told(&sheet(off, 0), unbalanced), []);
        }
        assert_eq!(told(&sheet(0, 0), unbalanced), [("unbalanced over".into(), well)]);
    }

    #[test]
    fn of_two_each_counts_as_told_by_itself() {
        let first = State { unbalanced: true, late: false };
        let both = State { unbalanced: true, late: true };
        let alarms = told(&sheet(1, 60), State::default());
        assert_eq!(alarms, [("unbalanced raised".into(), first), ("late raised".into(), both)]);
        assert_eq!(told(&sheet(1, 60), first), [("late raised".into(), both)]);
    }

    #[test]
    fn a_message_has_the_numbers_by_which_to_judge_it() {
        let alarms = judge("main", &sheet(1, 60), LIMITS, State::default(), NOW);
        let text = alarms[0].message.to_json();
        assert!(text.contains(r#""accepted":5,"delivered":4"#), "{text}");
        assert!(text.contains(r#""hour":"1970-01-01T07:00:00.000Z""#), "{text}");
        let text = alarms[1].message.to_json();
        assert!(text.contains(r#""oldest_minutes":60,"limit_minutes":30"#), "{text}");
    }
}
