//! The page decides with code of its own what it can decide: it must come to what the edge comes to.

use esputnik_kit::{event::Event, json, value::Value};
use proptest::prelude::*;
use serde_json::json;

use super::hostile::{corpus, values};
use crate::rig::{cases, value};

/// Both checks of a call: the page's, and the first reason of the edge's refusal.
#[track_caller]
fn agree(command: &str, arguments: &[Value]) {
    let edge = Event::from_call(command, arguments).err().map(|problems| problems[0].clone());
    assert_eq!(Event::check_call(command, arguments), edge, "{command} {arguments:?}");
}

/// What the page's reader makes of a text, with names that stand twice read as the edge reads them.
fn page_reads(text: &str) -> Option<String> {
    let read = Value::from_json(text)?.to_json();
    Some(json::parse(&read).unwrap().to_json())
}

#[test]
fn the_page_refuses_what_the_edge_refuses_for_the_same_reason() {
    for call in [
        json!(["sendEvent"]),
        json!(["sendEvent", "Purchase"]),
        json!(["sendEvent", 7]),
        json!(["sendEvent", "ProductUpdate"]),
        json!(["sendEvent", "ProductPage"]),
        json!(["sendEvent", "ProductPage", {"ProductPage": {"price": "free", "isInStock": 2}}]),
        json!(["sendEvent", "ProductPage", {"ProductPage": {"productKey": "7"}}]),
        json!(["sendEvent", "StatusCart", {"StatusCart": [{}], "GUID": "a\nb"}]),
        json!(["sendEventWithTags", "PurchasedItems", {"PurchasedItems": {}}]),
        json!(["sendEvent", "CustomerData", {"CustomerData": {"user_name": "Ann"}}]),
        json!(["sendEvent", "MainPage", {"GeneralInfo": {"datetime": "x", "cookies": {"sc": []}}}]),
        json!(["sendEvent", "MainPage", {"x": {"y".repeat(101): 1}}]),
        json!(["sendEvent", "MainPage", {"Tags": {"t": "x".repeat(8193)}}]),
        json!(["identify", {"user_email": "a@b.c"}]),
        json!(["identify", {}]),
        json!(["getRecommendations", {}]),
    ] {
        let call = value(call);
        let (command, arguments) = call.as_list().unwrap().split_first().unwrap();
        agree(command.as_text().unwrap(), arguments);
    }
}

#[test]
fn the_page_reads_every_text_as_the_edge_does() {
    for text in corpus() {
        let edge = json::parse(&text).ok().filter(|value| value.depth() < 64);
        // serde_json writes `1e400` with a sign, and keeps two names for itself.
        if !text.contains("1e4") && !text.contains("1e9") && !text.contains("$serde_json") {
            let start: String = text.chars().take(80).collect();
            assert_eq!(page_reads(&text), edge.map(|value| value.to_json()), "{start}");
        }
    }
}

#[test]
fn the_page_reads_nesting_to_64_levels() {
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    assert_eq!(Value::from_json(&nested(64)).map(|value| value.depth()), Some(64));
    assert_eq!(Value::from_json(&nested(65)), None);
    assert_eq!(Value::from_json(&"[".repeat(1_000_000)), None);
}

#[test]
fn the_page_keeps_the_text_of_every_number() {
    for number in ["0", "-0", "450.00", "1e400", "-1.5E-7", "12345678901234567890123"] {
        assert_eq!(Value::from_json(number), Some(Value::Number(number.into())));
    }
    for text in ["01", "+1", "1.", ".5", "1e", "1e+", "--1", "0x1", "-", "1-1", "NaN", "nulll"] {
        assert_eq!(Value::from_json(text), None, "{text}");
    }
}

proptest! {
    #![proptest_config(cases(512))]

    #[test]
    fn the_page_refuses_whatever_the_edge_refuses(
        command in prop::sample::select(vec!["sendEvent", "sendEventWithTags", "identify", "x"]),
        name in prop::sample::select(vec![
            "MainPage", "StatusCart", "PurchasedItems", "ProductPage", "CustomerData", "x",
            "CategoryPage", "ProductImpressions", "SearchRequest",
        ]),
        data in values(),
        later in values(),
    ) {
        agree(command, std::slice::from_ref(&data));
        agree(command, &[Value::text(name), data.clone(), later.clone()]);
        let keyed = Value::Object(vec![(name.into(), data)]);
        agree(command, &[Value::text(name), keyed, later]);
    }

    #[test]
    fn the_page_reads_whatever_the_edge_reads(
        text in "([\\[\\]{},:]|\"[a\\\\\u{1f}é]{0,2}\"|\\\\u[dD][8c]3d|-?[0-9.]{1,3}|null|true| ){0,12}"
    ) {
        let edge = json::parse(&text).ok().map(|value| value.to_json());
        prop_assert_eq!(page_reads(&text), edge, "{}", text);
    }

    #[test]
    fn what_is_written_is_read_the_same(input in values()) {
        let text = input.to_json();
        prop_assert_eq!(Value::from_json(&text), Some(input));
    }

    #[test]
    fn text_of_every_kind_comes_back(text in any::<String>()) {
        let json = serde_json::to_string(&text).unwrap();
        prop_assert_eq!(Value::from_json(&json), Some(Value::Text(text)));
    }
}
