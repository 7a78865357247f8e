//! The platform's answers: a list of products, the same inside `{"recoms": …}`, with numbers and
//! switches as numbers, switches or text.

use super::{
    Product,
    product::{flag, is_link, plain_text, price, texts},
};
use crate::{
    api::{self, Error, Reply, recommendation::RecommendByToken},
    catalogue::Price,
    identity::Landing,
    value::{Members, Value, find, is_blank},
};

/// Most products of an answer that are read: more than any data source is set to.
const MOST_READ: usize = 100;

/// Reads what the platform answered, of whichever of its operations; `container_type` is that of the
/// settings, for addresses that do not say it. No products at all is an answer too.
///
/// # Errors
///
/// What went wrong, and when to try again: a status of failure, or a body that is no such answer.
pub fn read(reply: &Reply, container_type: Option<&str>, now: u64) -> Result<Vec<Product>, Error> {
    // All of them have the same form but for what is around the list.
    let answered = api::decode::<RecommendByToken>(reply, now)?;
    let list = list(&answered.value).ok_or_else(|| Error::not_read(reply))?;
    let products = list.iter().take(MOST_READ);
    Ok(products.filter_map(|value| product(value, container_type)).collect())
}

/// The list of products in an answer.
fn list(value: &Value) -> Option<&[Value]> {
    match value {
        Value::Null => Some(&[]),
        Value::List(list) => Some(list),
        Value::Object(members) if members.is_empty() => Some(&[]),
        Value::Object(members) => match find(members, "recoms") {
            Some(Value::List(list)) => Some(list),
            Some(Value::Null) => Some(&[]),
            // The platform is known to send a list of one as its entry.
            None if id(members).is_some() => Some(std::slice::from_ref(value)),
            _ => None,
        },
        _ => None,
    }
}

/// The first of these members that says something.
fn first(members: &Members, names: &[&str]) -> Option<String> {
    let mut found = names.iter().filter_map(|name| plain_text(find(members, name)?));
    found.find(|text| !is_blank(text))
}

fn first_price(members: &Members, names: &[&str]) -> Option<Price> {
    names.iter().find_map(|name| price(find(members, name)?))
}

fn id(members: &Members) -> Option<String> {
    // A record of the platform's own tests has an empty `product_id` beside its `productId` (REC-15).
    first(members, &["productId", "product_id", "id"])
}

fn product(value: &Value, container_type: Option<&str>) -> Option<Product> {
    let Value::Object(members) = value else { return None };
    let url = first(members, &["url"]).filter(|url| is_link(url)).unwrap_or_default();
    let said = Landing::from_address(&url, false).block;
    let mut product = Product {
        id: id(members)?,
        container_type: said.or_else(|| container_type.map(str::to_owned)),
        name: first(members, &["name", "title"]),
        image: first(members, &["imageUrl", "image", "image_link", "imgurl"])
            .filter(|image| is_link(image)),
        brand: first(members, &["brand"]),
        description: first(members, &["descr", "description"]),
        price: first_price(members, &["price"]),
        old_price: first_price(members, &["tags_oldprice", "tags_old_price", "old_price"]),
        in_stock: find(members, "isInStock").or_else(|| find(members, "in_stock")).and_then(flag),
        categories: find(members, "category").map(texts).unwrap_or_default(),
        url,
        ..Product::default()
    };
    let now = product.price.clone();
    product.old_price.take_if(|old| now.is_some_and(|now| !now.is_less_than(old)));
    for (name, value) in members {
        let is_empty = plain_text(value).is_some_and(|text| is_blank(&text));
        if !is_empty && name != "url" {
            product.add_field(name, value);
        }
    }
    Some(product)
}
