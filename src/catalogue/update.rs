//! What a shop's server says of products between two imports, in the form of the platform's
//! ProductUpdate.

use super::{Item, Price};
use crate::value::{Members, Value, find};

/// Names of ProductUpdate, and those of the feed for the same.
const NAMES: [(&str, &str); 7] = [
    ("name", "title"),
    ("description", "description"),
    ("imgurl", "image_link"),
    ("url", "link"),
    ("brand", "brand"),
    ("category", "product_type"),
    ("category_id", "category_id"),
];

/// The product with what `update` says of it; without a product, one made of the update alone. `None` if
/// that has too little for one.
#[must_use]
pub fn updated(item: Option<Item>, update: &Value) -> Option<Item> {
    let Value::Object(update) = update else { return item };
    let text = |name: &str| match find(update, name) {
        Some(Value::Text(text) | Value::Number(text)) => Some(text.as_str()),
        _ => None,
    };
    let is_new = item.is_none();
    let currency = item.as_ref().and_then(|item| item.price.as_ref()?.currency.clone());
    let mut fields = match item {
        Some(item) => item.fields,
        None => vec![("id".to_owned(), Value::text(text("product_id")?))],
    };
    for (theirs, own) in NAMES {
        if let Some(value) = find(update, theirs) {
            set(&mut fields, own, Some(value.clone()));
        }
    }
    if let Some(flag) = text("isInStock") {
        let word = if flag == "0" { "out of stock" } else { "in stock" };
        set(&mut fields, "availability", Some(Value::text(word)));
    }
    let currency = text("price_currency_code").or(currency.as_deref());
    let price = |text: &str| Some(Value::Text(Price::parse(text, currency)?.to_text()));
    if let Some(now) = text("unit_price").and_then(price) {
        let old = find(update, "tag_oldprice").and_then(Value::as_list);
        let old = old.and_then(|list| list.first()?.as_text()).and_then(price);
        let (price, sale) = match old {
            Some(old) => (old, Some(now)),
            None => (now, None),
        };
        set(&mut fields, "price", Some(price));
        set(&mut fields, "sale_price", sale);
        // Without a discount the platform wants both left out.
        for name in ["tags_discount", "tags_oldprice"] {
            set(&mut fields, name, None);
        }
    }
    for (name, value) in update {
        if let Some(name) = name.strip_prefix("tag_") {
            set(&mut fields, &["tags_", name].concat(), Some(value.clone()));
        }
    }
    let item = Item::from_fields(fields)?;
    (!is_new || !(item.title.is_empty() || item.link.is_empty())).then_some(item)
}

/// The id of the product that an update is about.
#[must_use]
pub fn id_of(update: &Value) -> Option<&str> {
    update.member("product_id").and_then(Value::as_text)
}

/// What two updates of one product say together. A newer price ends an older discount.
#[must_use]
pub fn merged(old: Value, new: &Value) -> Value {
    let (Value::Object(mut members), Value::Object(newer)) = (old, new) else {
        return new.clone();
    };
    if find(newer, "unit_price").is_some() {
        members.retain(|(name, _)| !matches!(name.as_str(), "tag_discount" | "tag_oldprice"));
    }
    for (name, value) in newer {
        set(&mut members, name, Some(value.clone()));
    }
    Value::Object(members)
}

fn set(fields: &mut Members, name: &str, value: Option<Value>) {
    match (fields.iter().position(|(known, _)| known == name), value) {
        (Some(at), Some(value)) => fields[at].1 = value,
        (Some(at), None) => _ = fields.remove(at),
        (None, Some(value)) => fields.push((name.to_owned(), value)),
        (None, None) => {}
    }
}
