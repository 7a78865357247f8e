//! Days of the calendar.

use super::typed;
use crate::value::write_whole;

/// Milliseconds of a day.
const DAY: u64 = 24 * 60 * 60 * 1000;

/// A day of the Gregorian calendar, from the year 0 to 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
}

impl Date {
    /// Nobody alive is older.
    const OLDEST_BIRTHDAY: Self = Self { year: 1900, month: 1, day: 1 };

    /// A day that the calendar has.
    #[must_use]
    pub fn new(year: u16, month: u8, day: u8) -> Option<Self> {
        let days = match month {
            4 | 6 | 9 | 11 => 30,
            2 if year.is_multiple_of(if year.is_multiple_of(100) { 400 } else { 4 }) => 29,
            2 => 28,
            1..=12 => 31,
            _ => return None,
        };
        let exists = year <= 9999 && 1 <= day && day <= days;
        exists.then_some(Self { year, month, day })
    }

    /// The day that this many days after 1970-01-01 come to; the nearest there is outside of the
    /// years from 0 to 9999.
    #[must_use]
    pub fn from_days(days: i64) -> Self {
        // Years begin in March here, so that the day that leap years have more is a year's last.
        let day_of_era = days.clamp(-719_528, 2_932_896) + 719_468;
        let (era, day_of_era) = (day_of_era.div_euclid(146_097), day_of_era.rem_euclid(146_097));
        let year =
            (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year + year / 4 - year / 100);
        let m = (5 * day_of_year + 2) / 153;
        let (month, day) =
            (if m < 10 { m + 3 } else { m - 9 }, day_of_year - (153 * m + 2) / 5 + 1);
        let year = year + era * 400 + i64::from(month <= 2);
        Self {
            year: u16::try_from(year).unwrap_or(0),
            month: u8::try_from(month).unwrap_or(1),
            day: u8::try_from(day).unwrap_or(1),
        }
    }

    /// How many days after 1970-01-01 it is.
    #[must_use]
    pub fn days(self) -> i64 {
        let (year, month, day) = (i64::from(self.year), i64::from(self.month), i64::from(self.day));
        let (y, m) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
        let (era, y) = (y.div_euclid(400), y.rem_euclid(400));
        let day_of_era = y * 365 + y / 4 - y / 100 + (m * 153 + 2) / 5 + day - 1;
        era * 146_097 + day_of_era - 719_468
    }

    /// The day of a moment of Unix time in milliseconds, in UTC.
    #[must_use]
    pub fn from_millis(millis: u64) -> Self {
        Self::from_days(i64::try_from(millis / DAY).unwrap_or(i64::MAX))
    }

    /// Reads `2026-05-31`, as date inputs give it, and `31.05.2026`, as people here write it.
    ///
    /// With strokes nothing is taken: 05/06 is May to some and June to others.
    #[must_use]
    pub fn parse(typed: &str) -> Option<Self> {
        let typed = typed::trim(typed);
        let is_iso = typed::cut(typed, b'-').is_some();
        let mut parts = typed::parts(typed, if is_iso { b'-' } else { b'.' }).map(number);
        let (first, second, third) = (parts.next()??, parts.next()??, parts.next()??);
        let ((year, 4), month, day) =
            (if is_iso { (first, second, third) } else { (third, second, first) })
        else {
            return None;
        };
        let short = |(number, digits): (u16, usize)| {
            if digits <= 2 { u8::try_from(number).ok() } else { None }
        };
        if parts.next().is_some() { None } else { Self::new(year, short(month)?, short(day)?) }
    }

    /// Whether somebody alive `today` can be born on this day.
    #[must_use]
    pub fn is_birthday(self, today: Self) -> bool {
        Self::OLDEST_BIRTHDAY <= self && self <= today
    }

    /// The day as `yyyy-mm-dd`.
    #[must_use]
    pub fn to_text(self) -> String {
        let mut text = String::with_capacity(10);
        for (number, width) in [(self.year, 1000), (self.month.into(), 10), (self.day.into(), 10)] {
            if !text.is_empty() {
                text.push('-');
            }
            let mut unit: u16 = width;
            while unit > number.max(1) {
                text.push('0');
                unit /= 10;
            }
            write_whole(number.into(), &mut text);
        }
        text
    }
}

/// A number, and how many digits it was written with; at most four.
fn number(text: &str) -> Option<(u16, usize)> {
    let (mut number, mut digits) = (0, 0);
    for character in typed::trim(text).chars() {
        if digits == 4 {
            return None;
        }
        number = number * 10 + u16::from(typed::digit(character)?);
        digits += 1;
    }
    (digits > 0).then_some((number, digits))
}
