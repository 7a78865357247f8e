//! One entry for page and Worker: what was given for a field, and what of it goes on.

use std::collections::BTreeSet;

use esputnik_kit::form::{
    check::{Field, Kind, Wrong, check, check_reach, suggest},
    date::Date,
};
use proptest::prelude::*;

use crate::rig::cases;

fn today() -> Date {
    Date::new(2026, 11, 26).unwrap()
}

/// What goes on of one value.
fn one(field: &Field, given: &str) -> Result<String, Wrong> {
    check(field, &[given.to_owned()], today()).map(|values| values.join("|"))
}

fn several(field: &Field, given: &[&str]) -> Result<Vec<String>, Wrong> {
    let given: Vec<String> = given.iter().map(ToString::to_string).collect();
    check(field, &given, today())
}

fn field(kind: Kind) -> Field {
    let options = ["weekly", "sales", "a b"].map(String::from).into();
    Field { options, region: Some("UA".into()), ..Field::new("x", kind) }
}

#[test]
fn every_kind_writes_what_goes_on() {
    for (kind, given, gone_on) in [
        (Kind::Email, " Olena+News@Пошта.укр ", "Olena+News@Пошта.укр"),
        (Kind::Phone, "(050) 123-45-67", "+380501234567"),
        (Kind::FirstName, "  Anna   Maria ", "Anna Maria"),
        (Kind::LastName, "Косач-Квітка", "Косач-Квітка"),
        (Kind::Text, " a\r\nb\rc ", "a\nb\nc"),
        (Kind::Number, "−007", "-7"),
        (Kind::Number, "-0", "0"),
        (Kind::Date, "31.12.2030", "2030-12-31"),
        (Kind::Birthday, "1990-05-31", "1990-05-31"),
        (Kind::Select, " sales ", "sales"),
        (Kind::Radio, "a b", "a b"),
        (Kind::Checkbox, "on", "true"),
        (Kind::Checkbox, "false", ""),
        (Kind::Subscriptions, "weekly", "weekly"),
        (Kind::Consent, "true", "true"),
    ] {
        assert_eq!(one(&field(kind), given).as_deref(), Ok(gone_on), "{kind:?} {given}");
    }
}

#[test]
fn every_kind_says_what_is_wrong() {
    for (kind, given, wrong) in [
        (Kind::Email, "olena", Wrong::Email),
        (Kind::Email, "olena@gmаil.com", Wrong::EmailLetters),
        (Kind::Phone, "phone", Wrong::Phone),
        (Kind::Phone, "+999 1", Wrong::PhoneCountry),
        (Kind::Phone, "050 123", Wrong::PhoneShort),
        (Kind::Phone, "050 123 45 67 89", Wrong::PhoneLong),
        (Kind::FirstName, "7", Wrong::Name),
        (Kind::LastName, "a@b.example", Wrong::Name),
        (Kind::Text, "a\u{0}", Wrong::Text),
        (Kind::Number, "1.5", Wrong::Number),
        (Kind::Number, "-", Wrong::Number),
        (Kind::Number, "1e3", Wrong::Number),
        (Kind::Number, "99999999999999999999999999", Wrong::Range),
        (Kind::Date, "31.02.2026", Wrong::Date),
        (Kind::Birthday, "x", Wrong::Date),
        (Kind::Birthday, "2026-11-27", Wrong::Birthday),
        (Kind::Select, "other", Wrong::Option),
        (Kind::Radio, "Sales", Wrong::Option),
        (Kind::Checkbox, "maybe", Wrong::Option),
        (Kind::Subscriptions, "other", Wrong::Option),
        (Kind::Consent, "maybe", Wrong::Consent),
    ] {
        assert_eq!(one(&field(kind), given), Err(wrong), "{kind:?} {given}");
    }
}

#[test]
fn nothing_given_is_wrong_where_something_must_be() {
    for kind in Kind::ALL {
        for given in [&[][..], &[""], &[" ", "\u{200b}"]] {
            let required = Field { required: true, ..field(kind) };
            let wrong = if kind == Kind::Consent { Wrong::Consent } else { Wrong::Missing };
            assert_eq!(several(&required, given), Err(wrong), "{kind:?}");
            assert_eq!(several(&field(kind), given), Ok(Vec::new()), "{kind:?}");
        }
    }
}

#[test]
fn a_box_that_must_be_ticked_is_not_ticked_by_saying_no() {
    for (kind, wrong) in [(Kind::Consent, Wrong::Consent), (Kind::Checkbox, Wrong::Missing)] {
        let field = Field { required: true, ..field(kind) };
        assert_eq!(one(&field, "off"), Err(wrong));
        assert_eq!(one(&field, "on").as_deref(), Ok("true"));
    }
}

#[test]
fn several_values_are_of_subscriptions_alone() {
    let chosen = several(&field(Kind::Subscriptions), &["sales", "", "weekly", "sales"]);
    assert_eq!(chosen, Ok(vec!["sales".into(), "weekly".into()]));
    for kind in Kind::ALL.into_iter().filter(|kind| *kind != Kind::Subscriptions) {
        assert!(several(&field(kind), &["on", "on"]).is_err(), "{kind:?}");
    }
}

#[test]
fn text_and_numbers_keep_to_the_limits_of_their_field() {
    let text = Field { max: 3, ..field(Kind::Text) };
    assert_eq!(one(&text, " їжа ").as_deref(), Ok("їжа"));
    assert_eq!(one(&text, "їжак"), Err(Wrong::TooLong));
    assert_eq!(one(&field(Kind::Text), &"x".repeat(1001)), Err(Wrong::TooLong));
    assert!(one(&field(Kind::Text), &"x".repeat(1000)).is_ok());
    let number = Field { at_least: Some(0), at_most: Some(9), ..field(Kind::Number) };
    assert_eq!(one(&number, "9").as_deref(), Ok("9"));
    assert_eq!(one(&number, "10"), Err(Wrong::Range));
    assert_eq!(one(&number, "-1"), Err(Wrong::Range));
    assert_eq!(one(&field(Kind::Number), "-2147483648").as_deref(), Ok("-2147483648"));
    assert_eq!(one(&field(Kind::Number), "2147483648"), Err(Wrong::Range));
}

#[test]
fn phone_numbers_keep_to_the_regions_of_their_field() {
    let regions = ["UA", "PL"].map(String::from).into();
    let phone = Field { regions, ..field(Kind::Phone) };
    assert_eq!(one(&phone, "+48 512 345 678").as_deref(), Ok("+48512345678"));
    assert_eq!(one(&phone, "+49 1512 3456789"), Err(Wrong::PhoneRegion));
}

#[test]
fn somebody_must_be_reachable() {
    assert_eq!(check_reach(&[Kind::FirstName, Kind::Consent]), Err(Wrong::Unreachable));
    assert_eq!(check_reach(&[]), Err(Wrong::Unreachable));
    assert_eq!(check_reach(&[Kind::Email]), Ok(()));
    assert_eq!(check_reach(&[Kind::FirstName, Kind::Phone]), Ok(()));
}

#[test]
fn hints_are_given_for_addresses_alone() {
    let meant = suggest(&field(Kind::Email), "olena@gmial.com");
    assert_eq!(meant.as_deref(), Some("olena@gmail.com"));
    assert_eq!(suggest(&field(Kind::Text), "olena@gmial.com"), None);
}

#[test]
fn kinds_and_what_is_wrong_have_names_of_their_own() {
    for kind in Kind::ALL {
        assert_eq!(Kind::named(kind.as_str()), Some(kind));
    }
    assert_eq!(Kind::named("Email"), None);
    let codes: BTreeSet<&str> = Wrong::ALL.into_iter().map(Wrong::code).collect();
    assert_eq!(codes.len(), Wrong::ALL.len());
    let plain = |code: &&str| code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    assert!(codes.iter().all(plain));
}

proptest! {
    #![proptest_config(cases(2048))]

    #[test]
    fn what_goes_on_is_taken_again_as_it_is(
        kind in proptest::sample::select(&Kind::ALL[..]),
        required in any::<bool>(),
        given in proptest::collection::vec(prop_oneof![
            any::<String>(),
            "[-+0-9 ().]{0,20}",
            "[a-z.+\"]{1,8}@[a-zа-я.-]{1,12}",
            "[A-Za-zА-Яа-яїє' .-]{0,45}",
            "[0-9]{1,4}[-.][0-9]{1,2}[-.][0-9]{1,4}",
            "(weekly|sales|on|off|a b)",
        ], 0..3),
    ) {
        let field = Field { required, ..field(kind) };
        for given in &given {
            let _ = suggest(&field, given);
        }
        if let Ok(gone_on) = check(&field, &given, today()) {
            prop_assert!(!(required && gone_on.is_empty()));
            prop_assert!(gone_on.iter().all(|value| !value.trim().is_empty()));
            prop_assert_eq!(check(&field, &gone_on, today()), Ok(gone_on));
        }
    }
}
