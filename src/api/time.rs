//! Dates and times as the platform reads and writes them: ISO 8601.

use super::shape::{Reader, Shape};
use crate::{problem::Code, value::Value};

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
        // Civil calendar, counting years from March.
        let z = days + 719_468;
        let (era, day_of_era) = (z.div_euclid(146_097), z.rem_euclid(146_097));
        let year =
            (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year + year / 4 - year / 100);
        let m = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * m + 2) / 5 + 1;
        let month = if m < 10 { m + 3 } else { m - 9 };
        let year = year + era * 400 + i64::from(month <= 2);
        let (hour, minute) = (rest / 3_600_000, rest / 60_000 % 60);
        let (second, fraction) = (rest / 1000 % 60, rest % 1000);
        let text = format!(
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{fraction:03}Z"
        );
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
    if parts.next().is_some() || !(1..=12).contains(&month) || day < 1 || day > days_of(year, month)
    {
        return None;
    }
    let (y, m) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
    let era = y.div_euclid(400);
    let year_of_era = y.rem_euclid(400);
    let day_of_era =
        year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + (m * 153 + 2) / 5 + day - 1;
    let midnight = (era * 146_097 + day_of_era - 719_468) * DAY;
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

fn days_of(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
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
