//! Which products of an answer are shown, and in which order.

use esputnik_kit::{
    config::recommendations::OutOfStock,
    problem::Code,
    recommendation::{
        Filter, Product,
        filter::{choose, unknown},
    },
};

use super::{ask, ids, products};

fn shop() -> Vec<Product> {
    products(
        r#"[{"id": "1", "url": "/1", "brand": "A", "tags_city": ["Kyiv", "Lviv"], "isInStock": 1, "category": ["Outdoor > Tents"]},
            {"id": "2", "url": "/2", "brand": "B", "tags_city": ["Kyiv"], "isInStock": 0, "category": ["Tents"]},
            {"id": "3", "url": "/3", "brand": "A", "tags_city": "Lviv", "isInStock": 1, "category": ["Pots"]},
            {"id": "4", "url": "/4", "tags_sale": "1"},
            {"id": "5"}]"#,
    )
}

/// The ids of what is shown with these filters.
fn with(filters: &str) -> Vec<String> {
    let ask = ask(&format!(r#"{{"variantId": "r1v1", "filters": {filters}}}"#));
    let shown = choose(&ask, shop(), OutOfStock::Show, 50);
    ids(&shown).into_iter().map(str::to_owned).collect()
}

#[test]
fn include_and_exclude_are_strict_and_their_values_are_alternatives() {
    assert_eq!(
        with(r#"{"include": [{"name": "tags_city", "values": ["Kyiv", "Odesa"]}]}"#),
        ["1", "2"]
    );
    assert_eq!(with(r#"{"exclude": [{"name": "tags_city", "values": ["Kyiv"]}]}"#), ["3", "4"]);
    let both = r#"{"include": [{"name": "city", "values": ["Lviv"]}, {"name": "brand", "values": ["A", "C"]}],
        "exclude": [{"name": "category", "values": ["Pots"]}]}"#;
    assert_eq!(with(both), ["1"], "names are all asked for; tags_ need not be written");
    assert_eq!(with(r#"{"include": [{"name": "brand", "values": ["a"]}]}"#), [""; 0]);
}

#[test]
fn should_moves_up_and_keeps_the_order_otherwise() {
    assert_eq!(with(r#"{"should": [{"name": "brand", "values": ["B"]}]}"#), ["2", "1", "3", "4"]);
    let two = r#"{"should": [{"name": "tags_city", "values": ["Lviv"]}, {"name": "isInStock", "values": [0]}]}"#;
    assert_eq!(with(two), ["1", "2", "3", "4"]);
    let two = r#"{"should": [{"name": "tags_city", "values": ["Lviv"]}, {"name": "category", "values": ["Pots"]}]}"#;
    assert_eq!(with(two), ["3", "1", "2", "4"]);
}

#[test]
fn a_category_is_found_in_any_field_and_at_any_level() {
    let by = |field: &str, key: &str| {
        let text = format!(
            r#"{{"variantId": "r1v1", "categoryKey": "{key}", "categoryField": "{field}"}}"#
        );
        ids(&choose(&ask(&text), shop(), OutOfStock::Show, 50)).join(" ")
    };
    assert_eq!(by("category", "Tents"), "1 2");
    assert_eq!(by("category", "Outdoor > Tents"), "1");
    assert_eq!(by("tags_city", "Lviv"), "1 3");
    // Without a field it is the platform's to find it.
    let plain = ask(r#"{"variantId": "r1v1", "categoryKey": "Tents"}"#);
    assert_eq!(ids(&choose(&plain, shop(), OutOfStock::Show, 50)), ["1", "2", "3", "4"]);
}

#[test]
fn what_is_out_of_stock_is_hidden_or_last_or_shown() {
    let all = ask(r#"{"variantId": "r1v1"}"#);
    let shown = |out_of_stock| ids(&choose(&all, shop(), out_of_stock, 50)).join(" ");
    assert_eq!(shown(OutOfStock::Hide), "1 3 4", "nothing is known of the fourth");
    assert_eq!(shown(OutOfStock::Last), "1 3 4 2");
    assert_eq!(shown(OutOfStock::Show), "1 2 3 4");
}

#[test]
fn only_what_can_be_linked_to_is_shown_and_no_more_than_the_size() {
    let all = ask(r#"{"variantId": "r1v1"}"#);
    assert_eq!(ids(&choose(&all, shop(), OutOfStock::Show, 3)), ["1", "2", "3"]);
    assert!(!ids(&choose(&all, shop(), OutOfStock::Show, 50)).contains(&"5"));
}

#[test]
fn a_filter_on_what_no_product_has_is_named() {
    let by = |filters: &str| ask(&format!(r#"{{"variantId": "r1v1", "filters": {filters}}}"#));
    let odd = by(
        r#"{"include": [{"name": "brand", "values": ["A"]}, {"name": "colour", "values": ["red"]}]}"#,
    );
    let shop = shop();
    let found = unknown(&odd, &shop).unwrap();
    assert_eq!(found.name, "colour");
    let problem = found.problem();
    assert_eq!(
        (problem.code, problem.field.as_str()),
        (Code::UnknownValue, "filters.include[1].name")
    );
    let odd = ask(r#"{"variantId": "r1v1", "categoryKey": "x", "categoryField": "shelf"}"#);
    assert_eq!(unknown(&odd, &shop).unwrap().problem().field, "categoryField");
    // What one product has is known, and where there is none nothing is.
    let sale = by(
        r#"{"include": [{"name": "sale", "values": ["2"]}], "exclude": [{"name": "city", "values": ["X"]}]}"#,
    );
    assert_eq!(unknown(&sale, &shop), None);
    assert_eq!(unknown(&odd, &[]), None);
}

#[test]
fn what_products_are_to_be_without_or_may_have_they_can_all_be_without() {
    for kind in ["exclude", "should"] {
        let filters = format!(r#"{{"{kind}": [{{"name": "size", "values": ["S"]}}]}}"#);
        let odd = ask(&format!(r#"{{"variantId": "r1v1", "filters": {filters}}}"#));
        assert_eq!(unknown(&odd, &shop()), None);
        assert_eq!(with(&filters), ["1", "2", "3", "4"]);
    }
}

#[test]
fn a_filter_is_looked_for_by_the_name_that_has_a_list() {
    let listed = ["tags_city".to_owned(), "brand".to_owned()];
    let named = |name: &str| {
        let filter = Filter { name: name.into(), values: vec!["x".into()] };
        filter.listed(&listed).map(str::to_owned)
    };
    for (name, list) in [
        ("city", Some("tags_city")),
        ("tags_city", Some("tags_city")),
        ("g:brand", Some("brand")),
        ("category", Some("category")),
        ("size", None),
    ] {
        assert_eq!(named(name).as_deref(), list, "{name}");
    }
}
