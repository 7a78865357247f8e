//! What page and Worker tell each other.

use esputnik_kit::{
    problem::{Code, Problem},
    value::Value,
    wire::{
        MAX_BATCH_BYTES, MAX_BATCH_RECORDS, Record, TIME_TO_LIVE, VERSION, Verdict, is_message_id,
        message_time, result_value,
    },
};
use proptest::prelude::*;
use serde_json::json;

use crate::rig::{DAY, NOW, WEB_ID, cases, message_id, names, plain, value};

const ID: &str = "016fc8d3-a8e8-7000-8000-000000000001";

fn record() -> serde_json::Value {
    json!({"v": 1, "id": ID, "at": NOW, "call": ["sendEvent", "MainPage"],
        "page": {"url": "https://shop.example/"}, "sc": WEB_ID, "consent": ["tracking"]})
}

/// The refusal of a record with `member` set so, or left out.
fn refusal(member: &str, set: Option<serde_json::Value>) -> Vec<String> {
    let mut record = record();
    match set {
        Some(set) => record[member] = set,
        None => drop(record.as_object_mut().unwrap().remove(member)),
    }
    names(&[Record::from_value(&value(record), None).unwrap_err()])
}

#[test]
fn the_contracts_numbers_are_fixed() {
    assert_eq!((VERSION, MAX_BATCH_RECORDS, MAX_BATCH_BYTES), (1, 100, 65_536));
    assert_eq!(TIME_TO_LIVE, 7 * DAY);
}

#[test]
fn a_record_is_read_whole() {
    let record = Record::from_value(&value(record()), None).unwrap();
    assert_eq!((record.id.as_str(), record.at), (ID, NOW));
    assert_eq!(record.command, "sendEvent");
    assert_eq!(record.arguments, [Value::text("MainPage")]);
    assert_eq!(
        (record.address.as_str(), record.web_id.as_str()),
        ("https://shop.example/", WEB_ID)
    );
    assert!(record.consent.tracking && !record.consent.forms && !record.consent.push);
}

#[test]
fn what_a_record_needs_is_missed_by_name() {
    for member in ["id", "at", "sc", "call"] {
        let expected = [format!("invalid_body {member}")];
        assert_eq!(refusal(member, None), expected);
        for wrong in [json!(null), json!({}), json!(true), json!([]), json!(""), json!("x;y")] {
            assert_eq!(refusal(member, Some(wrong)), expected);
        }
    }
    for call in [json!([7]), json!([["sendEvent"]]), json!([{}])] {
        assert_eq!(refusal("call", Some(call)), ["invalid_body call"]);
    }
}

#[test]
fn a_record_is_an_object() {
    for record in [json!(null), json!([]), json!("x"), json!(1)] {
        let problem = Record::from_value(&value(record), None).unwrap_err();
        assert_eq!(names(&[problem]), ["invalid_body"]);
    }
}

#[test]
fn what_a_record_can_do_without_is_not_asked_for() {
    for (member, wrong) in [("page", json!(7)), ("consent", json!("tracking")), ("v", json!("x"))] {
        let mut record = record();
        record[member] = wrong;
        assert!(Record::from_value(&value(record.clone()), None).is_ok(), "{member}");
        record.as_object_mut().unwrap().remove(member);
        assert!(Record::from_value(&value(record), None).is_ok(), "{member}");
    }
}

#[test]
fn a_record_without_consent_allows_nothing() {
    for consent in [json!(null), json!([]), json!({"tracking": true}), json!(true), json!("all")] {
        let mut record = record();
        record["consent"] = consent;
        let consent = Record::from_value(&value(record), None).unwrap().consent;
        assert!(!consent.tracking && !consent.forms && !consent.recommendations && !consent.push);
    }
}

#[test]
fn a_record_without_a_web_id_has_that_of_its_batch() {
    let mut bare = record();
    let own = bare.as_object_mut().unwrap().remove("sc").unwrap();
    let read = |record, web_id| Record::from_value(&value(record), web_id);
    let named = read(bare.clone(), Some("OTHER")).unwrap();
    assert_eq!(named.web_id.as_str(), "OTHER");
    assert_eq!(read(record(), Some("OTHER")).unwrap().web_id.as_str(), own);
    for web_id in [None, Some(""), Some("with space")] {
        assert_eq!(read(bare.clone(), web_id).unwrap_err().field, "sc", "{web_id:?}");
    }
}

#[test]
fn each_purpose_is_allowed_by_itself() {
    let purposes = ["tracking", "forms", "recommendations", "push"];
    for (place, purpose) in purposes.iter().enumerate() {
        let mut record = record();
        record["consent"] = json!([purpose, "something else", 7]);
        let consent = Record::from_value(&value(record), None).unwrap().consent;
        let allowed = [consent.tracking, consent.forms, consent.recommendations, consent.push];
        assert_eq!(allowed.map(usize::from).iter().sum::<usize>(), 1);
        assert!(allowed[place], "{purpose}");
    }
}

#[test]
fn a_web_id_of_up_to_128_visible_characters_is_taken() {
    for (web_id, taken) in [
        ("a".to_owned(), true),
        ("x".repeat(128), true),
        ("x".repeat(129), false),
        (String::new(), false),
        ("a b".to_owned(), false),
        ("a;b".to_owned(), false),
        ("a,b".to_owned(), false),
        ("a\"b".to_owned(), false),
        ("a\\b".to_owned(), false),
        ("a\r\nSet-Cookie: x=y".to_owned(), false),
        ("é".to_owned(), false),
        ("\u{0}".to_owned(), false),
    ] {
        let mut record = record();
        record["sc"] = json!(web_id);
        assert_eq!(Record::from_value(&value(record), None).is_ok(), taken, "{web_id:?}");
    }
}

#[test]
fn a_message_id_is_a_uuid_in_lower_case() {
    assert!(is_message_id(ID));
    assert!(is_message_id("00000000-0000-0000-0000-000000000000"));
    for text in [
        "",
        "016FC8D3-A8E8-7000-8000-000000000001",
        "016fc8d3-a8e8-7000-8000-00000000001",
        "016fc8d3-a8e8-7000-8000-0000000000011",
        "016fc8d3a8e8-7000-8000-0000000000001-",
        "016fc8d3-a8e8-7000-8000-00000000000g",
        "016fc8d3-a8e8-7000-8000-00000000000é",
        "{16fc8d3-a8e8-7000-8000-000000000001}",
        " 16fc8d3-a8e8-7000-8000-000000000001",
    ] {
        assert!(!is_message_id(text), "{text}");
    }
}

#[test]
fn a_message_id_carries_its_time_and_nothing_else_does() {
    assert_eq!(message_time(ID), 0x016f_c8d3_a8e8);
    for text in
        ["", "-", "x", "016fc8d3a8e8", "016fc8d3-a8e8", "016fc8d3-a8e8-7000", "é", "+6fc8d3a8e8ff"]
    {
        assert_eq!(message_time(text), 0, "{text}");
    }
}

proptest! {
    #![proptest_config(cases(500))]

    #[test]
    fn the_time_of_a_message_id_is_the_one_that_it_was_made_of(
        time in 0..1_u64 << 48,
        number in any::<u32>(),
    ) {
        let id = message_id(time, number);
        prop_assert!(is_message_id(&id));
        prop_assert_eq!(message_time(&id), time);
    }

    #[test]
    fn message_ids_sort_by_their_time(times in (0..1_u64 << 48, 0..1_u64 << 48)) {
        let ids = (message_id(times.0, 7), message_id(times.1, 7));
        prop_assert_eq!(ids.0.cmp(&ids.1), times.0.cmp(&times.1));
    }

    #[test]
    fn no_text_makes_the_reader_of_ids_panic(text in "\\PC{0,40}") {
        prop_assert!(!is_message_id(&text) || message_time(&text) < 1 << 48);
    }
}

#[test]
fn a_result_says_what_became_of_the_record() {
    let result = |verdict| plain(&result_value(ID, verdict, None, &[]));
    assert_eq!(result(Verdict::Accepted), json!({"id": ID, "verdict": "accepted"}));
    assert_eq!(result(Verdict::Duplicate), json!({"id": ID, "verdict": "duplicate"}));
    assert_eq!(result(Verdict::Refused), json!({"id": ID, "verdict": "refused"}));
}

#[test]
fn a_result_says_why_and_what_was_odd() {
    let problem = |code, field: &str| Problem::new(code, field, "do this");
    let reason = problem(Code::MissingField, "ProductPage.productKey");
    let warnings =
        [problem(Code::Alias, "ProductPage.Price"), problem(Code::TimeClamped, "datetime")];
    let result = plain(&result_value(ID, Verdict::Refused, Some(&reason), &warnings));
    let shown =
        |code: &str, field: &str| json!({"code": code, "field": field, "message": "do this"});
    let mut expected = shown("missing_field", "ProductPage.productKey");
    expected["id"] = json!(ID);
    expected["verdict"] = json!("refused");
    expected["warnings"] =
        json!([shown("alias", "ProductPage.Price"), shown("time_clamped", "datetime")]);
    assert_eq!(result, expected);
}

#[test]
fn a_problem_reads_as_code_place_and_remedy() {
    let problem = Problem::new(Code::TooLong, "ProductPage.price", "give an amount");
    assert_eq!(problem.to_string(), "too_long at ProductPage.price: give an amount");
    let problem = Problem::new(Code::TooDeep, "", "nest less");
    assert_eq!(problem.to_string(), "too_deep: nest less");
}
