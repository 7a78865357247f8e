//! What is written can be read again and is then written the same.

use esputnik_kit::event::Event;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::rig::{cases, encode, encode_value, read_call, read_rest};

/// Calls of a page with every optional member there or not.
fn calls() -> impl Strategy<Value = Value> {
    let text = prop_oneof!["[a-zA-Z0-9 _./-]{1,20}x", "\\PC{1,8}x"];
    let number = prop_oneof![
        (0_u32..1000).prop_map(|number| json!(number)),
        (0_u32..1000).prop_map(|number| json!(number.to_string())),
    ];
    let price = prop_oneof![number.clone(), Just(json!("12.50 UAH")), Just(json!(201.95))];
    let tags =
        prop::collection::btree_map("[a-z]{1,5}", prop::collection::vec(text.clone(), 0..3), 0..3)
            .prop_map(|tags| json!(tags));
    let who = prop::collection::btree_map(
        prop::sample::select(vec![
            "user_email",
            "user_phone",
            "user_name",
            "externalCustomerId",
            "x",
        ]),
        text.clone(),
        0..4,
    )
    .prop_map(|who| json!(who));
    let item = (text.clone(), price, number, prop::option::of(text.clone())).prop_map(
        |(key, price, quantity, currency)| {
            let mut item = json!({"productKey": key, "price": price, "quantity": quantity});
            if let Some(currency) = currency {
                item["currency"] = currency.into();
            }
            item
        },
    );
    let items = prop::collection::vec(item, 1..4).prop_map(Value::from);
    let kinds = prop_oneof![
        items.clone().prop_map(|items| ("StatusCart", items)),
        items.prop_map(|items| ("PurchasedItems", items)),
        text.clone().prop_map(|key| ("ProductPage", json!({"productKey": key}))),
        text.clone().prop_map(|key| ("AddToWishlist", json!({"productKey": key, "isInStock": 1}))),
        text.clone().prop_map(|key| ("CategoryPage", json!({"categoryKey": key}))),
        text.clone().prop_map(|search| ("SearchRequest", json!({"search": search}))),
        Just(("MainPage", json!({}))),
        Just(("PageView", json!({}))),
    ];
    (kinds, tags, who, text).prop_map(|((kind, data), tags, who, text)| {
        let mut members = Map::new();
        members.insert(kind.into(), data);
        members.insert("Tags".into(), tags);
        members.insert("GeneralInfo".into(), who);
        members.insert("GUID".into(), text.clone().into());
        members.insert("OrderNumber".into(), text.into());
        json!(["sendEvent", kind, members])
    })
}

proptest! {
    #![proptest_config(cases(128))]

    #[test]
    fn what_is_written_for_a_page_reads_as_a_servers_event_and_is_written_the_same(call in calls()) {
        let written = encode_value(&read_call(call).unwrap());
        let again = Event::from_rest(&written).unwrap();
        prop_assert_eq!(encode_value(&again).to_json(), written.to_json());
    }

    #[test]
    fn the_written_form_has_nothing_to_warn_of_but_unknown_members(call in calls()) {
        let again = Event::from_rest(&encode_value(&read_call(call).unwrap())).unwrap();
        let codes = again.warnings.iter().map(|warning| warning.code.as_str());
        for code in codes {
            prop_assert_eq!(code, "unknown_member");
        }
    }
}

#[test]
fn a_servers_event_keeps_its_own_site_browser_and_time() {
    let general = json!({"eventName": "MainPage", "siteId": "8D3869C", "datetime": "17",
        "cookies": {"sc": "own value"}});
    let body = encode(&read_rest(json!({"GeneralInfo": general})).unwrap());
    let general = json!({"eventName": "MainPage", "siteId": "8D3869C", "datetime": 17,
        "cookies": {"sc": "own value"}});
    assert_eq!(body, json!({"GeneralInfo": general}));
}
