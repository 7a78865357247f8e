//! Names that people type.

use esputnik_kit::{
    api::text::{FirstName, LastName},
    form::name::{self, NameError},
};
use proptest::prelude::*;

use crate::rig::cases;

#[test]
fn blanks_around_a_name_go_and_those_inside_become_one() {
    for (typed, name) in [
        ("  Олена ", "Олена"),
        ("Jean\t \u{a0}Paul", "Jean Paul"),
        ("\u{202a}Дар’я\u{202c}", "Дар’я"),
        ("Anna-Maria", "Anna-Maria"),
        ("J. R. Tolkien", "J. R. Tolkien"),
        ("李小龍", "李小龍"),
        ("मीनाक्षी", "मीनाक्षी"),
        ("தமிழ்ச்செல்வி", "தமிழ்ச்செல்வி"),
        ("สมศักดิ์", "สมศักดิ์"),
        ("Zoë", "Zoë"),
        ("Ñuño", "Ñuño"),
        ("Șerban", "Șerban"),
        ("Ελένη", "Ελένη"),
        ("გიორგი", "გიორგი"),
        ("Արամ", "Արամ"),
        ("שרה", "שרה"),
        ("محمد", "محمد"),
        ("می\u{200c}نا", "می\u{200c}نا"),
        ("さくら", "さくら"),
        ("サクラ", "サクラ"),
        ("지우", "지우"),
        ("ណារី", "ណារី"),
        ("Zoe\u{308}", "Zoe\u{308}"),
    ] {
        assert_eq!(name::parse(typed, true).as_deref(), Ok(name), "{typed:?}");
    }
}

#[test]
fn what_the_platform_leaves_out_is_refused() {
    for typed in [
        "",
        " ",
        "...",
        "7",
        "1234a",
        "-Anna",
        "Anna-",
        "Anna\u{0}",
        "An\nna\u{7}",
        "<b>Anna</b>",
        "Anna & Co",
        "a@b.example",
        "https://a.example",
        "Four Long Words Here",
        "a b c d",
        "Анна🙂",
        "Анна™",
        "Анна€",
        "«Анна»",
        "Анна\u{2028}x\u{2029}!",
        "آنا؟",
        "٣٣",
        "＠ｎｎａ",
        "\u{e000}Anna",
        "An\u{ad}na",
        "An\u{202e}na",
    ] {
        assert_eq!(name::parse(typed, true), Err(NameError::Malformed), "{typed:?}");
    }
}

#[test]
fn words_are_counted_in_first_names_alone() {
    assert_eq!(name::parse("Four Long Words Here", false).as_deref(), Ok("Four Long Words Here"));
    assert_eq!(name::parse("de la y von z", false).as_deref(), Ok("de la y von z"));
}

#[test]
fn a_name_has_forty_characters_of_any_script() {
    assert!(name::parse(&"ї".repeat(40), true).is_ok());
    assert_eq!(name::parse(&"ї".repeat(41), true), Err(NameError::TooLong));
    assert!(name::parse(&format!("{}{}", " ".repeat(40), "ї".repeat(40)), true).is_ok());
}

proptest! {
    #![proptest_config(cases(512))]

    #[test]
    fn what_is_taken_is_stored_by_the_platform_and_taken_again(
        typed in prop_oneof![any::<String>(), "[A-Za-zА-яїє .'0-9-]{0,45}"],
        is_first in any::<bool>(),
    ) {
        if let Ok(name) = name::parse(&typed, is_first) {
            let is_stored = if is_first {
                FirstName::parse(name.as_str()).unwrap().is_stored()
            } else {
                LastName::parse(name.as_str()).unwrap().is_stored()
            };
            prop_assert!(is_stored);
            prop_assert_eq!(name::parse(&name, is_first), Ok(name));
        }
    }
}

#[test]
fn every_letter_that_the_standard_library_knows_is_one() {
    // Letter-like signs of Latin that no name has: enclosed ones, numbers, symbols.
    let is_symbol = |c: char| matches!(c, '\u{2000}'..='\u{2bff}' | '\u{2e00}'..='\u{2e7f}' | '\u{1f000}'..='\u{1faff}');
    // Numbers of scripts whose keyboards have digits of their own.
    let is_digit = |c: char| c.is_numeric();
    for c in ('\0'..=char::MAX).filter(|c| c.is_alphabetic() && !is_symbol(*c) && !is_digit(*c)) {
        assert!(name::is_stored(&format!("x{c}x"), true), "{c} {:x}", u32::from(c));
    }
    for c in ('\0'..='\u{ff}').filter(|c| !c.is_alphanumeric()) {
        let name = format!("a{c}a");
        let apart = c.is_whitespace() || matches!(c, '\'' | '-' | '`');
        assert_eq!(name::is_stored(&name, true), apart, "{name}");
    }
}
