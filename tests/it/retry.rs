//! Which failures may be repeated, and when.

use esputnik_kit::retry::{Fate, fate, parse_retry_after, pause};
use proptest::prelude::*;

use crate::rig::{MINUTE, SECOND, cases};

#[test]
fn every_status_has_one_fate() {
    for status in 0..=u16::MAX {
        let expected = match status {
            200..=299 => Fate::Done,
            401 | 403 | 404 | 405 | 407 | 408 | 425 | 429 => Fate::Transient,
            400..=499 => Fate::Final,
            _ => Fate::Transient,
        };
        assert_eq!(fate(Some(status)), expected, "{status}");
    }
    assert_eq!(fate(None), Fate::Transient, "silence");
}

#[test]
fn the_first_pauses_double_from_a_second() {
    let longest: Vec<u64> = (0..10).map(|attempt| pause(attempt, None, u32::MAX)).collect();
    let doubled = [1, 2, 4, 8, 16, 32, 64, 128, 256, 300].map(|pause| pause * SECOND);
    assert_eq!(longest, doubled);
}

#[test]
fn a_wait_that_was_asked_for_is_a_floor_and_no_ceiling() {
    assert_eq!(pause(0, Some(MINUTE), 0), MINUTE);
    assert_eq!(pause(20, Some(1), u32::MAX), 5 * MINUTE);
    assert_eq!(pause(0, Some(0), 0), 500);
}

proptest! {
    #![proptest_config(cases(500))]

    #[test]
    fn a_pause_lies_in_the_upper_half_of_its_step(attempt in any::<u32>(), random in any::<u32>()) {
        let most = SECOND.saturating_mul(1 << attempt.min(40)).min(5 * MINUTE);
        let pause = pause(attempt, None, random);
        prop_assert!((most / 2..=most).contains(&pause), "{pause} of {most}");
    }

    #[test]
    fn no_header_makes_a_wait_of_more_than_an_hour(header in ".{0,60}", now in any::<u64>()) {
        if let Some(wait) = parse_retry_after(Some(&header), now) {
            prop_assert!(wait <= 60 * MINUTE);
        }
    }

    #[test]
    fn whatever_stands_in_a_date_is_read_without_harm(
        numbers in prop::array::uniform5(any::<u64>()),
        month in prop::sample::select(vec!["Jan", "Feb", "Nov", "Xxx", ""]),
    ) {
        let [day, year, hour, minute, second] = numbers;
        let header = format!("Sun, {day} {month} {year} {hour}:{minute}:{second} GMT");
        let _ = parse_retry_after(Some(&header), 0);
        let header = format!("Sun, 06 Nov {} 08:49:{second} GMT", year % 20_000);
        let _ = parse_retry_after(Some(&header), 0);
    }
}

#[test]
fn every_day_of_four_centuries_is_read() {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let mut midnight = 0;
    for year in 1970..2370_u64 {
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let days = [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
        for (month, days) in MONTHS.iter().zip(days) {
            for day in 1..=days {
                let header = format!("Sun, {day:02} {month} {year} 00:00:01 GMT");
                assert_eq!(parse_retry_after(Some(&header), midnight), Some(SECOND), "{header}");
                midnight += 24 * 60 * MINUTE;
            }
        }
    }
}

#[test]
fn a_header_that_says_nothing_usable_asks_for_nothing() {
    for header in [
        "",
        " ",
        "soon",
        "-5",
        "1.5",
        "5s",
        "0x10",
        "Sun, 06 Nov 1994",
        "Sun, 32 Nov 1994 08:49:37 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 25:49:37 GMT",
        "Sun, 06 Nov 1994 08:61:37 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT",
        "Sun, 06 Nov 1969 08:49:37 GMT",
        "1994-11-06T08:49:37Z",
    ] {
        assert_eq!(parse_retry_after(Some(header), 0), None, "{header}");
    }
}

#[test]
fn a_date_that_is_past_asks_for_no_wait() {
    let header = Some("Sun, 06 Nov 1994 08:49:37 GMT");
    assert_eq!(parse_retry_after(header, 784_111_777_000), Some(0));
    assert_eq!(parse_retry_after(header, u64::MAX), Some(0));
    assert_eq!(parse_retry_after(header, 784_111_776_999), Some(1));
}
