//! Dates and times as the platform reads and writes them: ISO 8601.

use super::shape::{Reader, Shape};
use crate::{form::date::Date, problem::Code, value::Value};

const FIX: &str = "give a date such as 2026-05-31 or 2026-05-31T10:00:00+03:00";

/// Milliseconds of a day.
const DAY: i64 = 24 * 60 * 60 * 1000;

/// A date, or a date and a time, with or without an offset from UTC.
///
/// It is written as it was read. Without an offset the platform takes it as of the asking user's zone
/// in one document, and as of the contact's in another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DateTime {
    text: String,
    /// Unix milliseconds, without an offset as if it were UTC; `None` for what an answer said
    /// otherwise.
    millis: Option<i64>,
    has_offset: bool,
}

impl DateTime {
    /// Reads `2026-05-31`, `2026-05-31T10:00`, with seconds, fractions, and an offset.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (millis, has_offset) = parse(text)?;
        Some(Self { text: text.to_owned(), millis: Some(millis), has_offset })
    }

    /// The moment of Unix time in milliseconds, in UTC.
    #[must_use]
    pub fn from_millis(millis: i64) -> Self {
        let (days, rest) = (millis.div_euclid(DAY), millis.rem_euclid(DAY));
        let date = Date::from_days(days).to_text();
        let (hour, minute) = (rest / 3_600_000, rest / 60_000 % 60);
        let (second, fraction) = (rest / 1000 % 60, rest % 1000);
        let text = format!("{date}T{hour:02}:{minute:02}:{second:02}.{fraction:03}Z");
        Self { text, millis: Some(millis), has_offset: true }
    }

    /// The text, as it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Unix time in milliseconds, as if in UTC where there is no offset; `None` if an answer of the
    /// platform holds something else.
    #[must_use]
    pub fn millis(&self) -> Option<i64> {
        self.millis
    }

    /// How many milliseconds lie between `self` and a later `end`.
    #[must_use]
    pub fn until(&self, end: &Self) -> Option<i64> {
        Some(end.millis? - self.millis?)
    }

    /// Checks a period that the platform answers for at most `days` days.
    pub(super) fn check_period(
        &self,
        end: &Self,
        days: i64,
        name: &str,
        fix: &'static str,
        reader: &mut Reader,
    ) {
        if let Some(length) = self.until(end)
            && !(0..=days * DAY).contains(&length)
        {
            reader.fail_at(name, Code::InvalidDate, fix);
        }
    }

    /// Warns where a moment is meant and no offset says of which zone.
    pub(super) fn check_offset(&self, name: &str, reader: &mut Reader) {
        if !self.has_offset {
            let fix = "add the offset from UTC: 2026-05-31T10:00:00+03:00";
            reader.warn_at(name, Code::NoOffset, fix);
        }
    }
}

impl Shape for DateTime {
    fn read(value: &Value, reader: &mut Reader) -> Option<Self> {
        if reader.is_answer() {
            let text = String::read(value, reader)?;
            return Some(Self::parse(&text).unwrap_or(Self {
                text,
                millis: None,
                has_offset: false,
            }));
        }
        let read = value.as_text().and_then(Self::parse);
        if read.is_none() {
            reader.fail(Code::InvalidDate, FIX);
        }
        read
    }

    fn write(&self) -> Value {
        Value::text(self.text.as_str())
    }
}

fn parse(text: &str) -> Option<(i64, bool)> {
    let (date, time) = match text.split_once(['T', 't', ' ']) {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let mut parts = date.split('-');
    let (year, month, day) =
        (digits(parts.next()?, 4)?, digits(parts.next()?, 2)?, digits(parts.next()?, 2)?);
    if parts.next().is_some() {
        return None;
    }
    let date = Date::new(year.try_into().ok()?, month.try_into().ok()?, day.try_into().ok()?)?;
    let midnight = date.days() * DAY;
    let Some(time) = time else { return Some((midnight, false)) };
    let (clock, offset) = split_offset(time)?;
    Some((midnight + parse_clock(clock)? - offset.unwrap_or(0), offset.is_some()))
}

/// The clock, and the offset from UTC in milliseconds.
fn split_offset(time: &str) -> Option<(&str, Option<i64>)> {
    if let Some(clock) = time.strip_suffix(['Z', 'z']) {
        return Some((clock, Some(0)));
    }
    let Some(at) = time.find(['+', '-']) else { return Some((time, None)) };
    let (clock, offset) = (time.get(..at)?, time.get(at + 1..)?);
    let plain: String = offset.chars().filter(|c| *c != ':').collect();
    let (hours, minutes) = match plain.len() {
        2 => (digits(&plain, 2)?, 0),
        4 => (digits(plain.get(..2)?, 2)?, digits(plain.get(2..)?, 2)?),
        _ => return None,
    };
    if hours > 18 || minutes > 59 {
        return None;
    }
    let size = (hours * 60 + minutes) * 60_000;
    Some((clock, Some(if time.get(at..=at) == Some("-") { -size } else { size })))
}

/// The milliseconds since midnight.
fn parse_clock(clock: &str) -> Option<i64> {
    let mut parts = clock.split(':');
    let (hour, minute) = (digits(parts.next()?, 2)?, digits(parts.next()?, 2)?);
    let (second, fraction) = match parts.next() {
        None => (0, 0),
        Some(text) => {
            let (second, fraction) = text.split_once(['.', ',']).unwrap_or((text, "0"));
            if fraction.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
                return None;
            }
            let millis: String = fraction.chars().chain("00".chars()).take(3).collect();
            (digits(second, 2)?, millis.parse().ok()?)
        }
    };
    if parts.next().is_some() || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    Some(((hour * 60 + minute) * 60 + second) * 1000 + fraction)
}

/// A number of just so many digits.
fn digits(text: &str, length: usize) -> Option<i64> {
    let plain = text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_documented_spelling_is_the_same_moment() {
        for text in [
            "2026-05-31T07:00:00Z",
            "2026-05-31T10:00:00+03:00",
            "2026-05-31T10:00+0300",
            "2026-05-31 10:00:00.000+03",
            "2026-05-31T02:30:00,0-04:30",
        ] {
            assert_eq!(DateTime::parse(text).unwrap().millis(), Some(1_780_210_800_000), "{text}");
        }
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in [
            "",
            "2026",
            "2026-5-31",
            "2026-02-29",
            "2026-13-01",
            "31.05.2026",
            "2026-05-31T",
            "2026-05-31T25:00",
            "2026-05-31T10:00:00+99",
            "2026-05-31T10:00:00.",
            "2026-05-31T10",
            "20260531",
            "1780210800000",
        ] {
            assert_eq!(DateTime::parse(text), None, "{text}");
        }
    }

    #[test]
    fn moments_survive_writing_and_reading() {
        for millis in [0, 1, 1_780_210_800_000, 951_782_399_999, -1, 4_102_444_800_000] {
            let written = DateTime::from_millis(millis);
            assert_eq!(DateTime::parse(written.as_str()), Some(written.clone()), "{written:?}");
        }
    }
}
