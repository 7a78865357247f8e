//! What a shop's server says of products between two imports.

use esputnik_kit::{
    catalogue::{
        Item,
        update::{merged, updated},
    },
    json,
};

fn item(text: &str) -> Item {
    Item::from_value(json::parse(text).unwrap()).unwrap()
}

const TENT: &str = r#"{"id":"1","title":"Duo","link":"https://a.b/1","price":"100 UAH",
    "sale_price":"90 UAH","availability":"in stock","product_type":"Tents","tags_discount":["10"]}"#;

fn after(update: &str) -> Item {
    updated(Some(item(TENT)), &json::parse(update).unwrap()).unwrap()
}

#[test]
fn stock_and_price_change_at_once_and_the_rest_stays() {
    let gone = after(r#"{"product_id":"1","isInStock":0}"#);
    assert!(!gone.in_stock);
    assert_eq!(gone.sale_price.unwrap().to_text(), "90 UAH");
    let dearer = after(r#"{"product_id":"1","isInStock":1,"unit_price":"120.50"}"#);
    let (now, old) = dearer.prices();
    assert_eq!((now.unwrap().to_text().as_str(), old), ("120.50 UAH", None));
    assert_eq!(dearer.values("tags_discount").count(), 0);
    assert_eq!((dearer.title.as_str(), dearer.in_stock), ("Duo", true));
}

#[test]
fn a_discount_is_an_old_price_beside_the_new_one() {
    let item = after(
        r#"{"product_id":"1","isInStock":"1","unit_price":"201.95","tag_discount":["10"],
            "tag_oldprice":["224.38"],"price_currency_code":"USD","name":"Duo 2",
            "category":"Outdoor > Tents","imgurl":"https://a.b/1.png"}"#,
    );
    let (now, old) = item.prices();
    assert_eq!(now.unwrap().to_text(), "201.95 USD");
    assert_eq!(old.unwrap().to_text(), "224.38 USD");
    assert_eq!(item.values("tags_oldprice").collect::<Vec<_>>(), ["224.38"]);
    assert_eq!((item.title.as_str(), item.image.as_str()), ("Duo 2", "https://a.b/1.png"));
    assert_eq!(item.categories, ["Outdoor", "Tents"]);
}

#[test]
fn a_product_that_the_feed_does_not_have_yet_needs_a_name_and_a_page() {
    let made = |update: &str| updated(None, &json::parse(update).unwrap());
    assert_eq!(made(r#"{"product_id":"9","isInStock":1,"unit_price":"5"}"#), None);
    assert_eq!(made(r#"{"product_id":"9","isInStock":1,"name":"New","url":"javascript:x"}"#), None);
    let new =
        made(r#"{"product_id":"9","isInStock":1,"name":"New","url":"https://a.b/9"}"#).unwrap();
    assert_eq!((new.id.as_str(), new.in_stock), ("9", true));
}

#[test]
fn what_is_no_update_changes_nothing() {
    for update in ["null", "[]", "{}", r#"{"unit_price":"free"}"#, r#"{"unit_price":-5}"#] {
        assert_eq!(after(update), item(TENT), "{update}");
    }
}

#[test]
fn updates_add_up_and_a_newer_price_ends_an_older_discount() {
    let both = |old: &str, new: &str| {
        merged(json::parse(old).unwrap(), &json::parse(new).unwrap()).to_json()
    };
    let priced = r#"{"product_id":"1","isInStock":1,"unit_price":"90","tag_oldprice":["100"]}"#;
    assert_eq!(
        both(priced, r#"{"product_id":"1","isInStock":0}"#),
        r#"{"product_id":"1","isInStock":0,"unit_price":"90","tag_oldprice":["100"]}"#
    );
    assert_eq!(
        both(priced, r#"{"product_id":"1","isInStock":0,"unit_price":"95"}"#),
        r#"{"product_id":"1","isInStock":0,"unit_price":"95"}"#
    );
}
