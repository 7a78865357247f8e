//! Purchases: once for each order, with the GUID of what was ordered and the blocks that led there.

use esputnik_kit::{visitor::Outcome, wire::Verdict};
use serde_json::{Value, json};

use crate::rig::{Browser, MINUTE, NOW, at, general_info};

fn cart(keys: &[&str], guid: &str) -> Value {
    let item = |key: &&str| json!({"productKey": key, "price": "1", "quantity": 1});
    let items: Vec<Value> = keys.iter().map(item).collect();
    json!(["sendEvent", "StatusCart", {"StatusCart": items, "GUID": guid}])
}

fn purchase(number: &str) -> Value {
    let item = json!({"product_id": "a", "unit_price": "1", "quantity": 1});
    let data = json!({"PurchasedItems": {"Products": [item], "OrderNumber": number}});
    json!(["sendEventWithTags", "PurchasedItems", data])
}

fn guid(outcome: &Outcome) -> Value {
    at(outcome, "/PurchasedItems/GUID")
}

#[test]
fn a_purchase_gets_the_guid_of_the_last_cart() {
    let mut browser = Browser::new();
    browser.call(NOW, cart(&["a"], "g"));
    assert_eq!(guid(&browser.call(NOW + 1, purchase("1"))), "g");
}

#[test]
fn a_purchase_keeps_the_guid_that_the_shop_gives() {
    let mut browser = Browser::new();
    browser.call(NOW, cart(&["a"], "g"));
    let data = json!({"PurchasedItems": {"OrderNumber": "1", "GUID": "own"}});
    let outcome = browser.call(NOW + 1, json!(["sendEventWithTags", "PurchasedItems", data]));
    assert_eq!(guid(&outcome), "own");
}

#[test]
fn a_purchase_without_a_cart_has_no_guid() {
    let mut browser = Browser::new();
    assert_eq!(guid(&browser.call(NOW, purchase("1"))), json!(null));
}

#[test]
fn a_cart_cleared_before_the_thank_you_page_does_not_take_the_guid_away() {
    let mut browser = Browser::new();
    browser.call(NOW, cart(&["a"], "g"));
    browser.call(NOW + 1, cart(&[], "empty"));
    assert_eq!(guid(&browser.call(NOW + 2, purchase("1"))), "g");
}

#[test]
fn a_submitted_order_keeps_its_guid_while_the_cart_is_cleared_and_refilled() {
    let mut browser = Browser::new();
    browser.call(NOW, cart(&["a"], "ordered"));
    assert_eq!(browser.call(NOW + 1, json!(["orderSubmitted"])).body, None);
    browser.call(NOW + 2, cart(&[], "empty"));
    browser.call(NOW + 3, cart(&["b"], "next"));
    assert_eq!(guid(&browser.call(NOW + 4, purchase("1"))), "ordered");
}

#[test]
fn the_snapshot_serves_one_order() {
    let mut browser = Browser::new();
    browser.call(NOW, cart(&["a"], "ordered"));
    browser.call(NOW + 1, json!(["orderSubmitted"]));
    browser.call(NOW + 2, purchase("1"));
    browser.call(NOW + 3, cart(&["b"], "next"));
    assert_eq!(guid(&browser.call(NOW + 4, purchase("2"))), "next");
}

#[test]
fn a_second_order_without_a_new_cart_has_no_guid() {
    let mut browser = Browser::new();
    browser.call(NOW, cart(&["a"], "g"));
    browser.call(NOW + 1, purchase("1"));
    assert_eq!(guid(&browser.call(NOW + 2, purchase("2"))), json!(null));
}

#[test]
fn an_order_submitted_with_an_empty_cart_takes_the_last_filled_one() {
    let mut browser = Browser::new();
    browser.call(NOW, cart(&["a"], "g"));
    browser.call(NOW + 1, cart(&[], "empty"));
    browser.call(NOW + 2, json!(["orderSubmitted"]));
    browser.call(NOW + 3, cart(&["b"], "next"));
    assert_eq!(guid(&browser.call(NOW + 4, purchase("1"))), "g");
}

#[test]
fn an_order_is_sent_once_by_its_number() {
    let mut browser = Browser::new();
    assert_eq!(browser.call(NOW, purchase("123/2017")).verdict, Verdict::Accepted);
    let again = browser.call(NOW + MINUTE, purchase("123/2017"));
    assert_eq!(again.verdict, Verdict::Duplicate);
    assert_eq!(again.reason.unwrap().code.as_str(), "order_known");
    assert_eq!(again.body, None);
    assert_eq!(browser.call(NOW + MINUTE, purchase("124/2017")).verdict, Verdict::Accepted);
}

#[test]
fn an_order_number_is_known_after_a_reset() {
    let mut browser = Browser::new();
    browser.call(NOW, purchase("1"));
    browser.call(NOW + 1, json!(["reset"]));
    assert_eq!(browser.call(NOW + 2, purchase("1")).verdict, Verdict::Duplicate);
}

#[test]
fn a_number_and_its_text_are_one_order() {
    let mut browser = Browser::new();
    browser.call(NOW, purchase("77"));
    let data = json!({"PurchasedItems": {"OrderNumber": 77}});
    let again = browser.call(NOW, json!(["sendEventWithTags", "PurchasedItems", data]));
    assert_eq!(again.verdict, Verdict::Duplicate);
}

#[test]
fn the_server_and_the_page_report_an_order_once() {
    let mut browser = Browser::new();
    let general = general_info("PurchasedItems");
    let body = json!({"GeneralInfo": general, "PurchasedItems": {"OrderNumber": "1"}});
    assert_eq!(browser.rest(NOW, body.clone()).verdict, Verdict::Accepted);
    assert_eq!(browser.call(NOW + 1, purchase("1")).verdict, Verdict::Duplicate);
    assert_eq!(browser.rest(NOW + 2, body).verdict, Verdict::Duplicate);
}

#[test]
fn a_repeated_order_does_not_take_the_next_ones_guid() {
    let mut browser = Browser::new();
    browser.call(NOW, purchase("1"));
    browser.call(NOW + 1, cart(&["b"], "next"));
    browser.call(NOW + 2, purchase("1"));
    assert_eq!(guid(&browser.call(NOW + 3, purchase("2"))), "next");
}

#[test]
fn the_blocks_whose_links_were_followed_go_with_the_purchase_once() {
    let mut browser = Browser::new();
    for block in ["21246_r335v507", "1253_r963v1317", "21246_r335v507"] {
        browser.address = ["https://shop.example/p?sc_content=", block].concat();
        browser.call(NOW, json!(["sendEvent", "PageView"]));
    }
    browser.address = "https://shop.example/thanks".into();
    let tags = "/PurchasedItems/Tags";
    let blocks = json!({"block_id": ["21246_r335v507", "1253_r963v1317"]});
    assert_eq!(at(&browser.call(NOW + 1, purchase("1")), tags), blocks);
    assert_eq!(at(&browser.call(NOW + 2, purchase("2")), tags), json!(null));
}

#[test]
fn a_block_that_the_shop_names_itself_is_kept() {
    let mut browser = Browser::new();
    browser.address = "https://shop.example/?sc_content=1_r1v1".into();
    let tags = json!({"block_id": ["2_r2v2"], "season": ["summer"]});
    let data = json!({"PurchasedItems": {"OrderNumber": "1", "Tags": tags}});
    let outcome = browser.call(NOW, json!(["sendEventWithTags", "PurchasedItems", data]));
    assert_eq!(at(&outcome, "/PurchasedItems/Tags"), tags);
}

#[test]
fn without_a_followed_block_there_is_no_tag() {
    let mut browser = Browser::new();
    assert_eq!(at(&browser.call(NOW, purchase("1")), "/PurchasedItems/Tags"), json!(null));
}

#[test]
fn a_reset_forgets_blocks_and_the_snapshot() {
    let mut browser = Browser::new();
    browser.address = "https://shop.example/?sc_content=1_r1v1".into();
    browser.call(NOW, cart(&["a"], "g"));
    browser.call(NOW + 1, json!(["orderSubmitted"]));
    browser.address = "https://shop.example/".into();
    browser.call(NOW + 2, json!(["reset"]));
    let outcome = browser.call(NOW + 3, purchase("1"));
    assert_eq!(guid(&outcome), json!(null));
    assert_eq!(at(&outcome, "/PurchasedItems/Tags"), json!(null));
}

#[test]
fn somebody_who_orders_all_day_keeps_a_bounded_state() {
    let mut browser = Browser::new();
    for number in 0..500 {
        browser.address = format!("https://shop.example/?sc_content=1_r1v{number}");
        browser.call(NOW + number, purchase(&number.to_string()));
        browser.call(NOW + number, json!(["sendEvent", "PageView"]));
    }
    assert!(browser.state().len() < 5000, "{}", browser.state().len());
}
