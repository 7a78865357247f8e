//! Days that people type.

use esputnik_kit::form::date::Date;
use proptest::prelude::*;

use crate::rig::cases;

fn date(typed: &str) -> Option<String> {
    Date::parse(typed).map(Date::to_text)
}

#[test]
fn days_are_read_as_inputs_give_them_and_as_people_write_them() {
    for typed in [
        "2026-05-31",
        "2026-5-31",
        "31.05.2026",
        "31.5.2026",
        " 31. 5. 2026 ",
        "٣١.٠٥.٢٠٢٦",
        "２０２６-０５-３１",
        "\u{202a}31.05.2026\u{202c}",
    ] {
        assert_eq!(date(typed).as_deref(), Some("2026-05-31"), "{typed:?}");
    }
}

#[test]
fn what_is_no_day_is_refused() {
    for typed in [
        "",
        ".",
        "..",
        "--",
        "2026",
        "31.05",
        "31.05.26",
        "31.05.02026",
        "31.05.2026.",
        "2026-05-31-",
        "-2026-05-31",
        "2026-05-031",
        "31-05-2026",
        "2026.05.31",
        "31/05/2026",
        "05/31/2026",
        "2026-05-31T10:00",
        "31.05.2026 р.",
        "30.02.2026",
        "29.02.1900",
        "29.02.2027",
        "31.04.2026",
        "00.05.2026",
        "31.00.2026",
        "31.13.2026",
        "99999999-05-31",
        "3 1.05.2026",
    ] {
        assert_eq!(date(typed), None, "{typed:?}");
    }
    assert_eq!(date("29.02.2028").as_deref(), Some("2028-02-29"));
    assert_eq!(date("29.02.2000").as_deref(), Some("2000-02-29"));
}

#[test]
fn somebody_is_born_after_1900_and_not_after_today() {
    let today = Date::parse("2026-11-26").unwrap();
    for (typed, is_birthday) in [
        ("1900-01-01", true),
        ("1899-12-31", false),
        ("2026-11-26", true),
        ("2026-11-27", false),
        ("2027-01-01", false),
        ("1990-05-31", true),
    ] {
        assert_eq!(Date::parse(typed).unwrap().is_birthday(today), is_birthday, "{typed}");
    }
}

#[test]
fn a_moment_has_its_day() {
    assert_eq!(Date::from_millis(0).to_text(), "1970-01-01");
    assert_eq!(Date::from_millis(951_782_399_999).to_text(), "2000-02-28");
    assert_eq!(Date::from_millis(951_782_400_000).to_text(), "2000-02-29");
    assert_eq!(Date::from_millis(u64::MAX).to_text(), "9999-12-31");
}

#[test]
fn the_calendar_has_no_gap_and_no_day_twice() {
    let (first, last) = (Date::new(0, 1, 1).unwrap(), Date::new(9999, 12, 31).unwrap());
    let mut day = first;
    for days in first.days() + 1..=last.days() {
        let next = Date::from_days(days);
        assert!(day < next, "{day:?} {next:?}");
        assert_eq!(next.days(), days);
        day = next;
    }
    assert_eq!(day, last);
    assert_eq!(Date::from_days(i64::MIN), first);
    assert_eq!(Date::from_days(i64::MAX), last);
}

proptest! {
    #![proptest_config(cases(512))]

    #[test]
    fn a_day_that_is_read_is_written_so_that_it_is_read_again(typed in "[0-9]{1,4}[-.][0-9]{1,2}[-.][0-9]{1,4}") {
        if let Some(date) = Date::parse(&typed) {
            prop_assert_eq!(Date::parse(&date.to_text()), Some(date));
        }
    }

    #[test]
    fn any_text_is_read_or_refused(typed in any::<String>()) {
        let _ = Date::parse(&typed);
    }
}
