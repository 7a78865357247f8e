//! Moments as the platform reads and writes them.

/// A moment that somebody wrote down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    /// Unix milliseconds; without an offset, as if in UTC.
    pub(crate) at: i64,
    pub(crate) has_offset: bool,
    /// A day and no time of it.
    pub(crate) day_only: bool,
}

/// Reads `YYYY-MM-DD`, `YYYY-MM-DDTHH:mm`, seconds and fractions after it, and an offset.
pub(crate) fn parse(text: &str) -> Option<Moment> {
    let (date, time) = match text.split_once(['T', ' ']) {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let days = day_number(year, month, day)?;
    let Some(time) = time else {
        return Some(Moment { at: days * DAY, has_offset: false, day_only: true });
    };
    let (clock, offset) = split_offset(time)?;
    let (clock, fraction) = match clock.split_once('.') {
        Some((clock, fraction)) => (clock, thousandths(fraction)?),
        None => (clock, 0),
    };
    let [hour, minute, second] = match clock.len() {
        5 => {
            let [hour, minute] = numbers(clock, ':', [2, 2])?;
            [hour, minute, 0]
        }
        _ => numbers(clock, ':', [2, 2, 2])?,
    };
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let of_day = ((hour * 60 + minute) * 60 + second) * 1000 + fraction;
    let at = days * DAY + of_day - offset.unwrap_or(0) * 60_000;
    Some(Moment { at, has_offset: offset.is_some(), day_only: false })
}

/// `YYYY-MM-DDTHH:mm:ss`, in UTC and without saying so, as the platform's answers have it.
pub(crate) fn format(at: i64) -> String {
    let (days, of_day) = (at.div_euclid(DAY), at.rem_euclid(DAY) / 1000);
    let (year, month, day) = civil(days);
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")
}

/// As [`format`], with an offset.
pub(crate) fn format_utc(at: i64) -> String {
    format!("{}Z", format(at))
}

pub(crate) const DAY: i64 = 24 * 60 * 60 * 1000;

fn numbers<const N: usize>(text: &str, separator: char, widths: [usize; N]) -> Option<[i64; N]> {
    let mut parts = text.split(separator);
    let mut read = [0; N];
    for (number, width) in read.iter_mut().zip(widths) {
        let part = parts.next()?;
        if part.len() != width || !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        *number = part.parse().ok()?;
    }
    parts.next().is_none().then_some(read)
}

/// Splits a time from its offset in minutes.
fn split_offset(time: &str) -> Option<(&str, Option<i64>)> {
    if let Some(clock) = time.strip_suffix(['Z', 'z']) {
        return Some((clock, Some(0)));
    }
    let Some(place) = time.find(['+', '-']) else { return Some((time, None)) };
    let (clock, offset) = time.split_at(place);
    let (sign, digits) = offset.split_at(1);
    let digits = digits.replace(':', "");
    if digits.len() != 4 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: i64 = digits.parse().ok()?;
    let minutes = number / 100 * 60 + number % 100;
    Some((clock, Some(if sign == "-" { -minutes } else { minutes })))
}

fn thousandths(fraction: &str) -> Option<i64> {
    if fraction.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let digits: String = fraction.chars().chain("000".chars()).take(3).collect();
    digits.parse().ok()
}

/// The day's number since 1970, by the calendar that counts years from March.
fn day_number(year: i64, month: i64, day: i64) -> Option<i64> {
    if !(1..=12).contains(&month) || day < 1 || day > days_in(year, month) {
        return None;
    }
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
}

fn days_in(year: i64, month: i64) -> i64 {
    let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (era * 400 + year + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_of_the_documents_are_read() {
        let at = |text| parse(text).map(|moment| moment.at);
        assert_eq!(at("1970-01-01"), Some(0));
        assert_eq!(at("2024-02-29T12:30"), Some(1_709_209_800_000));
        assert_eq!(at("2024-02-29T14:30:00+02:00"), Some(1_709_209_800_000));
        assert_eq!(at("2024-02-29T14:30:00.000+0200"), Some(1_709_209_800_000));
        assert_eq!(at("2024-02-29T12:30:00.5Z"), Some(1_709_209_800_500));
        assert!(!parse("2024-02-29T12:30").unwrap().has_offset);
        for wrong in ["2023-02-29", "29.02.2024", "2024-2-9", "2024-01-01T24:00", "2024-01-01T1:00"]
        {
            assert_eq!(at(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        for at in [0, 951_782_400_000, 1_709_209_801_000, 4_102_444_799_000] {
            assert_eq!(parse(&format(at)).map(|moment| moment.at), Some(at));
        }
        assert_eq!(format_utc(1_709_209_800_000), "2024-02-29T12:30:00Z");
    }
}
