//! The tracker takes what the documents show, and refuses what they rule out.

use serde_json::{Value, json};

use crate::bodies::{EVENTS, change, right};
use crate::rig::Rig;

fn examples(kind: &str) -> Vec<Value> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../data/site.json");
    let all: Vec<Value> = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    all.into_iter().filter(|example| example["kind"] == kind).collect()
}

#[tokio::test]
async fn every_rest_body_of_the_documents_is_accepted() {
    let rig = Rig::start().await;
    let examples = examples("rest-body");
    assert!(examples.len() >= 5);
    for example in &examples {
        let answer = rig.post(&example["payload"]).await;
        assert_eq!((answer.status, answer.text.as_str()), (200, "{}"), "{example}");
    }
    let requests = rig.read("/requests").await;
    for request in requests.as_array().unwrap() {
        assert_eq!(request["extras"], json!([]), "the documents know their own members");
    }
}

#[tokio::test]
async fn a_catalogue_item_without_discount_is_accepted() {
    let rig = Rig::start().await;
    for fragment in examples("rest-fragment") {
        let mut body = right("ProductUpdate");
        change(&mut body, "/ProductUpdate", Some(json!([fragment["payload"]])));
        assert_eq!(rig.post(&body).await.status, 200);
    }
}

#[tokio::test]
async fn every_event_with_all_its_members_is_accepted_without_extras() {
    let rig = Rig::start().await;
    for event in EVENTS {
        let answer = rig.post(&right(event)).await;
        assert_eq!(answer.status, 200, "{event}: {}", answer.text);
    }
    let stats = rig.read("/stats").await;
    assert_eq!(stats["with_extras"], 0);
    assert_eq!(stats["events"].as_object().unwrap().len(), EVENTS.len());
}

/// Changes to a right body that stay right. `-` takes the member away.
const STILL_RIGHT: &[(&str, &str, &str)] = &[
    ("PageView", "/PageView", "-"),
    ("MainPage", "/MainPage", "-"),
    ("NotFound", "/NotFound", "-"),
    ("StatusCartPage", "/StatusCartPage", "-"),
    ("PageView", "/GeneralInfo/externalCustomerId", "-"),
    ("PageView", "/GeneralInfo/siteId", r#""site_id""#),
    ("PageView", "/GeneralInfo/cookies/sc", r#""own-value""#),
    ("ProductPage", "/ProductPage/Product/price", "-"),
    ("ProductPage", "/ProductPage/Product/isInStock", r#""0""#),
    ("ProductPage", "/ProductPage/Product/isInStock", "-"),
    ("ProductPage", "/ProductPage/Product/tag_field", "[]"),
    ("ProductPage", "/ProductPage/Tags", "-"),
    ("SearchRequest", "/SearchRequest/isFound", "-"),
    ("StatusCart", "/StatusCart/Products", "[]"),
    ("StatusCart", "/StatusCart/GUID", r#""2b914e9c-43ee-bf41-6f80-b97db1e8ab7e""#),
    ("StatusCart", "/StatusCart/GUID", r#""65f1c2a9b3d4e""#),
    ("StatusCart", "/StatusCart/GUID", r#""cart_65f1c2a9.1:7""#),
    (
        "StatusCart",
        "/StatusCart/Products",
        r#"[{"productKey":"1","price":596,"discount":590,"quantity":1}]"#,
    ),
    ("PurchasedItems", "/PurchasedItems/Products", "-"),
    ("PurchasedItems", "/PurchasedItems/GUID", "-"),
    (
        "PurchasedItems",
        "/PurchasedItems/Products",
        r#"[{"product_id":"1","unit_price":9.5,"quantity":2}]"#,
    ),
    ("ProductUpdate", "/GeneralInfo/datetime", "-"),
    ("ProductUpdate", "/GeneralInfo/cookies", "-"),
    ("ProductUpdate", "/ProductUpdate", r#"[{"product_id":"1","isInStock":"1"}]"#),
];

#[tokio::test]
async fn what_the_contract_leaves_open_is_accepted() {
    let rig = Rig::start().await;
    rig.put("/settings", &json!({ "duplicate_window_ms": 0 })).await;
    for (event, pointer, value) in STILL_RIGHT {
        let answer = rig.post(&changed(event, pointer, value)).await;
        assert_eq!(answer.status, 200, "{event} {pointer} {value}: {}", answer.text);
    }
}

/// Changes that make a right body wrong, with the code and the field of the refusal.
#[rustfmt::skip]
const WRONG: &[(&str, &str, &str, &str, &str)] = &[
    // GeneralInfo
    ("PageView", "/GeneralInfo", "-", "required", "GeneralInfo"),
    ("PageView", "/GeneralInfo", "[]", "type", "GeneralInfo"),
    ("PageView", "/GeneralInfo/eventName", "-", "required", "GeneralInfo.eventName"),
    ("PageView", "/GeneralInfo/eventName", "7", "type", "GeneralInfo.eventName"),
    ("PageView", "/GeneralInfo/eventName", r#""pageview""#, "unknown_event", "GeneralInfo.eventName"),
    ("ProductImpressions", "/GeneralInfo/eventName", r#""ProductImpression""#, "unknown_event", "GeneralInfo.eventName"),
    ("PageView", "/GeneralInfo/siteId", "-", "required", "GeneralInfo.siteId"),
    ("PageView", "/GeneralInfo/siteId", "8412", "type", "GeneralInfo.siteId"),
    ("PageView", "/GeneralInfo/siteId", r#""8A4 2DC""#, "value", "GeneralInfo.siteId"),
    ("PageView", "/GeneralInfo/siteId", r#""000000000000000000000000000000000""#, "value", "GeneralInfo.siteId"),
    ("PageView", "/GeneralInfo/datetime", "-", "required", "GeneralInfo.datetime"),
    ("PageView", "/GeneralInfo/datetime", r#""1579622183208""#, "type", "GeneralInfo.datetime"),
    ("PageView", "/GeneralInfo/datetime", "1579622183208.5", "type", "GeneralInfo.datetime"),
    ("PageView", "/GeneralInfo/datetime", "-5", "type", "GeneralInfo.datetime"),
    ("ProductUpdate", "/GeneralInfo/datetime", "null", "type", "GeneralInfo.datetime"),
    ("PageView", "/GeneralInfo/cookies", "-", "required", "GeneralInfo.cookies"),
    ("PageView", "/GeneralInfo/cookies", "{}", "required", "GeneralInfo.cookies.sc"),
    ("PageView", "/GeneralInfo/cookies/sc", r#""""#, "empty", "GeneralInfo.cookies.sc"),
    ("PageView", "/GeneralInfo/cookies/sc", r#"" ""#, "empty", "GeneralInfo.cookies.sc"),
    ("PageView", "/GeneralInfo/cookies/sc", "null", "type", "GeneralInfo.cookies.sc"),
    ("ProductUpdate", "/GeneralInfo/cookies/sc", r#""""#, "empty", "GeneralInfo.cookies.sc"),
    ("PageView", "/GeneralInfo/user_email", r#""""#, "empty", "GeneralInfo.user_email"),
    ("PageView", "/GeneralInfo/user_phone", "380501234567", "type", "GeneralInfo.user_phone"),
    ("PageView", "/GeneralInfo/user_es_contact_id", "100500", "type", "GeneralInfo.user_es_contact_id"),
    ("PageView", "/GeneralInfo/externalCustomerId", "null", "type", "GeneralInfo.externalCustomerId"),
    // Events without data
    ("PageView", "/PageView", r#"{"GeneralInfo":{}}"#, "js_form", "PageView.GeneralInfo"),
    ("MainPage", "/MainPage", "[]", "type", "MainPage"),
    ("CustomerData", "/CustomerData", r#"{"user_email":"a@b.c"}"#, "js_form", "CustomerData"),
    // Products
    ("ProductPage", "/ProductPage", "-", "required", "ProductPage"),
    ("ProductPage", "/ProductPage", r#"{"productKey":"1"}"#, "js_form", "ProductPage.productKey"),
    ("ProductPage", "/ProductPage/price", r#""1""#, "js_form", "ProductPage.price"),
    ("ProductPage", "/ProductPage/tag_size", r#"["1"]"#, "js_form", "ProductPage.tag_size"),
    ("ProductPage", "/ProductPage/Product", "-", "required", "ProductPage.Product"),
    ("ProductPage", "/Tags", "{}", "js_form", "Tags"),
    ("ProductPage", "/ProductPage/Product/productKey", "-", "required", "ProductPage.Product.productKey"),
    ("ProductPage", "/ProductPage/Product/productKey", "72354", "type", "ProductPage.Product.productKey"),
    ("ProductPage", "/ProductPage/Product/price", "754", "type", "ProductPage.Product.price"),
    ("ProductPage", "/ProductPage/Product/price", r#""""#, "empty", "ProductPage.Product.price"),
    ("ProductPage", "/ProductPage/Product/isInStock", "2", "value", "ProductPage.Product.isInStock"),
    ("ProductPage", "/ProductPage/Product/isInStock", r#""yes""#, "value", "ProductPage.Product.isInStock"),
    ("ProductPage", "/ProductPage/Product/isInStock", "true", "type", "ProductPage.Product.isInStock"),
    ("ProductPage", "/ProductPage/Product/tag_field", r#""123""#, "type", "ProductPage.Product.tag_field"),
    ("ProductPage", "/ProductPage/Product/tag_field", "[123]", "type", "ProductPage.Product.tag_field[0]"),
    ("ProductPage", "/ProductPage/Tags", "[]", "type", "ProductPage.Tags"),
    ("ProductPage", "/ProductPage/Tags/some_tags", r#""1""#, "type", "ProductPage.Tags.some_tags"),
    ("ProductPage", "/ProductPage/Tags/some_tags", r#"["1",2]"#, "type", "ProductPage.Tags.some_tags[1]"),
    ("AddToWishlist", "/AddToWishlist", r#"{"productKey":"1"}"#, "js_form", "AddToWishlist.productKey"),
    ("AddToWishlist", "/AddToWishlist/Product/productKey", r#""""#, "empty", "AddToWishlist.Product.productKey"),
    // Category, search
    ("CategoryPage", "/CategoryPage", r#"{"categoryKey":"1"}"#, "js_form", "CategoryPage.categoryKey"),
    ("CategoryPage", "/CategoryPage/Category/categoryKey", "-", "required", "CategoryPage.Category.categoryKey"),
    ("CategoryPage", "/CategoryPage/Category/categoryKey", "509876", "type", "CategoryPage.Category.categoryKey"),
    ("SearchRequest", "/SearchRequest/search", "-", "required", "SearchRequest.search"),
    ("SearchRequest", "/SearchRequest/isFound", r#""1""#, "type", "SearchRequest.isFound"),
    ("SearchRequest", "/SearchRequest/isFound", "2", "value", "SearchRequest.isFound"),
    // Cart
    ("StatusCart", "/StatusCart", "[]", "js_form", "StatusCart"),
    ("StatusCart", "/GUID", r#""6F9619FF-8B86-D011-B42D-00CF4FC964FF""#, "js_form", "GUID"),
    ("StatusCart", "/StatusCart/GUID", "-", "required", "StatusCart.GUID"),
    ("StatusCart", "/StatusCart/GUID", r#""""#, "empty", "StatusCart.GUID"),
    ("StatusCart", "/StatusCart/GUID", r#""{6F9619FF}""#, "value", "StatusCart.GUID"),
    ("StatusCart", "/StatusCart/Products", "-", "required", "StatusCart.Products"),
    ("StatusCart", "/StatusCart/Products", "{}", "type", "StatusCart.Products"),
    ("StatusCart", "/StatusCart/Products", "[7]", "type", "StatusCart.Products[0]"),
    ("StatusCart", "/StatusCart/Products/0/currency", r#""UAH""#, "js_form", "StatusCart.Products[0].currency"),
    ("StatusCart", "/StatusCart/Products/0/productKey", "-", "required", "StatusCart.Products[0].productKey"),
    ("StatusCart", "/StatusCart/Products/0/price", "-", "required", "StatusCart.Products[0].price"),
    ("StatusCart", "/StatusCart/Products/0/price", "true", "type", "StatusCart.Products[0].price"),
    ("StatusCart", "/StatusCart/Products/0/quantity", "-", "required", "StatusCart.Products[0].quantity"),
    ("StatusCart", "/StatusCart/Products/0/quantity", r#""1""#, "type", "StatusCart.Products[0].quantity"),
    ("StatusCart", "/StatusCart/Products/0/quantity", "1.5", "type", "StatusCart.Products[0].quantity"),
    ("StatusCart", "/StatusCart/Products/0/discount", "[]", "type", "StatusCart.Products[0].discount"),
    ("StatusCart", "/StatusCart/Products/0/price_currency_code", "980", "type", "StatusCart.Products[0].price_currency_code"),
    ("StatusCart", "/StatusCart/Tags/blockId", r#"["1"]"#, "js_form", "StatusCart.Tags.blockId"),
    // Purchase
    ("PurchasedItems", "/PurchasedItems", "[]", "js_form", "PurchasedItems"),
    ("PurchasedItems", "/OrderNumber", r#""1""#, "js_form", "OrderNumber"),
    ("PurchasedItems", "/GUID", r#""1""#, "js_form", "GUID"),
    ("PurchasedItems", "/PurchasedItems/OrderNumber", "-", "required", "PurchasedItems.OrderNumber"),
    ("PurchasedItems", "/PurchasedItems/OrderNumber", "123", "type", "PurchasedItems.OrderNumber"),
    ("PurchasedItems", "/PurchasedItems/GUID", "null", "type", "PurchasedItems.GUID"),
    ("PurchasedItems", "/PurchasedItems/Products/0/productKey", r#""1""#, "js_form", "PurchasedItems.Products[0].productKey"),
    ("PurchasedItems", "/PurchasedItems/Products/0/price", r#""1""#, "js_form", "PurchasedItems.Products[0].price"),
    ("PurchasedItems", "/PurchasedItems/Products/0/currency", r#""UAH""#, "js_form", "PurchasedItems.Products[0].currency"),
    ("PurchasedItems", "/PurchasedItems/Products/0/product_id", "430738", "type", "PurchasedItems.Products[0].product_id"),
    ("PurchasedItems", "/PurchasedItems/Products/0/unit_price", "-", "required", "PurchasedItems.Products[0].unit_price"),
    ("PurchasedItems", "/PurchasedItems/Products/0/quantity", "-1", "type", "PurchasedItems.Products[0].quantity"),
    ("PurchasedItems", "/PurchasedItems/Tags/blockId", r#"["1"]"#, "js_form", "PurchasedItems.Tags.blockId"),
    // Impressions, catalogue
    ("ProductImpressions", "/ProductImpression", "-", "required", "ProductImpression"),
    ("ProductImpressions", "/ProductImpressions", "{}", "js_form", "ProductImpressions"),
    ("ProductImpressions", "/ProductImpression/Products", "[]", "empty", "ProductImpression.Products"),
    ("ProductImpressions", "/ProductImpression/Products/0/container_type", r#""""#, "empty", "ProductImpression.Products[0].container_type"),
    ("ProductUpdate", "/ProductUpdate", "{}", "type", "ProductUpdate"),
    ("ProductUpdate", "/ProductUpdate", "[]", "empty", "ProductUpdate"),
    ("ProductUpdate", "/ProductUpdate/0/product_id", "-", "required", "ProductUpdate[0].product_id"),
    ("ProductUpdate", "/ProductUpdate/0/isInStock", "-", "required", "ProductUpdate[0].isInStock"),
    ("ProductUpdate", "/ProductUpdate/0/tag_field", "1", "type", "ProductUpdate[0].tag_field"),
];

#[tokio::test]
async fn every_wrong_member_is_refused_by_name_and_nothing_is_stored() {
    let rig = Rig::start().await;
    for (event, pointer, value, code, field) in WRONG {
        let answer = rig.post(&changed(event, pointer, value)).await;
        let error = &answer.json()["error"];
        let got = (answer.status, error["code"].as_str(), error["field"].as_str());
        assert_eq!(got, (400, Some(*code), Some(*field)), "{event} {pointer} {value}");
        assert!(error["message"].is_string());
    }
    assert_eq!(rig.read("/events").await, json!([]));
    assert_eq!(rig.read("/stats").await["verdicts"]["refused"], WRONG.len());
}

fn changed(event: &str, pointer: &str, value: &str) -> Value {
    let mut body = right(event);
    let value = if value == "-" { None } else { Some(serde_json::from_str(value).unwrap()) };
    change(&mut body, pointer, value);
    body
}

#[tokio::test]
async fn customer_data_without_any_identifier_is_refused() {
    let rig = Rig::start().await;
    let mut body = right("CustomerData");
    for name in ["externalCustomerId", "user_email", "user_phone", "user_es_contact_id"] {
        change(&mut body, &format!("/GeneralInfo/{name}"), None);
    }
    let error = &rig.post(&body).await.json()["error"];
    assert_eq!((&error["code"], &error["field"]), (&json!("identity"), &json!("GeneralInfo")));
}

#[tokio::test]
async fn one_of_the_browsers_calls_sent_as_it_is_is_refused() {
    let rig = Rig::start().await;
    let mut calls = 0;
    for example in examples("js-call") {
        let args = &example["payload"]["args"];
        let (Some(event), Some(data)) = (args[1].as_str(), args[2].as_object()) else { continue };
        // These calls have the tags form, which is the tracker's own.
        if args[0] == "sendEventWithTags" {
            continue;
        }
        let mut body = right("PageView");
        change(&mut body, "/PageView", None);
        change(&mut body, "/GeneralInfo/eventName", Some(json!(event)));
        body.as_object_mut().unwrap().extend(data.clone());
        let answer = rig.post(&body).await;
        assert_eq!(answer.json()["error"]["code"], "js_form", "{example}");
        calls += 1;
    }
    assert!(calls >= 5);
}

#[tokio::test]
async fn unknown_members_are_accepted_and_listed_by_path() {
    let rig = Rig::start().await;
    let mut body = right("StatusCart");
    for pointer in [
        "/TrackedOrderId",
        "/GeneralInfo/user_city",
        "/GeneralInfo/cookies/other",
        "/StatusCart/note",
        "/StatusCart/Products/0/colour",
    ] {
        change(&mut body, pointer, Some(json!("x")));
    }
    assert_eq!(rig.post(&body).await.status, 200);
    let extras = rig.read("/requests").await[0]["extras"].clone();
    let mut extras: Vec<String> = serde_json::from_value(extras).unwrap();
    extras.sort();
    assert_eq!(
        extras,
        [
            "GeneralInfo.cookies.other",
            "GeneralInfo.user_city",
            "StatusCart.Products[0].colour",
            "StatusCart.note",
            "TrackedOrderId",
        ]
    );
    assert_eq!(rig.read("/stats").await["with_extras"], 1);
}

#[tokio::test]
async fn an_event_is_at_most_8_days_old_and_a_minute_ahead() {
    let rig = Rig::start().await;
    rig.put("/settings", &json!({ "check_datetime": true })).await;
    // What arrives first tells the server's time.
    assert_eq!(rig.post(&right("MainPage")).await.json()["error"]["code"], "datetime");
    let now = rig.read("/requests").await[0]["received"].as_u64().unwrap();
    let day = 24 * 60 * 60 * 1000;
    let at = async |moment: u64| {
        let mut body = right("MainPage");
        change(&mut body, "/GeneralInfo/datetime", Some(json!(moment)));
        rig.post(&body).await.json()["error"]["field"].clone()
    };
    let refused = json!("GeneralInfo.datetime");
    assert_eq!(at(now).await, json!(null));
    assert_eq!(at(now - 8 * day + 30_000).await, json!(null));
    assert_eq!(at(now - 8 * day - 1).await, refused);
    assert_eq!(at(now + 30_000).await, json!(null));
    assert_eq!(at(now + 120_000).await, refused);
    assert_eq!(at(now / 1000).await, refused, "seconds in place of milliseconds");
}

#[tokio::test]
async fn only_the_sites_of_the_settings_are_known_if_there_are_any() {
    let rig = Rig::start().await;
    rig.put("/settings", &json!({ "site_ids": ["AAAAAAA"] })).await;
    let error = &rig.post(&right("MainPage")).await.json()["error"];
    assert_eq!(
        (&error["code"], &error["field"]),
        (&json!("unknown_site"), &json!("GeneralInfo.siteId"))
    );
    rig.put("/settings", &json!({ "site_ids": ["AAAAAAA", "8A412DC"] })).await;
    assert_eq!(rig.post(&right("MainPage")).await.status, 200);
}
