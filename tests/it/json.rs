//! JSON text in, the core's values in between, JSON text out.

use esputnik_kit::{json, problem::Code, value::Value};
use proptest::prelude::*;

use crate::rig::cases;

/// What `text` reads as, written again.
fn again(text: &str) -> String {
    json::parse(text).unwrap().to_json()
}

#[test]
fn what_json_can_say_is_written_as_it_was_read() {
    for text in [
        "null",
        "true",
        "false",
        "\"\"",
        "[]",
        "{}",
        "[[],[{}]]",
        r#"{"b":1,"a":[null,"x"],"c":{"d":false}}"#,
        r#"["quote \" backslash \\ line \n return \r tab \t"]"#,
    ] {
        assert_eq!(again(text), text);
    }
}

#[test]
fn numbers_keep_every_digit() {
    for text in [
        "0",
        "-0",
        "450.00",
        "0.10",
        "9007199254740993",
        "1234567890123456789012345678901234567890",
        "0.1234567890123456789012345678901234567890",
        "-12.50",
    ] {
        assert_eq!(again(text), text);
    }
}

/// JSON of every kind, small.
fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<f64>().prop_filter("a number", |x| x.is_finite()).prop_map(Into::into),
        "[a\\\\\"\u{0}-\u{20}é🙂]{0,6}".prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 40, 20, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
            prop::collection::vec(("[a-c]{1,2}|[a-z]{3}", inner), 0..24)
                .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(cases(300))]

    /// What serde_json takes is taken, as the same; and what it does not take is not.
    #[test]
    fn text_is_read_as_others_read_it(
        value in any_json(),
        place in any::<prop::sample::Index>(),
        sign in prop::option::of("[]\\[{}:,\"\\\\0eE+.t -]"),
    ) {
        let mut text = value.to_string();
        if let Some(sign) = sign {
            let signs: Vec<char> = text.chars().collect();
            let at = place.index(signs.len());
            text = signs[..at].iter().collect::<String>() + &sign;
            text.extend(&signs[at + 1..]);
        }
        let theirs = serde_json::from_str::<serde_json::Value>(&text);
        match (json::parse(&text), theirs) {
            (Ok(own), Ok(theirs)) => {
                let own: serde_json::Value = serde_json::from_str(&own.to_json()).unwrap();
                prop_assert_eq!(own.to_string(), theirs.to_string(), "{}", text);
            }
            (Err(_), Err(_)) => {}
            (own, theirs) => prop_assert!(false, "{text}: {own:?}, but {theirs:?}"),
        }
    }
}

#[test]
fn members_keep_their_order() {
    assert_eq!(again(r#"{"z":1,"a":2,"m":3}"#), r#"{"z":1,"a":2,"m":3}"#);
}

#[test]
fn the_last_of_a_repeated_name_counts() {
    assert_eq!(again(r#"{"a":1,"b":2,"a":3}"#), r#"{"a":3,"b":2}"#);
    let many = |last: &str| {
        let members: Vec<String> = (0..40).map(|n| format!("\"m{n}\":{n}")).collect();
        ["{", &members.join(","), last, "}"].concat()
    };
    let replaced = many("").replace("\"m7\":7,", "\"m7\":true,");
    assert_eq!(again(&many(",\"m7\":true")), replaced);
}

#[test]
fn control_characters_leave_escaped_and_everything_else_as_it_is() {
    let text: String = (0..=0x2030).filter_map(char::from_u32).collect();
    let json = Value::text(text.as_str()).to_json();
    assert!(json.chars().all(|character| !character.is_ascii_control() || character == '\u{7f}'));
    assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
}

#[test]
fn half_a_surrogate_pair_becomes_the_replacement_character_wherever_it_stands() {
    for (text, read) in [
        (r#""\ud83d""#, "\"\u{fffd}\""),
        (r#""\ude42""#, "\"\u{fffd}\""),
        (r#""\ude42\ud83d""#, "\"\u{fffd}\u{fffd}\""),
        (r#""\ud83d\ud83d\ude42""#, "\"\u{fffd}🙂\""),
        (r#""\uD83D\uDE42""#, "\"🙂\""),
        (r#""\\ud83d""#, r#""\\ud83d""#),
        (r#""\\\ud83d""#, "\"\\\\\u{fffd}\""),
        (r#"{"\ud83d":"x"}"#, "{\"\u{fffd}\":\"x\"}"),
        (r#"["a\ud83d","b"]"#, "[\"a\u{fffd}\",\"b\"]"),
    ] {
        assert_eq!(again(text), read, "{text}");
    }
}

#[test]
fn mending_surrogates_does_not_make_json_of_what_is_none() {
    for text in [r#""\ud83d"#, r#"["\ud83d",]"#, r#""\ud83""#, r#""\ud83d\"#, r#"{"\ud83d"}"#] {
        assert_eq!(json::parse(text).unwrap_err().code, Code::InvalidBody, "{text}");
    }
}

#[test]
fn nesting_is_read_to_127_levels_and_too_deep_beyond() {
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    assert_eq!(json::parse(&nested(127)).unwrap().depth(), 127);
    assert_eq!(json::parse(&nested(128)).unwrap_err().code, Code::TooDeep);
}

#[test]
fn depth_counts_lists_and_objects_and_not_what_is_in_them() {
    for (text, depth) in [("1", 0), ("[]", 1), (r#"{"a":1}"#, 1), (r#"{"a":[{"b":[]}]}"#, 4)] {
        assert_eq!(json::parse(text).unwrap().depth(), depth, "{text}");
    }
}

#[test]
fn what_comes_under_a_name_of_serde_jsons_own_is_checked_like_any_text() {
    // serde_json passes exact numbers and raw text through members of these names.
    for text in [
        r#"{"$serde_json::private::Number":"1 , 2"}"#,
        r#"{"$serde_json::private::Number":7}"#,
        r#"{"$serde_json::private::RawValue":"not json"}"#,
        r#"{"$serde_json::private::RawValue":"[[[["}"#,
    ] {
        if let Ok(value) = json::parse(text) {
            assert!(serde_json::from_str::<serde_json::Value>(&value.to_json()).is_ok(), "{text}");
        }
    }
}

proptest! {
    #![proptest_config(cases(500))]

    #[test]
    fn text_of_every_kind_comes_back(text in any::<String>()) {
        let json = Value::text(text.as_str()).to_json();
        let value = json::parse(&json).unwrap();
        prop_assert_eq!(value.as_text(), Some(text.as_str()));
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "[\\[\\]{}\",:\\\\u0-9a-fdD8+. -]{0,60}") {
        if let Ok(value) = json::parse(&text) {
            prop_assert_eq!(json::parse(&value.to_json()).unwrap(), value);
        }
    }
}
