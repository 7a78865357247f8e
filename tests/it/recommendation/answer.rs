//! The platform's answers, in every form of the contract and some that are not in it, and what the
//! feed adds to them.

use esputnik_kit::{
    api::{Kind, Reply},
    catalogue::Item,
    json,
    recommendation::{Answer, Price, Product, Source, answer::read},
    value::{Value, find},
};

use super::{ids, products};

fn reply(status: u16, text: &str) -> Reply {
    Reply { status, text: text.into(), ..Reply::default() }
}

fn amount(price: Option<&Price>) -> Option<&str> {
    price.map(|price| price.amount.as_str())
}

const CONTACT: &str = r#"[
    {"id": "200600", "name": "Super Device", "url": "https://a.b/item?id=1&sc_content=19534_r12v34#x",
     "price": 990.0, "descr": "Fine", "brand": "Super", "category": ["devices", "new"], "isInStock": 1,
     "tags_oldprice": "1200", "tags_sizes": ["S", "M"], "unknown": {"deep": 1}},
    {"id": 200601, "url": "https://a.b/2?sc_content=19534_r12v34", "price": "546", "isInStock": "0"}
]"#;

#[test]
fn the_rest_apis_list_is_read_with_its_attributes() {
    let found = products(CONTACT);
    assert_eq!(ids(&found), ["200600", "200601"]);
    let first = &found[0];
    assert_eq!(first.url, "https://a.b/item?id=1&sc_content=19534_r12v34#x", "never edited");
    assert_eq!(first.container_type.as_deref(), Some("19534_r12v34"));
    assert_eq!(
        (first.name.as_deref(), first.brand.as_deref()),
        (Some("Super Device"), Some("Super"))
    );
    assert_eq!(amount(first.price.as_ref()), Some("990.0"));
    assert_eq!(amount(first.old_price.as_ref()), Some("1200"));
    assert_eq!((first.in_stock, found[1].in_stock), (Some(true), Some(false)));
    assert_eq!(first.categories, ["devices", "new"]);
    let sizes = Value::List(vec![Value::text("S"), Value::text("M")]);
    assert_eq!(find(&first.fields, "tags_sizes"), Some(&sizes));
    assert_eq!(find(&first.fields, "unknown"), None);
}

#[test]
fn the_record_of_the_platforms_own_tests_is_read() {
    let examples = json::parse(include_str!("../../data/site.json")).unwrap();
    let mut examples = examples.as_list().unwrap().iter();
    let record = examples.find(|one| one.member("id") == Some(&Value::text("REC-15"))).unwrap();
    let text = format!(r#"{{"recoms": [{}]}}"#, record.member("payload").unwrap().to_json());
    let [product] = &products(&text)[..] else { panic!("one product") };
    assert_eq!(product.id, "24-WG081-blue", "its product_id is empty");
    assert!(
        product.url.ends_with("/sprite%20stasis%20ball%2055%20cm%20blue.html?sc_content=24913_1")
    );
    assert_eq!(product.container_type.as_deref(), Some("24913_1"));
    assert!(product.image.as_deref().unwrap().ends_with("luma-stability-ball.jpg"));
    assert_eq!(find(&product.fields, "tags_discount"), Some(&Value::text("78")));
    assert_eq!(find(&product.fields, "item_group"), None, "it says nothing");
    assert_eq!(amount(product.old_price.as_ref()), Some("106"));
}

#[test]
fn every_form_of_nothing_is_an_empty_answer() {
    for text in ["", "  \n", "[]", "{}", r#"{"recoms": []}"#, r#"{"recoms": null}"#, "null"] {
        assert_eq!(products(text), [], "{text}");
    }
    // Entries that are no products cost only themselves.
    let some = r#"[null, 5, {}, {"name": "no id"}, {"id": ""}, {"id": "a", "url": "/a"}]"#;
    assert_eq!(ids(&products(some)), ["a"]);
    assert_eq!(ids(&products(r#"{"id": "alone", "url": "/a"}"#)), ["alone"]);
    assert_eq!(ids(&products("\u{feff}Warning: x\n[{\"id\": \"a\", \"url\": \"/a\"}]")), ["a"]);
}

#[test]
fn what_is_no_answer_says_what_went_wrong() {
    for (status, text, kind) in [
        (200, "<html>", Kind::Unreadable),
        (200, "[{\"id\": \"a\"", Kind::Unreadable),
        (200, "\"words\"", Kind::Unreadable),
        (200, r#"{"recoms": "none"}"#, Kind::Unreadable),
        (200, r#"{"status": "ok"}"#, Kind::Unreadable),
        (302, "", Kind::Redirected),
        (401, "", Kind::Unauthorized),
        (422, r#"{"message": "unknown variant"}"#, Kind::Refused),
        (429, "", Kind::RateLimited),
        (500, "", Kind::Failed),
    ] {
        assert_eq!(read(&reply(status, text), None, 0).unwrap_err().kind, kind, "{status} {text}");
    }
}

#[test]
fn the_container_type_is_the_addresss_else_the_settings() {
    let one = |url: &str, own: Option<&str>| {
        let text = serde_json::json!([{"id": "a", "url": url}]).to_string();
        read(&reply(200, &text), own, 0).unwrap().remove(0).container_type
    };
    let own = Some("1_r1v1");
    assert_eq!(one("https://a.b/?sc_content=2_r2v2", own).as_deref(), Some("2_r2v2"));
    assert_eq!(one("https://a.b/?x=1&sc_content=2%5Fr2v2", own).as_deref(), Some("2_r2v2"));
    assert_eq!(one("https://a.b/", own), own.map(str::to_owned));
    assert_eq!(one("https://a.b/?sc_content=", None), None);
    assert_eq!(one("https://a.b/#sc_content=2_r2v2", None), None);
}

#[test]
fn hostile_texts_stay_text_and_hostile_addresses_are_none() {
    let text = r#"[{"id": "<b>", "name": "<img src=x onerror=alert(1)>", "url": "javascript:alert(1)",
        "imageUrl": "data:text/html,<script>", "price": "1e400"},
        {"id": "b", "url": "java\nscript:alert(1)", "imageUrl": "https://a.b/\u0000.png"}]"#;
    let found = products(text);
    assert_eq!(found[0].name.as_deref(), Some("<img src=x onerror=alert(1)>"));
    assert!(
        found.iter().all(|one| one.url.is_empty() && one.image.is_none() && one.price.is_none())
    );
}

#[test]
fn a_hostile_answer_is_cut_to_size() {
    let long = "x".repeat(10_000);
    let fields: Vec<String> = (0..500).map(|at| format!("\"tags_{at}\": \"{long}\"")).collect();
    let one = format!(r#"{{"id": "a", "url": "/a", {}}}"#, fields.join(","));
    let found = products(&format!("[{one}]"));
    assert_eq!(found[0].fields.len(), 150);
    let longest = found[0].fields.iter().filter_map(|(_, value)| value.as_text()).map(str::len);
    assert_eq!(longest.max(), Some(4000));
    let many = vec![r#"{"id": "a", "url": "/a"}"#; 1000].join(",");
    assert_eq!(products(&format!("[{many}]")).len(), 100);
}

/// A product of the shop's feed with these attributes.
fn item(text: &str) -> Item {
    Item::from_value(json::parse(text).unwrap()).unwrap()
}

const ITEM: &str = r#"{"id": "a", "title": "Tent", "link": "https://a.b/tent", "image_link": "https://a.b/t.png",
    "brand": "Roof", "description": "Dry", "price": "1500.00 UAH", "sale_price": "1299.00 UAH",
    "availability": "in_stock", "product_type": "Outdoor > Tents", "custom": "7",
    "tags_colour": ["red", "blue"]}"#;

#[test]
fn the_feed_adds_what_the_platform_does_not_say() {
    let mut product =
        products(r#"[{"id": "a", "url": "https://a.b/?sc_content=1_r1v1"}]"#).remove(0);
    product.add_item(&item(ITEM));
    assert_eq!(product.url, "https://a.b/?sc_content=1_r1v1", "the platform's, never the feed's");
    assert_eq!(product.container_type.as_deref(), Some("1_r1v1"));
    assert_eq!(product.name.as_deref(), Some("Tent"));
    assert_eq!(product.image.as_deref(), Some("https://a.b/t.png"));
    assert_eq!(amount(product.price.as_ref()), Some("1299.00"));
    assert_eq!(amount(product.old_price.as_ref()), Some("1500.00"));
    assert_eq!(product.price.as_ref().unwrap().currency.as_deref(), Some("UAH"));
    assert_eq!(product.in_stock, Some(true));
    assert_eq!(product.categories, ["Outdoor", "Tents"]);
    assert_eq!(product.category().as_deref(), Some("Tents"));
    assert_eq!(find(&product.fields, "custom"), Some(&Value::text("7")));
    for (name, values) in [("g:custom", "7"), ("colour", "red blue"), ("category", "Outdoor Tents")]
    {
        assert_eq!(product.attribute(name).collect::<Vec<_>>().join(" "), values, "{name}");
    }
}

#[test]
fn price_and_stock_are_the_feeds_and_words_are_the_platforms() {
    let mut product = products(
        r#"[{"id": "a", "url": "/a", "name": "Own", "price": 2000, "tags_oldprice": "2500", "isInStock": 1,
            "imageUrl": "/own.png"}]"#,
    )
    .remove(0);
    product.add_item(&item(
        r#"{"id": "a", "title": "Other", "image_link": "https://a.b/other.png", "price": "2600",
            "availability": "out of stock"}"#,
    ));
    assert_eq!(
        (product.name.as_deref(), product.image.as_deref()),
        (Some("Own"), Some("/own.png"))
    );
    assert_eq!(amount(product.price.as_ref()), Some("2600"));
    assert_eq!(product.old_price, None, "it was no more than that");
    assert_eq!(product.in_stock, Some(false));
}

/// What a page gets of a product that asks for all of it.
fn all_fields(product: Product) -> Value {
    let (variant, source) = ("r12v34".to_owned(), Source::Platform);
    let products = vec![product];
    let answer = Answer { variant, source, personal: true, products }.page_value(true);
    answer.member("products").and_then(Value::as_list).unwrap()[0].clone()
}

#[test]
fn all_fields_and_filters_say_what_the_catalogue_knows_under_the_platforms_names() {
    let known = [
        ("price", Value::Number("1299".into()), "1299"),
        ("tags_oldprice", Value::text("1500"), "1500"),
        ("isInStock", Value::whole(1), "1"),
    ];
    let words = [
        ("name", Value::text("Tent"), "Tent"),
        ("imageUrl", Value::text("https://a.b/t.png"), "https://a.b/t.png"),
        ("descr", Value::text("Dry"), "Dry"),
        ("brand", Value::text("Roof"), "Roof"),
    ];
    let full = r#"[{"id": "a", "url": "/a", "name": "Tent", "imageUrl": "https://a.b/t.png", "descr": "Dry",
        "brand": "Roof", "price": 2000.5, "tags_oldprice": "2500", "isInStock": 0}]"#;
    let ids_alone = r#"[{"id": "a", "url": "/a"}]"#;
    for text in [full, ids_alone, ""] {
        let product = match products(text).pop() {
            Some(mut product) => {
                product.add_item(&item(ITEM));
                product
            }
            None => Product::of_item(&item(ITEM)),
        };
        let shown = all_fields(product.clone());
        for (name, value, filter) in known.iter().chain(&words) {
            assert_eq!(shown.member(name), Some(value), "{name} of {text}");
            assert_eq!(product.attribute(name).collect::<Vec<_>>(), [*filter], "{name} of {text}");
        }
        let Value::Object(members) = &shown else { panic!("an object") };
        let named = |name: &str| members.iter().filter(|(own, _)| own == name).count();
        assert_eq!((named("price"), named("isInStock"), named("name")), (1, 1, 1));
        assert_eq!(product.attribute("old_price").collect::<Vec<_>>(), ["1500"]);
    }
    // What is no discount any more is none under any name.
    let mut product = products(full).remove(0);
    product.add_item(&item(r#"{"id": "a", "price": "2600", "availability": "out of stock"}"#));
    let shown = all_fields(product.clone());
    assert_eq!(shown.member("tags_oldprice"), None);
    assert_eq!(product.attribute("tags_oldprice").next(), None);
    assert_eq!(shown.member("isInStock"), Some(&Value::whole(0)));
}

#[test]
fn what_nobody_recommended_has_no_container_type() {
    let product = Product::of_item(&item(ITEM));
    assert_eq!((product.url.as_str(), product.container_type), ("https://a.b/tent", None));
    let link = r#"{"id": "a", "link": "javascript:alert(1)"}"#;
    assert_eq!(Product::of_item(&item(link)).url, "");
}

#[test]
fn an_answer_survives_the_way_between_the_parts_of_the_worker() {
    let mut found = products(CONTACT);
    found[1].add_item(&item(ITEM));
    let answer =
        Answer { variant: "r12v34".into(), source: Source::Last, personal: true, products: found };
    let text = answer.to_value().to_json();
    assert_eq!(Answer::from_value(&json::parse(&text).unwrap()), Some(answer));
}

#[test]
fn a_page_gets_the_three_members_of_the_vendors_answer_and_attributes_if_it_asks() {
    let mut products = products(CONTACT);
    products[1].container_type = None;
    let answer =
        Answer { variant: "r12v34".into(), source: Source::Platform, personal: true, products };
    assert_eq!(
        answer.page_value(false).to_json(),
        r#"{"v":1,"variant":"r12v34","source":"platform","products":[{"product_id":"200600","url":"https://a.b/item?id=1&sc_content=19534_r12v34#x","container_type":"19534_r12v34"},{"product_id":"200601","url":"https://a.b/2?sc_content=19534_r12v34"}]}"#
    );
    let all = answer.page_value(true);
    let first = &all.member("products").and_then(Value::as_list).unwrap()[0];
    assert_eq!(first.member("tags_oldprice"), Some(&Value::text("1200")));
    assert_eq!(first.member("name"), Some(&Value::text("Super Device")));
    assert_eq!(first.member("product_id"), Some(&Value::text("200600")));
}
