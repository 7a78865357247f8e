//! Where the vendor's pages and plug-ins disagree, every variant is read, written in one form, and
//! named in a warning.

use serde_json::{Value, json};

use crate::rig::{encode, general_info, names, read_call, read_rest};

/// The body and the warnings of a call.
#[track_caller]
fn call(call: Value) -> (Value, Vec<String>) {
    let reading = read_call(call).unwrap();
    (encode(&reading), names(&reading.warnings))
}

/// The body and the warnings of a server's event `name` with `data` under `key`.
#[track_caller]
fn rest(name: &str, key: &str, data: Value) -> (Value, Vec<String>) {
    let mut body = json!({"GeneralInfo": general_info(name)});
    body[key] = data;
    let reading = read_rest(body).unwrap();
    (encode(&reading), names(&reading.warnings))
}

const PRODUCT: &str = "ProductPage";

#[test]
fn general_info_stands_beside_the_key_or_inside_it() {
    let who = json!({"user_email": "a@shop.example"});
    let beside = json!({"MainPage": {}, "GeneralInfo": who});
    let inside = json!({"MainPage": {"GeneralInfo": who}});
    let (body, warnings) = call(json!(["sendEvent", "MainPage", beside]));
    assert_eq!(body["GeneralInfo"]["user_email"], "a@shop.example");
    assert!(warnings.is_empty(), "{warnings:?}");
    let (body_inside, warnings) = call(json!(["sendEvent", "MainPage", inside]));
    assert_eq!(body_inside, body);
    assert_eq!(warnings, ["nested_general_info MainPage.GeneralInfo"]);
}

#[test]
fn general_info_is_read_in_any_later_argument() {
    let who = json!({"user_phone": "380501234567"});
    for later in [who.clone(), json!({"GeneralInfo": who})] {
        for call_of in [
            json!(["sendEvent", "MainPage", {}, later]),
            json!(["sendEvent", "MainPage", null, null, later]),
        ] {
            let (body, warnings) = call(call_of);
            assert_eq!(body["GeneralInfo"]["user_phone"], "380501234567");
            assert_eq!(warnings, ["later_general_info GeneralInfo"]);
        }
    }
}

#[test]
fn a_later_argument_without_identity_is_not_taken_for_one() {
    let (body, warnings) = call(json!(["sendEvent", "MainPage", {}, {"callback": 1}, "x", 7]));
    assert_eq!(body["GeneralInfo"].as_object().unwrap().len(), 4);
    assert!(warnings.is_empty(), "{warnings:?}");
}

#[test]
fn stock_is_one_or_zero_however_it_is_written() {
    let written = [
        (json!(1), 1, None),
        (json!(0), 0, None),
        (json!("1"), 1, Some("text_for_number")),
        (json!("0"), 0, Some("text_for_number")),
        (json!(true), 1, Some("bool_for_flag")),
        (json!(false), 0, Some("bool_for_flag")),
        (json!(1.0), 1, None),
    ];
    for (stock, flag, warning) in written {
        let data = json!({"productKey": "7", "isInStock": stock});
        let (body, warnings) = call(json!(["sendEvent", PRODUCT, {PRODUCT: data}]));
        assert_eq!(body[PRODUCT]["Product"]["isInStock"], flag);
        let expected: Vec<_> =
            warning.iter().map(|code| format!("{code} ProductPage.isInStock")).collect();
        assert_eq!(warnings, expected);
    }
}

#[test]
fn stock_is_read_under_every_spelling_of_its_name() {
    for name in ["isinStock", "is_in_stock"] {
        let data = json!({"productKey": "7", name: 1});
        let (body, warnings) = call(json!(["sendEvent", PRODUCT, {PRODUCT: data}]));
        assert_eq!(body[PRODUCT]["Product"], json!({"productKey": "7", "isInStock": 1}));
        assert_eq!(warnings, [format!("alias ProductPage.{name}")]);
    }
}

#[test]
fn the_wishlists_price_may_be_capitalised() {
    let data = json!({"productKey": "7", "Price": "9.50"});
    let (body, warnings) = call(json!(["sendEvent", "AddToWishlist", {"AddToWishlist": data}]));
    assert_eq!(body["AddToWishlist"]["Product"], json!({"productKey": "7", "price": "9.50"}));
    assert_eq!(warnings, ["alias AddToWishlist.Price"]);
}

#[test]
fn prices_keep_their_digits_and_their_currency() {
    for price in ["754", "754 USD", "450.00", "1 299,50 ₴", "0"] {
        let data = json!({"productKey": "7", "price": price});
        let (body, warnings) = call(json!(["sendEvent", PRODUCT, {PRODUCT: data}]));
        assert_eq!(body[PRODUCT]["Product"]["price"], price);
        assert!(warnings.is_empty(), "{warnings:?}");
    }
}

#[test]
fn numbers_for_text_leave_as_the_text_they_came_with() {
    let text = r#"{"ProductPage":{"productKey":12345678901234567890123,"price":450.00}}"#;
    let data = esputnik_kit::json::parse(text).unwrap();
    let name = esputnik_kit::value::Value::text(PRODUCT);
    let reading = esputnik_kit::event::Event::from_call("sendEvent", &[name, data]).unwrap();
    let product = &encode(&reading)[PRODUCT]["Product"];
    assert_eq!(product, &json!({"productKey": "12345678901234567890123", "price": "450.00"}));
    let fields = ["number_for_text ProductPage.productKey", "number_for_text ProductPage.price"];
    assert_eq!(names(&reading.warnings), fields);
}

#[test]
fn quantities_of_a_cart_are_numbers_whatever_they_came_as() {
    for quantity in [json!("3"), json!(3), json!("3.0"), json!(3.00)] {
        let item = json!({"productKey": "7", "price": "1", "quantity": quantity});
        let (body, _) = call(json!(["sendEvent", "StatusCart", {"StatusCart": [item]}]));
        assert_eq!(body["StatusCart"]["Products"][0]["quantity"], 3);
    }
}

#[test]
fn the_carts_price_and_discount_are_text_also_in_a_servers_event() {
    let item = json!({"productKey": "7", "price": 201.95, "discount": 180, "quantity": 1,
        "price_currency_code": "UAH"});
    let data = json!({"GUID": "g", "Products": [item]});
    let (body, warnings) = rest("StatusCart", "StatusCart", data);
    let written = json!({"productKey": "7", "price": "201.95", "discount": "180", "quantity": 1,
        "price_currency_code": "UAH"});
    assert_eq!(body["StatusCart"]["Products"][0], written);
    let fields = ["price", "discount"];
    let fields = fields.map(|field| format!("number_for_text StatusCart.Products[0].{field}"));
    assert_eq!(warnings, fields);
}

#[test]
fn both_names_of_the_currency_are_documented_and_one_is_written() {
    for name in ["currency", "price_currency_code"] {
        let item = json!({"productKey": "7", "price": "1", "quantity": 1, name: "UAH"});
        let (body, warnings) = call(json!(["sendEvent", "StatusCart", {"StatusCart": [item]}]));
        assert_eq!(body["StatusCart"]["Products"][0]["price_currency_code"], "UAH");
        assert!(warnings.is_empty(), "{warnings:?}");
    }
}

#[test]
fn either_command_reads_either_nesting() {
    let item = json!({"productKey": "7", "price": "1", "quantity": 1});
    let plain = json!({"StatusCart": [item], "GUID": "g"});
    let tags = json!({"StatusCart": {"GUID": "g", "Products": [item]}});
    let (expected, warnings) = call(json!(["sendEvent", "StatusCart", plain]));
    assert!(warnings.is_empty(), "{warnings:?}");
    let (body, warnings) = call(json!(["sendEventWithTags", "StatusCart", tags]));
    assert_eq!((body, warnings), (expected.clone(), vec![]));
    let (body, warnings) = call(json!(["sendEvent", "StatusCart", tags]));
    assert_eq!((body, warnings), (expected.clone(), vec!["other_nesting StatusCart".to_owned()]));
    let (body, warnings) = call(json!(["sendEventWithTags", "StatusCart", plain]));
    assert_eq!((body, warnings), (expected, vec!["other_nesting StatusCart".to_owned()]));
}

#[test]
fn a_product_stands_under_the_key_or_one_level_deeper() {
    for (kind, nest, fields) in [
        ("ProductPage", "Product", json!({"productKey": "7"})),
        ("AddToWishlist", "Product", json!({"productKey": "7"})),
        ("CategoryPage", "Category", json!({"categoryKey": "7"})),
    ] {
        let flat = json!({kind: fields});
        let deep = json!({kind: {nest: fields}});
        let warning = vec![format!("other_nesting {kind}")];
        for (command, data, warnings) in [
            ("sendEvent", &flat, &vec![]),
            ("sendEventWithTags", &deep, &vec![]),
            ("sendEvent", &deep, &warning),
            ("sendEventWithTags", &flat, &warning),
        ] {
            let (body, found) = call(json!([command, kind, data]));
            assert_eq!((&body[kind], &found), (&json!({nest: fields}), warnings), "{command}");
        }
    }
}

#[test]
fn tags_stand_beside_the_key_or_inside_it() {
    let tags = json!({"season": ["summer", "2026"]});
    let fields = json!({"categoryKey": "7"});
    let beside = json!({"CategoryPage": fields, "Tags": tags});
    let inside = json!({"CategoryPage": {"categoryKey": "7", "Tags": tags}});
    for data in [beside, inside] {
        let (body, warnings) = call(json!(["sendEvent", "CategoryPage", data]));
        assert_eq!(body["CategoryPage"], json!({"Category": fields, "Tags": tags}));
        assert!(warnings.is_empty(), "{warnings:?}");
    }
}

#[test]
fn a_single_tag_is_written_as_a_list_of_one() {
    let data = json!({"ProductPage": {"productKey": "7", "tag_colour": "red", "tag_new": true}});
    let (body, warnings) = call(json!(["sendEvent", PRODUCT, data]));
    assert_eq!(body[PRODUCT]["Product"]["tag_colour"], json!(["red"]));
    assert_eq!(body[PRODUCT]["Product"]["tag_new"], json!(["true"]));
    let fields = ["value_for_list ProductPage.tag_colour", "value_for_list ProductPage.tag_new"];
    assert_eq!(warnings, fields);
}

#[test]
fn the_block_of_a_purchase_is_written_in_the_spelling_of_the_tags_form() {
    let item = json!({"productKey": "7", "price": "1", "quantity": "1", "currency": "UAH"});
    let block = json!(["21246_r335v507"]);
    let plain = json!({"OrderNumber": "1", "PurchasedItems": [item], "Tags": {"blockId": block}});
    let (body, warnings) = call(json!(["sendEvent", "PurchasedItems", plain]));
    assert_eq!(body["PurchasedItems"]["Tags"], json!({"block_id": block}));
    assert!(warnings.contains(&"alias Tags.blockId".to_owned()), "{warnings:?}");
    let tags = json!({"PurchasedItems": {"OrderNumber": "1", "Tags": {"block_id": block}}});
    let (body, warnings) = call(json!(["sendEventWithTags", "PurchasedItems", tags]));
    assert_eq!(body["PurchasedItems"]["Tags"], json!({"block_id": block}));
    assert!(warnings.is_empty(), "{warnings:?}");
}

#[test]
fn a_purchase_in_the_plain_forms_words_is_written_in_those_of_the_rest_form() {
    let item = json!({"productKey": "7", "price": "1.20", "quantity": "2", "currency": "UAH"});
    let data = json!({"OrderNumber": "123/2017", "GUID": "g", "PurchasedItems": [item]});
    let (body, _) = call(json!(["sendEvent", "PurchasedItems", data]));
    let item = json!({"product_id": "7", "unit_price": "1.20", "quantity": 2,
        "price_currency_code": "UAH"});
    let written = json!({"GUID": "g", "Products": [item], "OrderNumber": "123/2017"});
    assert_eq!(body["PurchasedItems"], written);
}

#[test]
fn a_purchase_needs_neither_guid_nor_list() {
    let item = json!({"productKey": "7", "price": "1", "quantity": 1});
    let one_click = json!({"OrderNumber": "1", "PurchasedItems": [item]});
    let (body, _) = call(json!(["sendEvent", "PurchasedItems", one_click]));
    assert_eq!(body["PurchasedItems"].get("GUID"), None);
    let no_list = json!({"PurchasedItems": {"OrderNumber": "1", "GUID": "g"}});
    let (body, _) = call(json!(["sendEventWithTags", "PurchasedItems", no_list]));
    assert_eq!(body["PurchasedItems"], json!({"GUID": "g", "OrderNumber": "1"}));
}

#[test]
fn products_are_read_under_the_other_kinds_name_of_their_id() {
    let (body, warnings) = call(json!(["sendEvent", PRODUCT, {PRODUCT: {"product_id": "7"}}]));
    assert_eq!(body[PRODUCT]["Product"], json!({"productKey": "7"}));
    assert_eq!(warnings, ["alias ProductPage.product_id"]);
    let item = json!({"productId": "7", "unit_price": "1", "quantity": 1});
    let data = json!({"PurchasedItems": {"OrderNumber": "1", "Products": [item]}});
    let (body, warnings) = call(json!(["sendEventWithTags", "PurchasedItems", data]));
    assert_eq!(body["PurchasedItems"]["Products"][0]["product_id"], "7");
    assert_eq!(warnings, ["alias PurchasedItems.Products[0].productId"]);
}

#[test]
fn impressions_are_plural_in_the_event_and_singular_in_the_key_wherever_they_come_from() {
    let item = json!({"product_id": "7", "container_type": "1253_r963v1317"});
    let written = json!({"Products": [item]});
    let flat = json!({"ProductImpression": [item]});
    let deep = json!({"ProductImpression": {"Products": [item]}});
    for (command, name, data, warning) in [
        ("sendEvent", "ProductImpressions", &flat, None),
        ("sendEvent", "ProductImpression", &flat, Some("alias ProductImpression")),
        ("sendEventWithTags", "ProductImpression", &deep, None),
        ("sendEventWithTags", "ProductImpressions", &deep, None),
    ] {
        let (body, warnings) = call(json!([command, name, data]));
        assert_eq!(body["GeneralInfo"]["eventName"], "ProductImpressions");
        assert_eq!(body["ProductImpression"], written);
        assert_eq!(warnings, warning.iter().map(ToString::to_string).collect::<Vec<_>>());
    }
    for (name, warning) in
        [("ProductImpressions", None), ("ProductImpression", Some("alias GeneralInfo.eventName"))]
    {
        let (body, warnings) = rest(name, "ProductImpression", written.clone());
        assert_eq!(body["GeneralInfo"]["eventName"], "ProductImpressions");
        assert_eq!(warnings, warning.iter().map(ToString::to_string).collect::<Vec<_>>());
    }
}

#[test]
fn the_impressions_key_may_be_plural_too() {
    let item = json!({"product_id": "7", "container_type": "1253"});
    let data = json!({"ProductImpressions": [item]});
    let (body, warnings) = call(json!(["sendEvent", "ProductImpressions", data]));
    assert_eq!(body["ProductImpression"]["Products"][0], item);
    assert_eq!(warnings, ["alias ProductImpressions"]);
}

#[test]
fn the_cards_number_is_written_under_the_tables_name() {
    let data = json!({"user_email": "a@shop.example", "user_card_id": "77"});
    let (body, warnings) = call(json!(["sendEvent", "CustomerData", {"CustomerData": data}]));
    assert_eq!(body["GeneralInfo"]["user_client_id"], "77");
    assert_eq!(warnings, ["alias CustomerData.user_card_id"]);
}

#[test]
fn customer_data_takes_what_only_its_example_shows() {
    let data = json!({"user_phone": "380501234567", "user_city": "Lviv", "user_tags_gender": "f"});
    let (body, warnings) = call(json!(["sendEvent", "CustomerData", {"CustomerData": data}]));
    let general = &body["GeneralInfo"];
    assert_eq!(
        (&general["user_city"], &general["user_tags_gender"]),
        (&json!("Lviv"), &json!("f"))
    );
    assert!(warnings.is_empty(), "{warnings:?}");
}

#[test]
fn one_identifier_is_enough_for_customer_data() {
    for name in ["externalCustomerId", "user_phone", "user_email", "user_es_contact_id"] {
        let (body, _) = call(json!(["sendEvent", "CustomerData", {"CustomerData": {name: "7"}}]));
        assert_eq!(body["GeneralInfo"][name], "7");
        assert_eq!(body.get("CustomerData"), None, "it stands on GeneralInfo alone");
    }
}

#[test]
fn identify_is_customer_data_in_short() {
    let who = json!({"externalCustomerId": "7", "user_name": "Ann"});
    let (expected, _) = call(json!(["sendEvent", "CustomerData", {"CustomerData": who}]));
    assert_eq!(call(json!(["identify", who])), (expected, vec![]));
}

#[test]
fn short_names_of_identity_are_written_under_the_documented_ones() {
    let short = [
        ("extid", "externalCustomerId"),
        ("phone", "user_phone"),
        ("email", "user_email"),
        ("contactId", "user_es_contact_id"),
    ];
    for (short, documented) in short {
        let (body, warnings) = call(json!(["identify", {short: "7"}]));
        assert_eq!(body["GeneralInfo"][documented], "7");
        assert_eq!(warnings, [format!("alias CustomerData.{short}")]);
    }
}

#[test]
fn a_plug_ins_web_contact_is_read_as_customer_data() {
    let body = json!({"externalCustomerId": "7", "webId": "W", "orgId": "1", "email": "a@b.c",
        "phone": "380"});
    let reading = read_rest(body).unwrap();
    let general = &encode(&reading)["GeneralInfo"];
    let (name, web_id) = (&general["eventName"], &general["cookies"]["sc"]);
    assert_eq!((name, web_id), (&json!("CustomerData"), &json!("W")));
    assert_eq!((&general["user_email"], &general["user_phone"]), (&json!("a@b.c"), &json!("380")));
    let expected = ["alias webId", "ignored_member orgId", "alias email", "alias phone"];
    assert_eq!(names(&reading.warnings), expected);
}

#[test]
fn a_search_stands_directly_under_its_key_in_every_form() {
    let data = json!({"search": "tent", "isFound": 0});
    let (expected, warnings) = rest("SearchRequest", "SearchRequest", data.clone());
    assert_eq!(expected["SearchRequest"], data);
    assert!(warnings.is_empty(), "{warnings:?}");
    for command in ["sendEvent", "sendEventWithTags"] {
        let call_of = json!([command, "SearchRequest", {"SearchRequest": data}]);
        assert_eq!(call(call_of), (expected.clone(), vec![]));
    }
}

#[test]
fn a_servers_category_is_nested_with_its_tags() {
    let data = json!({"Category": {"categoryKey": "A > B"}, "Tags": {"t": ["1"]}});
    let (body, warnings) = rest("CategoryPage", "CategoryPage", data.clone());
    assert_eq!(body["CategoryPage"], data);
    assert!(warnings.is_empty(), "{warnings:?}");
}

#[test]
fn product_updates_take_numbers_and_texts_for_each_other() {
    let item = json!({"product_id": 430_738, "isInStock": "1", "unit_price": 201.95,
        "category": ["a", "b"], "category_id": 3, "tag_discount": 10, "tag_oldprice": ["224.38"]});
    let general = json!({"eventName": "ProductUpdate", "siteId": "8A412DC"});
    let reading = read_rest(json!({"GeneralInfo": general, "ProductUpdate": [item]})).unwrap();
    let written = json!({"product_id": "430738", "isInStock": 1, "unit_price": "201.95",
        "category": ["a", "b"], "category_id": ["3"], "tag_discount": ["10"],
        "tag_oldprice": ["224.38"]});
    assert_eq!(encode(&reading)["ProductUpdate"], json!([written]));
    assert_eq!(reading.warnings.len(), 7, "{:?}", names(&reading.warnings));
}

#[test]
fn where_buy_was_pressed_goes_along_in_general_info() {
    let data = json!({"MainPage": {}, "GeneralInfo": {"s_location": "21246_r335v507"}});
    let (body, warnings) = call(json!(["sendEvent", "MainPage", data]));
    assert_eq!(body["GeneralInfo"]["s_location"], "21246_r335v507");
    assert!(warnings.is_empty(), "{warnings:?}");
}

#[test]
fn unknown_members_of_an_event_go_along_where_they_stood() {
    let uuid = "0b3d7c7e-7c0a-4a53-9d0e-0d8b6f4f6a11";
    let data = json!({"PurchasedItems": {"OrderNumber": "1", "till": 3}, "TrackedOrderId": uuid,
        "GeneralInfo": {"user_level": "gold"}});
    let (body, warnings) = call(json!(["sendEventWithTags", "PurchasedItems", data]));
    assert_eq!(body["TrackedOrderId"], uuid);
    assert_eq!(body["PurchasedItems"]["till"], 3);
    assert_eq!(body["GeneralInfo"]["user_level"], "gold");
    let fields = ["PurchasedItems.till", "TrackedOrderId", "GeneralInfo.user_level"];
    assert_eq!(warnings, fields.map(|field| format!("unknown_member {field}")));
}

#[test]
fn a_page_does_not_say_which_site_browser_or_time_it_is() {
    let general = json!({"siteId": "X", "datetime": 1, "cookies": {"sc": "X"}, "eventName": "X"});
    let data = json!({"MainPage": {}, "GeneralInfo": general});
    let (body, warnings) = call(json!(["sendEvent", "MainPage", data]));
    assert_eq!(body["GeneralInfo"], general_info("MainPage"));
    let fields = ["siteId", "datetime", "cookies"];
    assert_eq!(warnings, fields.map(|field| format!("ignored_member GeneralInfo.{field}")));
}

#[test]
fn empty_optional_values_are_left_out_and_named() {
    let data =
        json!({"productKey": "7", "price": "", "isInStock": " ", "tag_a": [], "tag_b": null});
    let (body, warnings) = call(json!(["sendEvent", PRODUCT, {PRODUCT: data}]));
    let written = json!({"productKey": "7", "tag_a": []});
    assert_eq!(body[PRODUCT]["Product"], written);
    assert_eq!(warnings, ["empty_value ProductPage.price", "empty_value ProductPage.isInStock"]);
}

#[test]
fn a_guid_keeps_its_digits_and_loses_its_braces() {
    for guid in ["{6F9619FF-8B86-D011-B42D-00CF4FC964FF}", "6F9619FF-8B86-D011-B42D-00CF4FC964FF"] {
        let (body, warnings) =
            call(json!(["sendEvent", "StatusCart", {"StatusCart": [], "GUID": guid}]));
        assert_eq!(body["StatusCart"]["GUID"], "6F9619FF-8B86-D011-B42D-00CF4FC964FF");
        assert!(warnings.is_empty(), "{warnings:?}");
    }
}

#[test]
fn guids_of_every_shape_seen_in_shops_are_taken() {
    for guid in ["1700000000123", "2b914e9c-43ee-bf41-6f80-b97db1e8ab7e", &"a".repeat(64), "5f3e.1"]
    {
        let (body, _) = call(json!(["sendEvent", "StatusCart", {"StatusCart": [], "GUID": guid}]));
        assert_eq!(body["StatusCart"]["GUID"], guid);
    }
}

#[test]
fn an_emptied_cart_is_an_empty_list() {
    for call_of in [
        json!(["sendEvent", "StatusCart", {"StatusCart": [], "GUID": "g"}]),
        json!(["sendEventWithTags", "StatusCart", {"StatusCart": {"Products": [], "GUID": "g"}}]),
    ] {
        let (body, warnings) = call(call_of);
        assert_eq!(body["StatusCart"], json!({"GUID": "g", "Products": []}));
        assert!(warnings.is_empty(), "{warnings:?}");
    }
}

#[test]
fn a_page_view_leaves_with_an_empty_object_and_other_pages_without_a_key() {
    let (body, _) = call(json!(["sendEvent", "PageView"]));
    assert_eq!(body["PageView"], json!({}));
    for name in ["MainPage", "NotFound", "StatusCartPage"] {
        for data in [json!(null), json!({}), json!({name: {}}), json!({name: null})] {
            let (body, warnings) = call(json!(["sendEvent", name, data]));
            assert_eq!(body, json!({"GeneralInfo": general_info(name)}));
            assert!(warnings.is_empty(), "{warnings:?}");
        }
    }
}
