//! The cart's states: each told apart by its GUID, each sent once.

use esputnik_kit::{visitor::Outcome, wire::Verdict};
use serde_json::{Value, json};

use crate::rig::{Browser, MINUTE, NOW, at, general_info, names};

fn cart(keys: &[&str], guid: Option<&str>) -> Value {
    let item = |key: &&str| json!({"productKey": key, "price": "1.00", "quantity": 1});
    let items: Vec<Value> = keys.iter().map(item).collect();
    let mut data = json!({"StatusCart": items});
    if let Some(guid) = guid {
        data["GUID"] = guid.into();
    }
    json!(["sendEvent", "StatusCart", data])
}

fn guid(outcome: &Outcome) -> Value {
    at(outcome, "/StatusCart/GUID")
}

#[track_caller]
fn is_unchanged(outcome: &Outcome) {
    assert_eq!(outcome.verdict, Verdict::Duplicate);
    assert_eq!(outcome.reason.as_ref().unwrap().code.as_str(), "cart_unchanged");
    assert_eq!(outcome.body, None);
}

#[test]
fn a_guid_that_the_shop_gives_is_kept() {
    let mut browser = Browser::new();
    let outcome = browser.call(NOW, cart(&["a"], Some("6F9619FF-8B86-D011-B42D-00CF4FC964FF")));
    assert_eq!(guid(&outcome), "6F9619FF-8B86-D011-B42D-00CF4FC964FF");
    assert!(outcome.warnings.is_empty(), "{:?}", outcome.warnings);
}

#[test]
fn a_missing_guid_is_made_and_named() {
    let mut browser = Browser::new();
    let outcome = browser.call(NOW, cart(&["a"], None));
    let made = guid(&outcome);
    let made = made.as_str().unwrap();
    let groups: Vec<usize> = made.split('-').map(str::len).collect();
    assert_eq!(groups, [8, 4, 4, 4, 12], "{made}");
    assert!(made.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit()), "{made}");
    assert_eq!(made.as_bytes()[14], b'4', "a version 4 GUID");
    assert_eq!(names(&outcome.warnings), ["guid_made StatusCart.GUID"]);
}

#[test]
fn each_state_gets_a_guid_of_its_own() {
    let mut browser = Browser::new();
    let mut made = Vec::new();
    for (time, keys) in [&["a"][..], &["a", "b"], &["a"], &[], &["a"]].into_iter().enumerate() {
        made.push(guid(&browser.call(NOW + time as u64, cart(keys, None))).to_string());
    }
    made.sort();
    made.dedup();
    assert_eq!(made.len(), 5, "a state that comes back is a new one");
}

#[test]
fn the_same_content_with_the_same_or_no_guid_is_not_sent_again() {
    let mut browser = Browser::new();
    browser.call(NOW, cart(&["a"], Some("g")));
    is_unchanged(&browser.call(NOW + 1, cart(&["a"], Some("g"))));
    is_unchanged(&browser.call(NOW + 2, cart(&["a"], None)));
    let mut browser = Browser::new();
    let made = guid(&browser.call(NOW, cart(&["a"], None)));
    is_unchanged(&browser.call(NOW + 1, cart(&["a"], None)));
    is_unchanged(&browser.call(NOW + 2, cart(&["a"], made.as_str())));
}

#[test]
fn the_same_content_with_another_guid_is_sent() {
    let mut browser = Browser::new();
    browser.call(NOW, cart(&["a"], Some("g1")));
    let outcome = browser.call(NOW + 1, cart(&["a"], Some("g2")));
    assert_eq!(guid(&outcome), "g2");
}

#[test]
fn the_other_nesting_and_other_words_are_the_same_content() {
    let mut browser = Browser::new();
    let item = json!({"productKey": "a", "price": "1.00", "quantity": "1", "currency": "UAH"});
    browser.call(NOW, json!(["sendEvent", "StatusCart", {"StatusCart": [item], "GUID": "g"}]));
    let item = json!({"product_id": "a", "unit_price": "1.00", "quantity": 1,
        "price_currency_code": "UAH"});
    let tags = json!({"StatusCart": {"Products": [item]}});
    is_unchanged(&browser.call(NOW + 1, json!(["sendEventWithTags", "StatusCart", tags])));
}

#[test]
fn every_part_of_the_content_counts() {
    let item = json!({"productKey": "a", "price": "1.00", "quantity": 1});
    let with = |name: &str, value: Value| {
        let mut item = item.clone();
        item[name] = value;
        json!({"StatusCart": [item]})
    };
    for changed in [
        with("productKey", json!("b")),
        with("price", json!("1")),
        with("quantity", json!(2)),
        with("discount", json!("1")),
        with("currency", json!("UAH")),
        with("tag_size", json!(["M"])),
        json!({"StatusCart": [item, item]}),
        json!({"StatusCart": [item], "Tags": {"t": ["1"]}}),
    ] {
        let mut browser = Browser::new();
        browser.call(NOW, json!(["sendEvent", "StatusCart", {"StatusCart": [item]}]));
        let outcome = browser.call(NOW + 1, json!(["sendEvent", "StatusCart", changed]));
        assert_eq!(outcome.verdict, Verdict::Accepted, "{changed}");
    }
}

#[test]
fn an_emptied_cart_is_sent_once() {
    let mut browser = Browser::new();
    browser.call(NOW, cart(&["a"], None));
    let outcome = browser.call(NOW + 1, cart(&[], None));
    assert_eq!(at(&outcome, "/StatusCart/Products"), json!([]));
    is_unchanged(&browser.call(NOW + 2, cart(&[], None)));
}

#[test]
fn a_guid_reused_for_another_content_is_sent_with_a_warning() {
    let mut browser = Browser::new();
    browser.call(NOW, cart(&["a"], Some("g")));
    let outcome = browser.call(NOW + 1, cart(&["a", "b"], Some("g")));
    assert_eq!(guid(&outcome), "g");
    assert_eq!(names(&outcome.warnings), ["guid_reused StatusCart.GUID"]);
}

#[test]
fn a_guid_that_comes_back_with_its_own_content_does_not_warn() {
    let mut browser = Browser::new();
    browser.call(NOW, cart(&["a"], Some("g1")));
    browser.call(NOW + 1, cart(&["b"], Some("g2")));
    let outcome = browser.call(NOW + 2, cart(&["a"], Some("g1")));
    assert_eq!(outcome.verdict, Verdict::Accepted);
    assert!(outcome.warnings.is_empty(), "{:?}", outcome.warnings);
}

#[test]
fn a_reuse_is_noticed_also_after_other_states() {
    let mut browser = Browser::new();
    browser.call(NOW, cart(&["a"], Some("g1")));
    browser.call(NOW + 1, cart(&["b"], Some("g2")));
    let outcome = browser.call(NOW + 2, cart(&["c"], Some("g1")));
    assert_eq!(names(&outcome.warnings), ["guid_reused StatusCart.GUID"]);
}

#[test]
fn a_state_that_arrives_late_is_sent_with_its_time_and_is_not_the_present_one() {
    let mut browser = Browser::new();
    browser.call(NOW, cart(&["a"], Some("g1")));
    browser.call(NOW + 20, cart(&["a", "b", "c"], Some("g3")));
    let late = browser.late(NOW + 10, NOW + MINUTE, cart(&["a", "b"], Some("g2")));
    assert_eq!((guid(&late), at(&late, "/GeneralInfo/datetime")), (json!("g2"), json!(NOW + 10)));
    let again = browser.call(NOW + 2 * MINUTE, cart(&["a", "b", "c"], None));
    is_unchanged(&again);
}

#[test]
fn a_purchase_after_a_late_state_has_the_guid_of_the_present_one() {
    let mut browser = Browser::new();
    browser.call(NOW + 20, cart(&["a", "b"], Some("g2")));
    browser.late(NOW + 10, NOW + 30, cart(&["a"], Some("g1")));
    let data = json!({"PurchasedItems": {"OrderNumber": "1"}});
    let outcome = browser.call(NOW + 40, json!(["sendEventWithTags", "PurchasedItems", data]));
    assert_eq!(at(&outcome, "/PurchasedItems/GUID"), "g2");
}

#[test]
fn a_reset_forgets_the_cart() {
    let mut browser = Browser::new();
    browser.call(NOW, cart(&["a"], None));
    browser.call(NOW + 1, json!(["reset"]));
    let outcome = browser.call(NOW + 2, cart(&["a"], None));
    assert_eq!(outcome.verdict, Verdict::Accepted, "the next person's cart, though it looks alike");
}

#[test]
fn a_cart_from_before_the_reset_is_not_the_next_persons() {
    let mut browser = Browser::new();
    browser.call(NOW + 10, json!(["reset"]));
    let late = browser.late(NOW, NOW + 20, cart(&["a"], Some("old")));
    assert_eq!(guid(&late), "old", "it is sent");
    let data = json!({"PurchasedItems": {"OrderNumber": "1"}});
    let outcome = browser.call(NOW + 30, json!(["sendEventWithTags", "PurchasedItems", data]));
    assert_eq!(at(&outcome, "/PurchasedItems/GUID"), json!(null));
}

#[test]
fn a_servers_cart_and_a_pages_are_one() {
    let mut browser = Browser::new();
    browser.call(NOW, cart(&["a"], Some("g")));
    let item = json!({"productKey": "a", "price": "1.00", "quantity": 1});
    let mut general = general_info("StatusCart");
    general["datetime"] = json!(NOW + 1);
    let body = json!({"GeneralInfo": general, "StatusCart": {"Products": [item]}});
    is_unchanged(&browser.rest(NOW + 1, body));
    let body = json!({"GeneralInfo": general, "StatusCart": {"GUID": "g2", "Products": []}});
    assert_eq!(guid(&browser.rest(NOW + 2, body)), "g2");
    is_unchanged(&browser.call(NOW + 3, cart(&[], None)));
}

#[test]
fn a_record_read_twice_makes_the_same_guid() {
    let mut first = Browser::new();
    let mut second = Browser::new();
    let record = first.record(NOW, cart(&["a"], None));
    let one = first.take(&record, NOW, NOW);
    let other = second.take(&record, NOW + 5, NOW + 5);
    assert_eq!(guid(&one), guid(&other), "whether the loader or the tracker brought it");
}

#[test]
fn a_cart_that_never_rests_keeps_a_bounded_state() {
    let mut browser = Browser::new();
    for number in 0..500 {
        browser.call(NOW + number, cart(&[&number.to_string()], None));
    }
    assert!(browser.state().len() < 3000, "{}", browser.state().len());
}
