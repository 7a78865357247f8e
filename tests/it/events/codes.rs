//! Why an event is refused: a stable code, and the place where to look.

use serde_json::{Value, json};

use crate::rig::{general_info, names, read_call, read_rest};

#[track_caller]
fn refused(call: Value) -> Vec<String> {
    let problems = read_call(call).unwrap_err();
    assert!(problems.iter().all(|problem| !problem.fix.is_empty()));
    names(&problems)
}

#[track_caller]
fn rest_refused(body: Value) -> Vec<String> {
    names(&read_rest(body).unwrap_err())
}

/// A refusal of `fields` as a page's `kind`.
#[track_caller]
fn refused_fields(kind: &str, fields: Value) -> Vec<String> {
    refused(json!(["sendEvent", kind, {kind: fields}]))
}

#[test]
fn a_command_that_is_no_event_is_named() {
    for command in ["", "sendevent", "SendEvent", "getRecommendations", "__proto__", "init"] {
        let field = format!("unknown_command {command}");
        assert_eq!(refused(json!([command, "MainPage"])), [field.trim_end()]);
    }
}

#[test]
fn an_event_that_the_platform_does_not_have_is_named() {
    for name in ["Purchase", "mainpage", "page_view", "constructor"] {
        assert_eq!(refused(json!(["sendEvent", name])), [format!("unknown_event {name}")]);
    }
    assert_eq!(refused(json!(["sendEvent"])), ["unknown_event"]);
    for name in [json!(null), json!(7), json!(["MainPage"]), json!({"MainPage": {}})] {
        assert_eq!(refused(json!(["sendEvent", name])), ["unknown_event"]);
    }
}

#[test]
fn product_data_comes_from_the_shops_server_only() {
    let data = json!({"ProductUpdate": [{"product_id": "7", "isInStock": 1}]});
    let code = ["server_only ProductUpdate"];
    assert_eq!(refused(json!(["sendEvent", "ProductUpdate", data])), code);
    assert_eq!(refused(json!(["sendEventWithTags", "ProductUpdate", data])), code);
}

#[test]
fn an_event_with_data_needs_its_key() {
    for kind in ["ProductPage", "StatusCart", "PurchasedItems", "CategoryPage", "SearchRequest"] {
        let missing = [format!("missing_field {kind}")];
        assert_eq!(refused(json!(["sendEvent", kind]))[..1], missing);
        assert_eq!(refused(json!(["sendEvent", kind, null]))[..1], missing);
        assert_eq!(refused(json!(["sendEvent", kind, {}]))[..1], missing);
        assert_eq!(refused(json!(["sendEvent", kind, {"ProductPages": {}}]))[..1], missing);
    }
}

#[test]
fn data_that_is_no_object_is_a_wrong_type() {
    for data in [json!("x"), json!(7), json!([]), json!(true)] {
        let found = refused(json!(["sendEvent", "ProductPage", data]));
        assert_eq!(found, ["wrong_type ProductPage"]);
    }
}

#[test]
fn each_required_field_is_missed_by_its_path() {
    for (kind, fields, expected) in [
        ("ProductPage", json!({}), "missing_field ProductPage.productKey"),
        ("AddToWishlist", json!({"price": "1"}), "missing_field AddToWishlist.productKey"),
        ("CategoryPage", json!({"categoryKey": null}), "missing_field CategoryPage.categoryKey"),
        ("SearchRequest", json!({"search": ""}), "missing_field SearchRequest.search"),
        (
            "StatusCart",
            json!([{"price": "1", "quantity": 1}]),
            "missing_field StatusCart[0].productKey",
        ),
        (
            "StatusCart",
            json!([{"productKey": "7", "quantity": 1}]),
            "missing_field StatusCart[0].price",
        ),
        (
            "StatusCart",
            json!([{"productKey": "7", "price": "1"}]),
            "missing_field StatusCart[0].quantity",
        ),
        ("StatusCart", json!({"GUID": "g"}), "missing_field StatusCart.Products"),
        (
            "ProductImpression",
            json!([{"product_id": "7"}]),
            "missing_field ProductImpression[0].container_type",
        ),
        (
            "ProductImpression",
            json!([{"container_type": "7"}]),
            "missing_field ProductImpression[0].product_id",
        ),
        ("CustomerData", json!({"user_name": "Ann"}), "missing_field CustomerData"),
        ("CustomerData", json!({}), "missing_field CustomerData"),
        ("PurchasedItems", json!({"Products": []}), "missing_field PurchasedItems.Products"),
    ] {
        assert_eq!(refused_fields(kind, fields)[..1], [expected]);
    }
}

#[test]
fn a_purchase_needs_its_order_number() {
    let item = json!({"product_id": "7", "unit_price": "1", "quantity": 1});
    for number in [json!(null), json!(""), json!("  ")] {
        let data = json!({"PurchasedItems": [item], "OrderNumber": number});
        let found = refused(json!(["sendEvent", "PurchasedItems", data]));
        assert_eq!(found, ["missing_field OrderNumber"]);
    }
}

#[test]
fn identify_needs_somebody() {
    assert_eq!(refused(json!(["identify", {"user_name": "Ann"}])), ["missing_field CustomerData"]);
    assert_eq!(refused(json!(["identify", {}])), ["missing_field CustomerData"]);
    assert_eq!(refused(json!(["identify"])), ["wrong_type CustomerData"]);
    assert_eq!(refused(json!(["identify", "7"])), ["wrong_type CustomerData"]);
}

#[test]
fn a_value_of_another_type_is_refused_by_its_path() {
    for (kind, fields, expected) in [
        ("ProductPage", json!({"productKey": {}}), "wrong_type ProductPage.productKey"),
        ("ProductPage", json!({"productKey": true}), "wrong_type ProductPage.productKey"),
        ("ProductPage", json!("7"), "wrong_type ProductPage"),
        ("StatusCart", json!("7"), "wrong_type StatusCart"),
        ("StatusCart", json!(["7"]), "wrong_type StatusCart[0]"),
        ("StatusCart", json!({"Products": {}}), "wrong_type StatusCart.Products"),
        ("MainPage", json!([]), "wrong_type MainPage"),
        ("CustomerData", json!([]), "wrong_type CustomerData"),
        (
            "ProductPage",
            json!({"productKey": "7", "price": "free"}),
            "wrong_type ProductPage.price",
        ),
        (
            "ProductPage",
            json!({"productKey": "7", "isInStock": "yes"}),
            "wrong_type ProductPage.isInStock",
        ),
        (
            "ProductPage",
            json!({"productKey": "7", "tag_x": {"a": 1}}),
            "wrong_type ProductPage.tag_x",
        ),
        ("ProductPage", json!({"productKey": "7", "Tags": ["a"]}), "wrong_type ProductPage.Tags"),
        (
            "ProductPage",
            json!({"productKey": "7", "Tags": {"a": [[]]}}),
            "wrong_type ProductPage.Tags.a[0]",
        ),
        (
            "ProductPage",
            json!({"productKey": "7", "GeneralInfo": 7}),
            "wrong_type ProductPage.GeneralInfo",
        ),
    ] {
        assert_eq!(refused_fields(kind, fields)[..1], [expected]);
    }
}

#[test]
fn quantities_are_whole_and_not_negative() {
    for quantity in ["-1", "1.5", "1e3", "1e400", "NaN", "two", "٣", "１", "99999999999999999999"]
    {
        let item = json!({"productKey": "7", "price": "1", "quantity": quantity});
        let found = refused_fields("StatusCart", json!([item]));
        assert_eq!(found, ["wrong_type StatusCart[0].quantity"], "{quantity}");
    }
    for quantity in [json!(-1), json!(1.5), json!(true), json!([1])] {
        let item = json!({"productKey": "7", "price": "1", "quantity": quantity});
        let found = refused_fields("StatusCart", json!([item]));
        assert_eq!(found, ["wrong_type StatusCart[0].quantity"]);
    }
}

#[test]
fn a_flag_is_one_or_zero() {
    for flag in [json!(2), json!("2"), json!(255)] {
        let found = refused_fields("ProductPage", json!({"productKey": "7", "isInStock": flag}));
        assert_eq!(found, ["out_of_range ProductPage.isInStock"]);
    }
}

#[test]
fn a_price_is_not_negative() {
    for price in [json!("-5"), json!(-5), json!(" -0.01 UAH")] {
        let found = refused_fields("ProductPage", json!({"productKey": "7", "price": price}));
        assert_eq!(found, ["out_of_range ProductPage.price"]);
    }
}

#[test]
fn control_characters_in_identifiers_are_refused_in_every_place() {
    for (call, field) in [
        (json!(["identify", {"user_email": "a@b.c\r\nBcc: x@y.z"}]), "CustomerData.user_email"),
        (json!(["identify", {"user_phone": "380\u{0}"}]), "CustomerData.user_phone"),
        (json!(["identify", {"externalCustomerId": "7\u{7f}"}]), "CustomerData.externalCustomerId"),
        (json!(["sendEvent", "StatusCart", {"StatusCart": [], "GUID": "g\n"}]), "GUID"),
        (
            json!(["sendEventWithTags", "PurchasedItems", {"PurchasedItems": {"OrderNumber": "\t7"}}]),
            "PurchasedItems.OrderNumber",
        ),
        (
            json!(["sendEvent", "MainPage", {"GeneralInfo": {"s_location": "a\u{85}b"}}]),
            "GeneralInfo.s_location",
        ),
    ] {
        assert_eq!(refused(call), [format!("forbidden_character {field}")]);
    }
}

#[test]
fn every_reason_is_listed_not_only_the_first() {
    let items = json!([{"productKey": "7", "price": "x", "quantity": -1}, {"quantity": 1}, 7]);
    let found = refused(json!(["sendEvent", "StatusCart", {"StatusCart": items, "GUID": {}}]));
    let expected = [
        "wrong_type StatusCart[0].price",
        "wrong_type StatusCart[0].quantity",
        "missing_field StatusCart[1].productKey",
        "missing_field StatusCart[1].price",
        "wrong_type StatusCart[2]",
        "wrong_type GUID",
    ];
    assert_eq!(found, expected);
}

#[test]
fn a_servers_body_says_what_it_is() {
    for body in [json!(null), json!([]), json!("x"), json!(7)] {
        assert_eq!(rest_refused(body), ["wrong_type"]);
    }
    assert_eq!(rest_refused(json!({})), ["missing_field GeneralInfo"]);
    assert_eq!(rest_refused(json!({"MainPage": {}})), ["missing_field GeneralInfo"]);
    for general in [json!({}), json!(null), json!("MainPage")] {
        let found = rest_refused(json!({"GeneralInfo": general}));
        assert_eq!(found, ["missing_field GeneralInfo.eventName"]);
    }
    for name in [json!(7), json!("Purchase"), json!(null)] {
        let found = rest_refused(json!({"GeneralInfo": {"eventName": name}}));
        assert_eq!(found, ["unknown_event GeneralInfo.eventName"]);
    }
}

#[test]
fn a_servers_event_names_the_browser() {
    for cookies in [json!({}), json!({"sc": ""}), json!(null)] {
        let general = json!({"eventName": "MainPage", "siteId": "8A412DC", "cookies": cookies});
        let found = rest_refused(json!({"GeneralInfo": general}));
        assert_eq!(found, ["missing_field GeneralInfo.cookies.sc"]);
    }
    let found = rest_refused(json!({"webId": "", "email": "a@b.c"}));
    assert_eq!(found, ["missing_field webId"]);
}

#[test]
fn a_servers_time_is_unix_time_in_milliseconds() {
    for time in [json!("yesterday"), json!(-1), json!(1.5), json!("2020-01-21"), json!(null)] {
        let mut general = general_info("MainPage");
        general["datetime"] = time;
        let found = rest_refused(json!({"GeneralInfo": general}));
        assert_eq!(found, ["wrong_type GeneralInfo.datetime"]);
    }
}

#[test]
fn an_update_is_a_list_of_products_that_say_whether_they_are_in_stock() {
    let general = json!({"eventName": "ProductUpdate", "siteId": "8A412DC"});
    let update = |data: Value| rest_refused(json!({"GeneralInfo": general, "ProductUpdate": data}));
    assert_eq!(update(json!({})), ["wrong_type ProductUpdate"]);
    assert_eq!(update(json!([])), ["missing_field ProductUpdate"]);
    assert_eq!(update(json!([{"product_id": "7"}])), ["missing_field ProductUpdate[0].isInStock"]);
}
