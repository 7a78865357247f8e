//! Which failures may be repeated, and when. Page and Worker ask here and nowhere else.

/// Shortest pause before a second attempt, in milliseconds: long enough for a restart behind a
/// load balancer, short enough not to be noticed.
const FIRST_PAUSE: u64 = 1000;

/// Longest pause between attempts, in milliseconds. A page is rarely open longer than this.
pub const LONGEST_PAUSE: u64 = 5 * 60 * 1000;

/// Longest wait that an answer can ask for, in milliseconds. More is a mistake of the other side,
/// and would be a way to silence the kit.
pub const LONGEST_RETRY_AFTER: u64 = 60 * 60 * 1000;

/// Longest time for which nothing is tried while the other side is down, in milliseconds: after it is
/// back, nobody must wait much longer.
const LONGEST_BREAK: u64 = 15_000;

/// Which part of an outage that time may be where the outage is longer: a platform that was away
/// for a day need not be asked every fifteen seconds.
const OUTAGE_PART: u64 = 8;

/// What an attempt came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fate {
    /// Taken.
    Done,
    /// Not now; a later attempt may go better.
    Transient,
    /// Never; a later attempt gets the same answer.
    Final,
}

/// What the status of an answer means for the very thing that was sent; `None` is silence.
///
/// 408, 425 and 429 ask for a later attempt, 5xx and silence allow one. 3xx, 401, 403, 404 and 405
/// say that addresses or rights are set up wrongly, which is no verdict on what was sent: it waits
/// until somebody has put that right. The rest are verdicts.
#[must_use]
pub fn fate(status: Option<u16>) -> Fate {
    match status {
        Some(200..=299) => Fate::Done,
        None | Some(0..=399 | 401 | 403..=405 | 407..=408 | 425 | 429 | 500..) => Fate::Transient,
        Some(_) => Fate::Final,
    }
}

/// The pause before attempt number `attempt + 1`, in milliseconds.
///
/// `random` is anything evenly spread; full jitter over the upper half keeps many visitors from
/// coming back in step. What the other side asked for is a floor.
#[must_use]
pub fn pause(attempt: u32, retry_after: Option<u64>, random: u32) -> u64 {
    let ceiling = FIRST_PAUSE.saturating_mul(1 << attempt.min(16)).min(LONGEST_PAUSE);
    let half = ceiling / 2;
    let pause = half + half * u64::from(random) / u64::from(u32::MAX);
    pause.max(retry_after.unwrap_or(0))
}

/// For how long nothing is tried at most while the other side is down, after an outage of `lasted`,
/// both in milliseconds.
#[must_use]
pub fn longest_break(lasted: u64) -> u64 {
    (lasted / OUTAGE_PART).clamp(LONGEST_BREAK, LONGEST_PAUSE)
}

/// The milliseconds that a `Retry-After` header asks for: seconds or an HTTP date.
///
/// `None` if there is no header or it says nothing usable; never more than an hour.
#[must_use]
pub fn parse_retry_after(header: Option<&str>, now: u64) -> Option<u64> {
    let text = header?.trim();
    let wait = match text.parse::<u64>() {
        Ok(seconds) => seconds.saturating_mul(1000),
        Err(_) => parse_http_date(text)?.saturating_sub(now),
    };
    Some(wait.min(LONGEST_RETRY_AFTER))
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`, the one form that may be generated, as Unix milliseconds.
#[must_use]
pub fn parse_http_date(text: &str) -> Option<u64> {
    let mut parts = text.split([' ', ':']).skip(1);
    let mut number = || parts.next()?.parse::<u64>().ok();
    let day = number()?;
    let mut parts = text.split([' ', ':']).skip(2);
    let month = match parts.next()? {
        "Jan" => 1,
        "Feb" => 2,
        "Mar" => 3,
        "Apr" => 4,
        "May" => 5,
        "Jun" => 6,
        "Jul" => 7,
        "Aug" => 8,
        "Sep" => 9,
        "Oct" => 10,
        "Nov" => 11,
        "Dec" => 12,
        _ => return None,
    };
    let mut number = || parts.next()?.parse::<u64>().ok();
    let (year, hour, minute, second) = (number()?, number()?, number()?, number()?);
    let clock = hour <= 24 && minute <= 60 && second <= 60;
    if !(1970..=9999).contains(&year) || day == 0 || day > 31 || !clock {
        return None;
    }
    // Days since 1970-01-01 by the civil calendar, counting years from March.
    let (y, m) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
    let days = y * 365 + y / 4 - y / 100 + y / 400 + (m * 153 + 2) / 5 + day - 1;
    let days = days.checked_sub(719_468)?;
    Some((((days * 24 + hour) * 60 + minute) * 60 + second) * 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts_on_what_was_sent_are_final_and_everything_else_waits() {
        for status in [400, 410, 413, 415, 422] {
            assert_eq!(fate(Some(status)), Fate::Final, "{status}");
        }
        for status in [302, 401, 403, 404, 408, 425, 429, 500, 503, 599] {
            assert_eq!(fate(Some(status)), Fate::Transient, "{status}");
        }
        assert_eq!(fate(None), Fate::Transient);
        assert_eq!((fate(Some(200)), fate(Some(204))), (Fate::Done, Fate::Done));
    }

    #[test]
    fn pauses_grow_to_five_minutes_and_never_undercut_retry_after() {
        assert_eq!((pause(0, None, 0), pause(0, None, u32::MAX)), (500, 1000));
        assert_eq!(pause(60, None, u32::MAX), LONGEST_PAUSE);
        assert_eq!(pause(0, Some(5000), 7), 5000);
    }

    #[test]
    fn retry_after_is_read_as_seconds_or_date_and_capped() {
        let now = 784_111_777_000; // Sun, 06 Nov 1994 08:49:37 GMT
        let read = |text| parse_retry_after(Some(text), now);
        assert_eq!(read("5"), Some(5000));
        assert_eq!(read("Sun, 06 Nov 1994 08:50:37 GMT"), Some(60_000));
        assert_eq!(read("Sun, 06 Nov 1994 08:00:00 GMT"), Some(0));
        assert_eq!(read("315360000"), Some(LONGEST_RETRY_AFTER));
        for text in ["", "-1", "soon", "Sun, 06 Non 1994 08:50:37 GMT", "5.5"] {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(parse_retry_after(None, now), None);
    }
}
