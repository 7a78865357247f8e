//! Who the visitor is: sticky, replaced as a whole, of its moment, and never mixed with a link.

use serde_json::{Value, json};

use crate::rig::{Browser, MINUTE, NOW, at, general_info};

/// The identity that a page view of this moment leaves with.
fn who(browser: &mut Browser, time: u64) -> Value {
    identity(&at(&browser.call(time, json!(["sendEvent", "PageView"])), "/GeneralInfo"))
}

/// A GeneralInfo without what every event has.
fn identity(general: &Value) -> Value {
    let mut general = general.clone();
    for name in ["eventName", "siteId", "datetime", "cookies"] {
        general.as_object_mut().unwrap().remove(name);
    }
    general
}

fn identify(browser: &mut Browser, time: u64, who: Value) -> Value {
    identity(&at(&browser.call(time, json!(["identify", who])), "/GeneralInfo"))
}

const LINK: &str = "https://shop.example/?utm_content=Yespo-100500";

#[test]
fn what_was_said_once_goes_with_every_later_event() {
    let mut browser = Browser::new();
    assert_eq!(who(&mut browser, NOW), json!({}));
    let ann = json!({"externalCustomerId": "7", "user_phone": "380", "user_email": "a@b.c"});
    identify(&mut browser, NOW + 1, ann.clone());
    assert_eq!(who(&mut browser, NOW + 2), ann);
    assert_eq!(who(&mut browser, NOW + 30 * MINUTE), ann);
}

#[test]
fn an_event_has_the_identity_that_it_carries_itself() {
    let mut browser = Browser::new();
    let general = json!({"user_email": "a@b.c"});
    let outcome = browser.call(NOW, json!(["sendEvent", "MainPage", {"GeneralInfo": general}]));
    assert_eq!(at(&outcome, "/GeneralInfo/user_email"), "a@b.c");
    assert_eq!(who(&mut browser, NOW), general);
}

#[test]
fn more_about_the_same_person_is_added() {
    let mut browser = Browser::new();
    identify(&mut browser, NOW, json!({"user_email": "a@b.c"}));
    identify(&mut browser, NOW, json!({"user_email": "A@B.C", "user_name": "Ann"}));
    let both = json!({"user_phone": "380", "user_email": "A@B.C", "user_name": "Ann"});
    assert_eq!(identify(&mut browser, NOW, json!({"user_phone": "380"})), both);
}

#[test]
fn a_new_phone_of_the_same_person_replaces_the_old_one() {
    let mut browser = Browser::new();
    identify(&mut browser, NOW, json!({"user_email": "a@b.c", "user_phone": "380"}));
    let new = json!({"user_email": "a@b.c", "user_phone": "381"});
    assert_eq!(identify(&mut browser, NOW, json!({"user_phone": "381"})), new);
}

#[test]
fn another_external_id_e_mail_or_contact_replaces_everything_known() {
    let ann = json!({"externalCustomerId": "7", "user_phone": "380", "user_email": "a@b.c",
        "user_name": "Ann", "user_es_contact_id": "100"});
    for other in [
        json!({"externalCustomerId": "8"}),
        json!({"user_email": "bob@b.c"}),
        json!({"user_es_contact_id": "101"}),
        json!({"externalCustomerId": "7", "user_email": "bob@b.c"}),
    ] {
        let mut browser = Browser::new();
        identify(&mut browser, NOW, ann.clone());
        assert_eq!(identify(&mut browser, NOW + 1, other.clone()), other);
        assert_eq!(who(&mut browser, NOW + 2), other);
    }
}

#[test]
fn two_people_on_one_browser_are_never_mixed() {
    let mut browser = Browser::new();
    identify(&mut browser, NOW, json!({"user_email": "a@b.c", "user_phone": "1"}));
    identify(&mut browser, NOW + 1, json!({"user_email": "bob@b.c"}));
    identify(&mut browser, NOW + 2, json!({"user_email": "a@b.c"}));
    assert_eq!(who(&mut browser, NOW + 3), json!({"user_email": "a@b.c"}), "no phone of old");
}

#[test]
fn an_event_that_arrives_late_has_the_identity_of_its_moment() {
    let mut browser = Browser::new();
    identify(&mut browser, NOW, json!({"user_email": "a@b.c"}));
    identify(&mut browser, NOW + 10, json!({"user_email": "bob@b.c"}));
    let mut late = |time| {
        let outcome = browser.late(time, NOW + MINUTE, json!(["sendEvent", "PageView"]));
        identity(&at(&outcome, "/GeneralInfo"))
    };
    assert_eq!(late(NOW - 1), json!({}));
    assert_eq!(late(NOW + 9), json!({"user_email": "a@b.c"}));
    assert_eq!(late(NOW + 10), json!({"user_email": "bob@b.c"}));
}

#[test]
fn an_identity_that_arrives_late_does_not_replace_a_newer_one() {
    let mut browser = Browser::new();
    identify(&mut browser, NOW + 10, json!({"user_email": "bob@b.c"}));
    browser.late(NOW, NOW + 20, json!(["identify", {"user_email": "a@b.c"}]));
    assert_eq!(who(&mut browser, NOW + 21), json!({"user_email": "bob@b.c"}));
    let outcome = browser.late(NOW + 5, NOW + 22, json!(["sendEvent", "PageView"]));
    assert_eq!(at(&outcome, "/GeneralInfo/user_email"), "a@b.c");
}

#[test]
fn a_reset_clears_who_the_visitor_is_and_not_who_they_were() {
    let mut browser = Browser::new();
    identify(&mut browser, NOW, json!({"user_email": "a@b.c"}));
    let outcome = browser.call(NOW + 10, json!(["reset"]));
    assert_eq!(outcome.body, None);
    assert_eq!(who(&mut browser, NOW + 11), json!({}));
    let late = browser.late(NOW + 5, NOW + 12, json!(["sendEvent", "PageView"]));
    assert_eq!(at(&late, "/GeneralInfo/user_email"), "a@b.c");
}

#[test]
fn a_reset_clears_what_a_link_said() {
    let mut browser = Browser::new();
    browser.address = LINK.into();
    who(&mut browser, NOW);
    browser.address = "https://shop.example/".into();
    browser.call(NOW + 1, json!(["reset"]));
    assert_eq!(who(&mut browser, NOW + 2), json!({}));
}

#[test]
fn the_contact_of_a_link_goes_with_events_of_nobody() {
    let mut browser = Browser::new();
    browser.address = LINK.into();
    let contact = json!({"user_es_contact_id": "100500"});
    assert_eq!(who(&mut browser, NOW), contact, "with the first event already");
    browser.address = "https://shop.example/next".into();
    assert_eq!(who(&mut browser, NOW + 1), contact, "and on the next page");
}

#[test]
fn the_contact_of_a_link_is_never_mixed_with_what_the_shop_says() {
    let mut browser = Browser::new();
    browser.address = LINK.into();
    let ann = json!({"user_email": "a@b.c"});
    assert_eq!(identify(&mut browser, NOW, ann.clone()), ann);
    assert_eq!(who(&mut browser, NOW + 1), ann);
    let mut browser = Browser::new();
    identify(&mut browser, NOW, ann.clone());
    browser.address = LINK.into();
    assert_eq!(who(&mut browser, NOW + 1), ann, "also when the link is followed later");
}

#[test]
fn the_contact_of_a_link_does_not_stick_as_what_the_shop_said() {
    let mut browser = Browser::new();
    browser.address = LINK.into();
    who(&mut browser, NOW);
    browser.address = "https://shop.example/".into();
    assert_eq!(
        identify(&mut browser, NOW + 1, json!({"user_phone": "380"})),
        json!({"user_phone": "380"})
    );
}

#[test]
fn the_newest_link_names_the_contact() {
    let mut browser = Browser::new();
    browser.address = LINK.into();
    who(&mut browser, NOW);
    browser.address = "https://shop.example/?utm_source=Yespo-email&utm_content=7".into();
    assert_eq!(who(&mut browser, NOW + 1), json!({"user_es_contact_id": "7"}));
    browser.address = LINK.into();
    browser.late(NOW - MINUTE, NOW + 2, json!(["sendEvent", "PageView"]));
    browser.address = "https://shop.example/".into();
    assert_eq!(
        who(&mut browser, NOW + 3),
        json!({"user_es_contact_id": "7"}),
        "a late one does not"
    );
}

#[test]
fn etm_term_names_the_contact_only_where_the_site_has_it() {
    for (etm_term, contact) in [(true, "9"), (false, "100500")] {
        let mut browser = Browser::new();
        browser.etm_term = etm_term;
        browser.address = [LINK, "&etm_term=9"].concat();
        assert_eq!(who(&mut browser, NOW), json!({"user_es_contact_id": contact}));
    }
}

#[test]
fn where_buy_was_pressed_is_not_sticky() {
    let mut browser = Browser::new();
    let general = json!({"s_location": "21246_r335v507"});
    browser.call(NOW, json!(["sendEvent", "MainPage", {"GeneralInfo": general}]));
    assert_eq!(who(&mut browser, NOW), json!({}));
}

#[test]
fn unknown_members_of_general_info_are_not_sticky() {
    let mut browser = Browser::new();
    let general = json!({"user_level": "gold"});
    browser.call(NOW, json!(["sendEvent", "MainPage", {"GeneralInfo": general}]));
    assert_eq!(who(&mut browser, NOW), json!({}));
}

#[test]
fn a_servers_event_and_a_pages_share_who_the_visitor_is() {
    let mut browser = Browser::new();
    let mut general = general_info("CustomerData");
    general["user_email"] = "a@b.c".into();
    browser.rest(NOW, json!({"GeneralInfo": general}));
    assert_eq!(who(&mut browser, NOW + 1), json!({"user_email": "a@b.c"}));
    identify(&mut browser, NOW + 2, json!({"user_phone": "380"}));
    let mut general = general_info("MainPage");
    general["datetime"] = json!(NOW + 3);
    let outcome = browser.rest(NOW + 3, json!({"GeneralInfo": general}));
    let both = json!({"user_phone": "380", "user_email": "a@b.c"});
    assert_eq!(identity(&at(&outcome, "/GeneralInfo")), both);
}

#[test]
fn a_refused_event_does_not_say_who_the_visitor_is() {
    let mut browser = Browser::new();
    let data = json!({"ProductPage": {}, "GeneralInfo": {"user_email": "a@b.c"}});
    browser.call(NOW, json!(["sendEvent", "ProductPage", data]));
    assert_eq!(who(&mut browser, NOW + 1), json!({}));
}

#[test]
fn a_repeated_cart_may_still_say_who_the_visitor_is() {
    let mut browser = Browser::new();
    let mut data = json!({"StatusCart": [], "GUID": "g"});
    browser.call(NOW, json!(["sendEvent", "StatusCart", data]));
    data["GeneralInfo"] = json!({"user_email": "a@b.c"});
    assert_eq!(browser.call(NOW + 1, json!(["sendEvent", "StatusCart", data])).body, None);
    assert_eq!(who(&mut browser, NOW + 2), json!({"user_email": "a@b.c"}));
}

#[test]
fn a_browser_that_changes_hands_often_keeps_a_bounded_state() {
    let mut browser = Browser::new();
    for number in 0..1000 {
        identify(&mut browser, NOW + number, json!({"externalCustomerId": number.to_string()}));
    }
    assert_eq!(who(&mut browser, NOW + 1000), json!({"externalCustomerId": "999"}));
    assert!(browser.state().len() < 2000, "{}", browser.state().len());
}

#[test]
fn contact_keys_are_what_names_a_person_and_nothing_that_many_share() {
    let mut browser = Browser::new();
    let all = json!({"externalCustomerId": "7", "user_phone": "380", "user_email": "a@b.c",
        "user_es_contact_id": "100", "user_client_id": "77", "user_name": "Ann",
        "user_city": "Lviv", "user_tags_gender": "f"});
    identify(&mut browser, NOW, all);
    let mut keys = browser.contact_keys();
    keys.sort();
    assert_eq!(keys, ["100", "380", "7", "77", "a@b.c"]);
}

#[test]
fn contact_keys_of_everybody_who_used_the_browser_are_kept() {
    let mut browser = Browser::new();
    identify(&mut browser, NOW, json!({"user_email": "a@b.c"}));
    browser.call(NOW + 1, json!(["reset"]));
    identify(&mut browser, NOW + 2, json!({"user_email": "bob@b.c"}));
    assert_eq!(browser.contact_keys(), ["a@b.c", "bob@b.c"]);
}
