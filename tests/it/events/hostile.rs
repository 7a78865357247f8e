//! Input that means harm, or that nobody meant: never a panic, always the same answer.

use std::panic::{AssertUnwindSafe, catch_unwind};

use esputnik_kit::{
    event::Event,
    json,
    problem::Problem,
    value::{Members, Value},
    wire::Record,
};
use proptest::prelude::*;
use serde_json::json;

use crate::rig::{cases, encode, encode_value, names, read_call, value};

/// Reads `text` by every door that outside text comes in through; says what each answered.
fn every_door(text: &str) -> Vec<Result<(), Vec<String>>> {
    let read = |problems: Result<_, Vec<Problem>>| problems.map(drop).map_err(|list| names(&list));
    let value = match json::parse(text) {
        Ok(value) => value,
        Err(problem) => return vec![Err(names(&[problem]))],
    };
    let mut answers = vec![
        read(Event::from_rest(&value).map(|reading| assert!(is_json(&encode_value(&reading))))),
        read(Record::from_value(&value, None).map(drop).map_err(|problem| vec![problem])),
    ];
    for (command, name) in [
        ("sendEvent", Some("StatusCart")),
        ("sendEventWithTags", Some("PurchasedItems")),
        ("sendEvent", Some("ProductPage")),
        ("sendEvent", Some("CustomerData")),
        ("identify", None),
    ] {
        let data = match name {
            Some(name) => Value::Object(vec![(name.into(), value.clone())]),
            None => value.clone(),
        };
        let mut arguments: Vec<Value> = name.map(Value::text).into_iter().collect();
        arguments.extend([data, value.clone()]);
        let reading = Event::from_call(command, &arguments);
        answers.push(read(reading.map(|reading| assert!(is_json(&encode_value(&reading))))));
    }
    answers
}

fn is_json(value: &Value) -> bool {
    serde_json::from_str::<serde_json::Value>(&value.to_json()).is_ok()
}

/// Texts in the manner of `JSONTestSuite` and of the Big List of Naughty Strings.
pub(super) fn corpus() -> Vec<String> {
    let deep = |open: &str, close: &str, depth: usize| open.repeat(depth) + &close.repeat(depth);
    let mut texts: Vec<String> = [
        "",
        " ",
        "null",
        "[]",
        "{}",
        "true",
        "0",
        "\"\"",
        "\u{feff}{}",
        "{}x",
        "{} {}",
        "[1,]",
        "[,1]",
        "[1 2]",
        "{\"a\"}",
        "{\"a\":}",
        "{a:1}",
        "{'a':1}",
        "{\"a\":1,}",
        "[\"",
        "[\"\\x\"]",
        "[\"\\u12\"]",
        "[\"\\",
        "[1",
        "{\"a\":1",
        "[tru]",
        "[nul]",
        "[NaN]",
        "[-Infinity]",
        "[+1]",
        "[01]",
        "[1.]",
        "[.5]",
        "[1e]",
        "[0x1]",
        "[-]",
        "[1e400]",
        "[-1e400]",
        "[1e-400]",
        "[-0]",
        "[-0.0]",
        "[9007199254740993]",
        "[1234567890123456789012345678901234567890]",
        "[0.1234567890123456789012345678901234567890]",
        "[1e99999999999999999999]",
        "[\"\\ud800\"]",
        "[\"\\udc00\\ud800\"]",
        "{\"\\ud800\":1}",
        "[\"\\ud83d\\ude42\"]",
        "[\"\\u0000\"]",
        "[\"\\u0000\\u001f\"]",
        "[\"\u{7f}\u{80}\u{9f}\"]",
        "[\"\\r\\nSet-Cookie: a=b\"]",
        "[\"\u{202e}txt.exe\"]",
        "[\"\u{200b}\u{feff}\u{2028}\u{2029}\"]",
        "[\"Z͑ͫ̓ͪ̂ͫa̸̭l̩g̶o\"]",
        "[\"田中さんにあげて\"]",
        "[\"👩‍👩‍👧‍👦🏳️‍🌈\"]",
        "[\"' OR 1=1 --\"]",
        "[\"<script>alert(1)</script>\"]",
        "[\"${jndi:ldap://x}\"]",
        "[\"../../etc/passwd\"]",
        "[\"%2e%2e%2f\"]",
        "[\"{{7*7}}\"]",
        "{\"__proto__\":{\"polluted\":1}}",
        "{\"constructor\":{\"prototype\":{}}}",
        "{\"a\":1,\"a\":2}",
        "{\"\":1}",
        "{\"a\\u0000b\":1}",
        "{\"toString\":1,\"valueOf\":2}",
        "{\"$serde_json::private::Number\":\"1\"}",
        "{\"$serde_json::private::Number\":\"1},{\"}",
        "{\"$serde_json::private::Number\":7}",
        "{\"$serde_json::private::RawValue\":\"[[[]]]\"}",
        "{\"$serde_json::private::RawValue\":\"nonsense\"}",
        "{\"GeneralInfo\":{\"eventName\":\"__proto__\"}}",
        "{\"GeneralInfo\":[],\"webId\":\"x\"}",
        "{\"GeneralInfo\":{\"eventName\":\"MainPage\",\"cookies\":{\"sc\":\"a;b\\\"c\"}}}",
        "{\"StatusCart\":{\"StatusCart\":{\"StatusCart\":[]}}}",
        "{\"Products\":[[[[]]]],\"Tags\":{\"Tags\":{}},\"GUID\":[]}",
        "{\"Product\":[],\"Category\":7,\"GeneralInfo\":{\"GeneralInfo\":{}}}",
    ]
    .map(str::to_owned)
    .to_vec();
    texts.extend([1, 15, 16, 17, 127, 128, 129, 10_000].map(|depth| deep("[", "]", depth)));
    texts.extend([15, 16, 17, 128].map(|depth| "{\"a\":".repeat(depth) + "1" + &"}".repeat(depth)));
    texts.extend([
        "[".repeat(100_000),
        "{\"a\":".repeat(100_000),
        "[\"".to_owned() + &"x".repeat(100_000) + "\"]",
        "[".to_owned() + &"1".repeat(100_000) + "]",
        "{".to_owned() + &"\"a\":1,".repeat(10_000) + "\"a\":2}",
        "[".to_owned() + &"{},".repeat(10_000) + "{}]",
        "[\"".to_owned() + &"\\ud800".repeat(5_000) + "\"]",
        "[\"".to_owned() + &"\\\\".repeat(5_000) + "\\ud800\"]",
    ]);
    // Text in text in text: each level is read anew.
    let raw = |text: String| json!({"$serde_json::private::RawValue": text}).to_string();
    texts.push((0..8).fold(deep("[", "]", 100), |text, _| raw(text)));
    texts
}

#[test]
fn no_text_makes_a_reader_panic() {
    for text in corpus() {
        let start: String = text.chars().take(80).collect();
        let read = catch_unwind(AssertUnwindSafe(|| every_door(&text)));
        assert!(read.is_ok(), "{start}");
    }
}

#[test]
fn the_same_text_gets_the_same_answer() {
    for text in corpus() {
        assert_eq!(every_door(&text), every_door(&text));
    }
}

#[test]
fn every_refusal_has_a_code_of_the_list() {
    let known = [
        "unknown_command",
        "unknown_event",
        "missing_field",
        "wrong_type",
        "too_long",
        "too_deep",
        "out_of_range",
        "forbidden_character",
        "server_only",
        "invalid_body",
    ];
    for text in corpus() {
        for problem in every_door(&text).into_iter().filter_map(Result::err).flatten() {
            let code = problem.split(' ').next().unwrap();
            assert!(known.contains(&code), "{problem}");
        }
    }
}

#[test]
fn a_text_that_is_no_json_is_an_invalid_body() {
    for text in ["", "{}x", "[1,]", "{'a':1}", "[NaN]", "\u{feff}{}", "[01]", "[\"\\x\"]", "[1"] {
        assert_eq!(every_door(text), [Err(vec!["invalid_body".to_owned()])], "{text}");
    }
}

#[test]
fn nesting_beyond_reading_is_too_deep_before_anything_else() {
    for text in ["[".repeat(100_000), "{\"a\":".repeat(100_000)] {
        assert_eq!(every_door(&text), [Err(vec!["too_deep".to_owned()])]);
    }
}

#[test]
fn a_name_of_javascripts_own_is_a_member_like_any_other() {
    let text = r#"{"MainPage":{},"__proto__":{"polluted":1},"constructor":2,"toString":3}"#;
    let reading =
        Event::from_call("sendEvent", &[Value::text("MainPage"), json::parse(text).unwrap()]);
    let reading = reading.unwrap();
    let members = ["__proto__", "constructor", "toString"];
    assert_eq!(names(&reading.warnings), members.map(|name| format!("unknown_member {name}")));
    let body = encode(&reading);
    assert_eq!(body["__proto__"], json!({"polluted": 1}));
    assert_eq!(body.as_object().unwrap().len(), 4);
}

#[test]
fn the_last_of_a_name_counts_as_in_javascript() {
    let text = r#"{"ProductPage":{"productKey":"1","productKey":"2","x":1,"x":2}}"#;
    let reading =
        Event::from_call("sendEvent", &[Value::text("ProductPage"), json::parse(text).unwrap()]);
    let product = &encode(&reading.unwrap())["ProductPage"]["Product"];
    assert_eq!(product, &json!({"productKey": "2", "x": 2}));
}

#[test]
fn half_a_pair_of_surrogates_costs_only_itself() {
    let text = r#"{"SearchRequest":{"search":"tent \ud83d"}}"#;
    let reading =
        Event::from_call("sendEvent", &[Value::text("SearchRequest"), json::parse(text).unwrap()]);
    assert_eq!(encode(&reading.unwrap())["SearchRequest"]["search"], "tent \u{fffd}");
}

#[test]
fn text_of_any_script_and_direction_passes_unchanged() {
    for text in ["\u{202e}tset", "田中", "👩‍👩‍👧‍👦", "a\u{200b}b", "Z͑ͫ̓a̸l", "<script>", "' OR 1=1 --"]
    {
        let reading =
            read_call(json!(["sendEvent", "SearchRequest", {"SearchRequest": {"search": text}}]));
        assert_eq!(encode(&reading.unwrap())["SearchRequest"]["search"], text);
    }
}

#[test]
fn a_text_with_nul_outside_identifiers_leaves_escaped() {
    let data = json!({"SearchRequest": {"search": "a\u{0}b"}});
    let reading = read_call(json!(["sendEvent", "SearchRequest", data])).unwrap();
    assert!(encode_value(&reading).to_json().contains(r#""a\u0000b""#));
}

#[test]
fn a_number_beyond_every_type_is_refused_where_one_is_counted_and_kept_where_it_names() {
    for number in ["1e400", "1234567890123456789012345678901234567890"] {
        let text = format!(r#"[{{"productKey":{number},"price":"1","quantity":{number}}}]"#);
        let data = Value::Object(vec![("StatusCart".into(), json::parse(&text).unwrap())]);
        let problems =
            Event::from_call("sendEvent", &[Value::text("StatusCart"), data]).unwrap_err();
        assert_eq!(names(&problems), ["wrong_type StatusCart[0].quantity"]);
    }
}

#[test]
fn a_cart_of_ten_thousand_products_is_read() {
    let items: Vec<_> = (0..10_000)
        .map(|key| json!({"productKey": key.to_string(), "price": "1", "quantity": 1}))
        .collect();
    let reading = read_call(json!(["sendEvent", "StatusCart", {"StatusCart": items}])).unwrap();
    assert_eq!(reading.event.products.unwrap().len(), 10_000);
}

/// Values whose names and texts are mostly those that the readers look for.
pub(super) fn values() -> impl Strategy<Value = Value> {
    let names = prop::sample::select(vec![
        "GeneralInfo",
        "Products",
        "Product",
        "Category",
        "Tags",
        "GUID",
        "OrderNumber",
        "eventName",
        "StatusCart",
        "PurchasedItems",
        "ProductPage",
        "CustomerData",
        "ProductImpressions",
        "productKey",
        "product_id",
        "price",
        "Price",
        "quantity",
        "isInStock",
        "tag_a",
        "cookies",
        "sc",
        "webId",
        "datetime",
        "user_email",
        "externalCustomerId",
        "block_id",
        "blockId",
        "currency",
        "x",
        "__proto__",
        "",
    ]);
    let texts = prop_oneof![
        prop::sample::select(vec![
            "MainPage",
            "StatusCart",
            "PurchasedItems",
            "ProductUpdate",
            "1",
            "0",
            "-1",
            "1.5",
            "",
            " ",
            "1 UAH",
            "a@b.c\r\n",
            "\u{0}",
            "{}",
            "{6F9619FF}",
            "true",
        ])
        .prop_map(str::to_owned),
        ".{0,12}",
    ];
    let numbers = prop_oneof![any::<i64>().prop_map(|n| n.to_string()), Just("1e400".to_owned())];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        numbers.prop_map(Value::Number),
        texts.prop_map(Value::Text),
    ];
    leaf.prop_recursive(5, 60, 6, move |inner| {
        let member = (names.clone().prop_map(str::to_owned), inner.clone());
        prop_oneof![
            prop::collection::vec(inner, 0..5).prop_map(Value::List),
            prop::collection::vec(member, 0..6).prop_map(Value::Object),
        ]
    })
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn whatever_is_read_leaves_as_json(input in values()) {
        every_door(&input.to_json());
    }

    #[test]
    fn no_prefix_of_a_record_is_taken_for_one(cut in 0.0..1.0_f64) {
        let call = json!(["sendEvent", "SearchRequest", {"SearchRequest": {"search": "é🙂\""}}]);
        let text = json!({"id": "0190a5b4-0000-7000-8000-000000000001", "at": 1, "call": call}).to_string();
        let length = text.chars().count();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
        let cut: String = text.chars().take((length as f64 * cut) as usize).collect();
        prop_assert!(json::parse(&cut).is_err());
    }
}

#[test]
fn a_value_with_a_name_twice_is_read_without_a_panic() {
    // The page's own reader can hand over what JSON text cannot hold.
    let twice = |members: Members| Value::Object([members.clone(), members].concat());
    let data = value(
        json!({"StatusCart": [{"productKey": "7", "price": "1", "quantity": 1}], "GUID": "g"}),
    );
    let Value::Object(members) = data else { panic!("an object") };
    let reading = Event::from_call("sendEvent", &[Value::text("StatusCart"), twice(members)]);
    assert_eq!(encode(&reading.unwrap())["StatusCart"]["Products"].as_array().unwrap().len(), 1);
}
