//! Time, consent, repeats, and what becomes of a record as a whole.

use esputnik_kit::wire::Verdict;
use serde_json::{Value, json};

use crate::rig::{Browser, DAY, MINUTE, NOW, SECOND, SITE, WEB_ID, at, general_info, names, plain};

const DATETIME: &str = "/GeneralInfo/datetime";

fn page_view() -> Value {
    json!(["sendEvent", "PageView"])
}

/// The time and the warnings of an event made at `made`, sent at `sent` by the page's clock and
/// received at `received` by the Worker's.
fn time(made: u64, sent: u64, received: u64) -> (Value, Vec<String>) {
    let mut browser = Browser::new();
    let record = browser.record(made, page_view());
    let outcome = browser.take(&record, sent, received);
    (at(&outcome, DATETIME), names(&outcome.warnings))
}

fn clamped() -> Vec<String> {
    vec!["time_clamped datetime".to_owned()]
}

#[test]
fn an_event_has_the_time_of_its_call() {
    assert_eq!(time(NOW, NOW, NOW), (json!(NOW), vec![]));
    assert_eq!(time(NOW - MINUTE, NOW, NOW + 80), (json!(NOW - MINUTE + 80), vec![]));
}

#[test]
fn no_two_events_of_a_visitor_are_alike_to_the_last_byte() {
    let mut browser = Browser::new();
    let mut bodies = std::collections::BTreeSet::new();
    for number in 0..150 {
        // Some of one call's moment, some that only the way made so.
        let record = browser.record(NOW + number % 3, page_view());
        let outcome = browser.take(&record, NOW + number % 3, NOW);
        let datetime = at(&outcome, DATETIME).as_u64().unwrap();
        assert!((NOW - 200..=NOW).contains(&datetime), "{datetime}");
        bodies.insert(plain(outcome.body.as_ref().unwrap()).to_string());
    }
    assert_eq!(bodies.len(), 150);
}

#[test]
fn a_wrong_clock_of_the_page_does_not_show() {
    for offset in [DAY * 365, 0] {
        let page = |time: u64| time - DAY * 365 + offset;
        let found = time(page(NOW - 5 * SECOND), page(NOW), NOW);
        assert_eq!(found, (json!(NOW - 5 * SECOND), vec![]));
    }
    assert_eq!(time(5 * SECOND, 6 * SECOND, NOW), (json!(NOW - SECOND), vec![]), "1970");
}

#[test]
fn a_time_more_than_seven_days_back_is_moved_to_the_border() {
    assert_eq!(time(NOW - 7 * DAY, NOW, NOW), (json!(NOW - 7 * DAY), vec![]));
    assert_eq!(time(NOW - 7 * DAY - 1, NOW, NOW), (json!(NOW - 7 * DAY), clamped()));
    assert_eq!(time(0, NOW, NOW), (json!(NOW - 7 * DAY), clamped()));
}

#[test]
fn a_time_after_the_receipt_is_moved_to_it() {
    assert_eq!(time(NOW + 1, NOW, NOW), (json!(NOW), clamped()));
    assert_eq!(time(u64::MAX, NOW, NOW), (json!(NOW), clamped()));
    assert_eq!(time(u64::MAX, 0, NOW), (json!(NOW), clamped()));
    assert_eq!(time(0, u64::MAX, NOW), (json!(NOW - 7 * DAY), clamped()));
}

#[test]
fn a_servers_time_is_held_to_the_same_seven_days() {
    for (said, taken, warns) in [
        (NOW, NOW, false),
        (NOW - 7 * DAY, NOW - 7 * DAY, false),
        (NOW - 8 * DAY, NOW - 7 * DAY, true),
        (NOW + 1, NOW, true),
    ] {
        let mut general = general_info("MainPage");
        general["datetime"] = json!(said);
        let outcome = Browser::new().rest(NOW, json!({"GeneralInfo": general}));
        assert_eq!(at(&outcome, DATETIME), json!(taken));
        assert_eq!(names(&outcome.warnings), if warns { clamped() } else { vec![] });
    }
}

#[test]
fn a_servers_event_without_a_time_has_that_of_its_receipt() {
    let general = json!({"eventName": "MainPage", "siteId": SITE, "cookies": {"sc": WEB_ID}});
    let outcome = Browser::new().rest(NOW, json!({"GeneralInfo": general}));
    assert_eq!(at(&outcome, DATETIME), json!(NOW));
}

#[test]
fn without_consent_to_tracking_nothing_is_sent_or_kept() {
    for consent in [vec![], vec!["forms", "recommendations", "push"], vec!["Tracking"]] {
        let mut browser = Browser::new();
        browser.consent = consent;
        browser.address = "https://shop.example/?utm_content=Yespo-1&sc_content=1_r1v1".into();
        let before = browser.state().to_owned();
        for call in [page_view(), json!(["identify", {"user_email": "a@b.c"}]), json!(["reset"])] {
            let outcome = browser.call(NOW, call);
            assert_eq!(outcome.verdict, Verdict::Refused);
            assert_eq!(names(&[outcome.reason.unwrap()]), ["consent_missing consent"]);
            assert_eq!(outcome.body, None);
        }
        let mut untouched = Browser::new();
        untouched.rest(NOW, json!({"GeneralInfo": general_info("MainPage")}));
        browser.rest(NOW, json!({"GeneralInfo": general_info("MainPage")}));
        assert_eq!(browser.state(), untouched.state());
        assert_ne!(before, browser.state(), "states are stored");
    }
}

#[test]
fn consent_to_tracking_alone_is_enough() {
    let mut browser = Browser::new();
    browser.consent = vec!["tracking"];
    assert_eq!(browser.call(NOW, page_view()).verdict, Verdict::Accepted);
}

#[test]
fn the_body_names_site_browser_and_time() {
    let outcome = Browser::new().call(NOW, json!(["sendEvent", "MainPage"]));
    let general = general_info("MainPage");
    assert_eq!(plain(&outcome.body.unwrap()), json!({"GeneralInfo": general}));
}

#[test]
fn a_record_that_comes_again_is_known_and_changes_nothing() {
    let mut browser = Browser::new();
    let record = browser.record(NOW, json!(["sendEvent", "StatusCart", {"StatusCart": []}]));
    assert_eq!(browser.take(&record, NOW, NOW).verdict, Verdict::Accepted);
    let state = browser.state().to_owned();
    let again = browser.take(&record, NOW + MINUTE, NOW + MINUTE);
    assert_eq!(again.verdict, Verdict::Duplicate);
    assert_eq!(again.reason.unwrap().code.as_str(), "known_message");
    assert_eq!(again.body, None);
    assert_eq!(browser.state(), state);
}

#[test]
fn a_known_purchase_stays_known_whichever_way_it_comes_again() {
    let mut browser = Browser::new();
    let data = json!({"PurchasedItems": {"OrderNumber": "1"}});
    let record = browser.record(NOW, json!(["sendEventWithTags", "PurchasedItems", data]));
    browser.take(&record, NOW, NOW);
    let reason =
        |browser: &mut Browser, call| browser.call(NOW, call).reason.unwrap().code.as_str();
    let again = browser.take(&record, NOW, NOW).reason.unwrap().code.as_str();
    assert_eq!(again, "known_message");
    let call = json!(["sendEventWithTags", "PurchasedItems", data]);
    assert_eq!(reason(&mut browser, call), "order_known");
}

#[test]
fn a_refused_event_names_its_first_reason_and_goes_nowhere() {
    let outcome =
        Browser::new().call(NOW, json!(["sendEvent", "ProductPage", {"ProductPage": {}}]));
    assert_eq!(outcome.verdict, Verdict::Refused);
    let reason = outcome.reason.unwrap();
    assert_eq!(names(&[reason]), ["missing_field ProductPage.productKey"]);
    assert_eq!(outcome.body, None);
}

#[test]
fn warnings_of_the_reading_and_of_the_clock_go_back_together() {
    let mut browser = Browser::new();
    let who = json!({"MainPage": {"GeneralInfo": {"user_email": "a@b.c"}}});
    let record = browser.record(0, json!(["sendEvent", "MainPage", who]));
    let outcome = browser.take(&record, NOW, NOW);
    let expected = ["time_clamped datetime", "nested_general_info MainPage.GeneralInfo"];
    assert_eq!(names(&outcome.warnings), expected);
}

#[test]
fn an_unknown_command_is_refused_and_forgotten() {
    let outcome = Browser::new().call(NOW, json!(["getRecommendations", {"variantId": "r1v1"}]));
    assert_eq!(outcome.verdict, Verdict::Refused);
    assert_eq!(names(&[outcome.reason.unwrap()]), ["unknown_command getRecommendations"]);
}

#[test]
fn product_updates_belong_to_no_visitor() {
    let mut browser = Browser::new();
    browser.call(NOW, json!(["identify", {"user_email": "a@b.c"}]));
    let state = browser.state().to_owned();
    let general = json!({"eventName": "ProductUpdate", "siteId": SITE});
    let item = json!({"product_id": "7", "isInStock": 1});
    let outcome = browser.rest(NOW, json!({"GeneralInfo": general, "ProductUpdate": [item]}));
    let body = json!({"GeneralInfo": general, "ProductUpdate": [item]});
    assert_eq!(plain(&outcome.body.unwrap()), body, "neither web id nor time nor identity");
    assert_eq!(browser.state(), state);
}

#[test]
fn the_platforms_site_is_the_deployments_not_the_bodys() {
    let mut general = general_info("MainPage");
    general["siteId"] = "OTHER".into();
    let outcome = Browser::new().rest(NOW, json!({"GeneralInfo": general}));
    assert_eq!(at(&outcome, "/GeneralInfo/siteId"), SITE);
}

#[test]
fn the_pages_own_title_and_referrer_do_not_leave() {
    let mut browser = Browser::new();
    browser.address = "https://shop.example/?token=secret#fragment".into();
    let outcome = browser.call(NOW, json!(["sendEvent", "MainPage"]));
    assert!(!outcome.body.unwrap().to_json().contains("secret"));
}

#[test]
fn a_state_of_an_older_version_is_read() {
    let visitor: esputnik_kit::visitor::Visitor = serde_json::from_str("{}").unwrap();
    assert_eq!(visitor, esputnik_kit::visitor::Visitor::default());
    let visitor = r#"{"orders":[{"at":1,"text":"7"}],"of_a_newer_version":1}"#;
    assert!(serde_json::from_str::<esputnik_kit::visitor::Visitor>(visitor).is_ok());
}
