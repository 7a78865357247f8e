//! Every limit at one below, at itself and at one above.

use esputnik_kit::event::{MAX_DEPTH, MAX_NAME, MAX_TEXT};
use serde_json::{Value, json};

use crate::rig::{names, read_call};

/// What a call is refused for; nothing if it is taken.
fn refusal(call: Value) -> Vec<String> {
    read_call(call).map_or_else(|problems| names(&problems), |_| Vec::new())
}

/// A call is taken below the limit and at it, and refused as `problem` above it.
#[track_caller]
fn holds(limit: usize, problem: &str, call: impl Fn(usize) -> Value) {
    assert_eq!(refusal(call(limit - 1)), [""; 0], "below the limit");
    assert_eq!(refusal(call(limit)), [""; 0], "at the limit");
    assert_eq!(refusal(call(limit + 1)), [problem], "above the limit");
}

fn product(field: &str, value: &Value) -> Value {
    let mut fields = json!({"productKey": "7"});
    fields[field] = value.clone();
    json!(["sendEvent", "ProductPage", {"ProductPage": fields}])
}

#[test]
fn the_limits_are_the_documented_ones() {
    assert_eq!((MAX_TEXT, MAX_NAME, MAX_DEPTH), (8192, 100, 16));
}

#[test]
fn a_text_has_at_most_8192_bytes() {
    let text = |size: usize| json!("x".repeat(size));
    holds(8192, "too_long ProductPage.productKey", |size| product("productKey", &text(size)));
    holds(8192, "too_long ProductPage.tag_x[0]", |size| product("tag_x", &json!([text(size)])));
    holds(8192, "too_long ProductPage.other", |size| product("other", &text(size)));
    holds(8192, "too_long ProductPage.other", |size| {
        product("other", &json!([{"deep": text(size)}]))
    });
}

#[test]
fn a_text_is_measured_in_bytes_not_in_characters() {
    assert_eq!(refusal(product("productKey", &json!("é".repeat(4096)))), [""; 0]);
    let found = refusal(product("productKey", &json!("é".repeat(4097))));
    assert_eq!(found, ["too_long ProductPage.productKey"]);
}

#[test]
fn an_identifier_has_at_most_300_characters() {
    let text = |size: usize| json!("é".repeat(size));
    holds(
        300,
        "too_long CustomerData.user_email",
        |size| json!(["identify", {"user_email": text(size)}]),
    );
    holds(
        300,
        "too_long GeneralInfo.s_location",
        |size| json!(["sendEvent", "MainPage", {"GeneralInfo": {"s_location": text(size)}}]),
    );
    holds(
        300,
        "too_long PurchasedItems.OrderNumber",
        |size| json!(["sendEventWithTags", "PurchasedItems", {"PurchasedItems": {"OrderNumber": text(size)}}]),
    );
}

#[test]
fn a_guid_has_at_most_72_characters() {
    holds(
        72,
        "too_long GUID",
        |size| json!(["sendEvent", "StatusCart", {"StatusCart": [], "GUID": "a".repeat(size)}]),
    );
}

#[test]
fn a_price_has_at_most_40_characters() {
    holds(40, "too_long ProductPage.price", |size| product("price", &json!("9".repeat(size))));
    let with_currency = |size: usize| json!(["9".repeat(size - 4), " грн".to_owned()].concat());
    holds(40, "too_long ProductPage.price", |size| product("price", &with_currency(size)));
}

#[test]
fn a_name_has_at_most_100_characters() {
    let tag = |size: usize| ["tag_", &"é".repeat(size - 4)].concat();
    let problem = ["too_long ProductPage.", &tag(101)].concat();
    holds(100, &problem, |size| product(&tag(size), &json!(["x"])));
    let name = |size: usize| "n".repeat(size);
    let problem = ["too_long ProductPage.", &name(101)].concat();
    holds(100, &problem, |size| product(&name(size), &json!(1)));
    holds(100, "too_long ProductPage.other", |size| product("other", &json!({name(size): 1})));
    let problem = ["too_long ProductPage.Tags.", &name(101)].concat();
    holds(100, &problem, |size| product("Tags", &json!({name(size): ["x"]})));
    let problem = ["too_long GeneralInfo.", &name(101)].concat();
    holds(
        100,
        &problem,
        |size| json!(["sendEvent", "MainPage", {"GeneralInfo": {name(size): "x"}}]),
    );
}

#[test]
fn a_call_is_nested_at_most_16_deep() {
    // The data's own object and the one below its key are two of the levels.
    let nested = |depth: usize| (2..depth).fold(json!("x"), |inner, _| json!([inner]));
    holds(16, "too_deep", |depth| product("other", &nested(depth)));
}

#[test]
fn the_depth_of_every_argument_counts() {
    let nested = |depth: usize| (0..depth).fold(json!("x"), |inner, _| json!([inner]));
    holds(16, "too_deep", |depth| json!(["sendEvent", "MainPage", {}, nested(depth)]));
}
