//! What holds wherever the module runs. It performs nothing, so the test is its host: messages in,
//! effects out, with the test's own clock.

use esputnik_kit::browser::handle;
use js_sys::{Array, JSON, Reflect};
use wasm_bindgen::JsValue;
use wasm_bindgen_test::wasm_bindgen_test;

const BEGIN: f64 = 1_800_000_000_000.0;

/// Effects as JSON texts, so that a failure shows them.
fn run(message: &str, after: f64) -> Vec<String> {
    let effects = handle(message, BEGIN + after, 0.5);
    let effects = JSON::parse(&effects).expect("effects are JSON");
    let text = |effect: JsValue| JSON::stringify(&effect).map(String::from).ok();
    Array::from(&effects).iter().filter_map(text).collect()
}

/// A tracker that knows its settings and nothing else: tests share one module.
fn start() {
    run("[4]", 0.0);
    run(r#"[0,"https://shop.example/k/","main","visible",0,"W"]"#, 0.0);
    run("[7,[],[]]", 0.0);
}

fn id(number: u32) -> String {
    let time = format!("{:012x}", BEGIN as u64);
    format!("{}-{}-7000-8000-{number:012x}", &time[..8], &time[8..])
}

fn record(id: &str, call: &str) -> String {
    let record = format!(
        r#"{{"v":1,"id":"{id}","at":1,"call":{call},"page":{{}},"sc":"W","consent":["tracking"]}}"#
    );
    format!(r#"[1,"{id}",{},"W"]"#, String::from(JSON::stringify(&JsValue::from(record)).unwrap()))
}

fn find<'a>(effects: &'a [String], text: &str) -> &'a str {
    effects
        .iter()
        .find(|effect| effect.contains(text))
        .unwrap_or_else(|| panic!("no effect holds {text}: {effects:?}"))
}

const PRODUCT: &str = r#"["sendEvent","ProductPage",{"ProductPage":{"productKey":"1"}}]"#;

#[wasm_bindgen_test]
fn records_of_one_moment_leave_together() {
    start();
    let (first, second) = (id(1), id(2));
    find(&run(&record(&first, PRODUCT), 0.0), "\"wait\"");
    run(&record(&second, PRODUCT), 1.0);
    let effects = run("[9]", 100.0);
    let send = find(&effects, "\"send\"");
    let body = JSON::parse(send).and_then(|send| Reflect::get_u32(&send, 1)).unwrap();
    let body = body.as_string().unwrap_or_default();
    assert!(
        body.starts_with(r#"{"v":1,"site":"main","sc":"W","sentAt":1800000000100,"records":["#),
        "{body}"
    );
    assert!(body.contains(&first) && body.contains(&second), "{body}");
}

#[wasm_bindgen_test]
fn an_event_that_the_platform_would_refuse_says_why_and_does_not_leave() {
    start();
    let call = r#"["sendEvent","ProductPage",{"ProductPage":{"price":"1"}}]"#;
    let effects = run(&record(&id(3), call), 0.0);
    let done = find(&effects, "refused");
    assert!(done.contains("missing_field") && done.contains("ProductPage.productKey"), "{done}");
    assert!(!run("[9]", 100.0).iter().any(|effect| effect.contains("\"send\"")));
}

#[wasm_bindgen_test]
fn a_verdict_is_reported_and_the_record_leaves_the_store() {
    start();
    let id = id(4);
    run(&record(&id, PRODUCT), 0.0);
    find(&run("[9]", 100.0), "\"send\"");
    let answer = format!(r#"[6,202,null,{{"results":[{{"id":"{id}","verdict":"accepted"}}]}}]"#);
    let effects = run(&answer, 200.0);
    assert!(find(&effects, "\"done\"").contains("accepted"));
    assert!(find(&effects, "\"remove\"").contains(&id));
}

#[wasm_bindgen_test]
fn silence_and_503_are_followed_by_the_same_message_id() {
    start();
    let id = id(5);
    run(&record(&id, PRODUCT), 0.0);
    find(&run("[9]", 100.0), "\"send\"");
    find(&run("[6]", 200.0), "\"wait\"");
    assert!(find(&run("[9]", 5_000.0), "\"send\"").contains(&id));
    find(&run("[6,503]", 5_100.0), "\"wait\"");
    assert!(find(&run("[9]", 60_000.0), "\"send\"").contains(&id));
}

#[wasm_bindgen_test]
fn messages_that_nobody_sends_do_no_harm() {
    start();
    for message in ["", "null", "{}", "[]", "[99]", "[1]", "[1,2,3]", "[6,202,null,7]", "[7,1,1]"] {
        let _ = handle(message, BEGIN, 0.5);
    }
    let id = id(6);
    run(&record(&id, PRODUCT), 0.0);
    assert!(find(&run("[9]", 120_000.0), "\"send\"").contains(&id));
}
