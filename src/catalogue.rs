//! The shop's catalogue: its product feed, read as it streams, and what is asked of it.
//!
//! | path | what it knows |
//! |---|---|
//! | this one | a product of the feed, and what is known of every one |
//! | `price` | prices in every way that feeds write them |
//! | [`feed`] | a feed that comes in parts of any size, as products |
//! | [`import`] | what of a feed is to be stored, and what of the store is to go |
//! | `pack` | how it is stored: many products in a row, and where each of them is |
//! | [`update`] | what a shop's server says of products between two imports |
//! | [`query`] | what is looked for, and in which order it is answered |
//! | [`schedule`] | when an import is due, and what came of the last one |

pub mod feed;
pub mod import;
mod pack;
mod price;
pub mod query;
pub mod schedule;
pub mod update;

pub use self::{
    pack::{Index, hash, key_of, keys_from_bytes, keys_to_bytes},
    price::Price,
};
use crate::value::{Members, Value, find};

/// Longest id, in characters: that of the platform's identifiers.
pub const MAX_ID: usize = 300;

/// Most categories of a product that count.
const MAX_CATEGORIES: usize = 32;

/// Words of availability that say that a product cannot be had. Whatever else a feed writes, the product
/// is offered there, and to leave it out on a guess would empty a shop's blocks.
const GONE: [&str; 16] = [
    "out of stock",
    "outofstock",
    "out",
    "sold out",
    "soldout",
    "unavailable",
    "not available",
    "discontinued",
    "false",
    "no",
    "0",
    "немає",
    "немає в наявності",
    "нет",
    "нет в наличии",
    "розпродано",
];

/// A product as the shop's feed describes it.
///
/// Everything here is read out of `fields`, which alone are stored and passed on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Item {
    /// Its id, which events carry as `productKey`.
    pub id: String,
    /// Its name; may be empty.
    pub title: String,
    /// Its page: an address of the web, or empty.
    pub link: String,
    /// Its picture: an address of the web, or empty.
    pub image: String,
    /// Its brand; may be empty.
    pub brand: String,
    /// What the shop says about it; may be empty and may be HTML.
    pub description: String,
    /// Its price.
    pub price: Option<Price>,
    /// What it costs at the moment, where that is less than its price.
    pub sale_price: Option<Price>,
    /// Whether it can be ordered.
    pub in_stock: bool,
    /// The names of its categories, each level by itself.
    pub categories: Vec<String>,
    /// All its attributes under their names without the prefix, in the feed's order: text, lists of
    /// text where one stands several times, and objects where others are nested in it.
    pub fields: Members,
}

impl Item {
    /// The product that these attributes describe; `None` if they name no id.
    #[must_use]
    pub fn from_fields(fields: Members) -> Option<Self> {
        let text = |names: &[&str]| first_text(&fields, names).unwrap_or_default().to_owned();
        let web = |names: &[&str]| Some(text(names)).filter(|address| is_web(address));
        let id = text(&["id"]);
        if !is_id(&id) {
            return None;
        }
        let currency = first_text(&fields, &["price_currency_code", "currency"]);
        let price = |name: &str| Price::parse(first_text(&fields, &[name])?, currency);
        Some(Self {
            id,
            title: text(&["title", "name"]),
            link: web(&["link", "url"]).unwrap_or_default(),
            image: web(&["image_link", "image"]).unwrap_or_default(),
            brand: text(&["brand"]),
            description: text(&["description"]),
            price: price("price"),
            sale_price: price("sale_price"),
            in_stock: is_in_stock(&fields),
            categories: categories(&fields),
            fields,
        })
    }

    /// The product that a value holds; `None` if it is none.
    #[must_use]
    pub fn from_value(value: Value) -> Option<Self> {
        match value {
            Value::Object(fields) => Self::from_fields(fields),
            _ => None,
        }
    }

    /// The product as a value, for the store and on its way between objects: its attributes.
    #[must_use]
    pub fn to_value(&self) -> Value {
        Value::Object(self.fields.clone())
    }

    /// What it costs, and before it what it cost until now, if that was more.
    #[must_use]
    pub fn prices(&self) -> (Option<&Price>, Option<&Price>) {
        match (&self.price, &self.sale_price) {
            (Some(price), Some(sale)) if sale.is_less_than(price) => (Some(sale), Some(price)),
            (price, _) => (price.as_ref(), None),
        }
    }

    /// The values of an attribute, or its categories under the name `category`.
    pub fn values<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        let (own, rest) = match name {
            "category" => (self.categories.as_slice(), None),
            name => (&[][..], find(&self.fields, name)),
        };
        own.iter().map(String::as_str).chain(rest.into_iter().flat_map(texts))
    }
}

/// Whether `id` can be a product's.
pub(crate) fn is_id(id: &str) -> bool {
    let long = id.len() > MAX_ID && id.chars().count() > MAX_ID;
    !id.is_empty() && !long && !id.chars().any(char::is_control)
}

/// Whether a browser may be led to `address`.
fn is_web(address: &str) -> bool {
    let rest = address.strip_prefix("https://").or_else(|| address.strip_prefix("http://"));
    rest.is_some_and(|rest| !rest.is_empty())
        && !address.chars().any(|c| c.is_control() || c.is_whitespace())
}

/// The texts of an attribute.
fn texts(value: &Value) -> impl Iterator<Item = &str> {
    let (one, list) = match value {
        Value::Text(text) | Value::Number(text) => (Some(text.as_str()), &[][..]),
        Value::List(list) => (None, list.as_slice()),
        _ => (None, &[][..]),
    };
    one.into_iter().chain(list.iter().filter_map(Value::as_text))
}

/// The first text of the first of `names` that has one.
fn first_text<'a>(fields: &'a Members, names: &[&str]) -> Option<&'a str> {
    names.iter().find_map(|name| texts(find(fields, name)?).next())
}

fn is_in_stock(fields: &Members) -> bool {
    let said = first_text(fields, &["availability", "isInStock", "is_in_stock", "in_stock"]);
    let word = said.unwrap_or_default().to_lowercase().replace(['_', '-'], " ");
    // What schema.org calls it comes as an address.
    let word = word.rsplit('/').next().unwrap_or_default().trim();
    !GONE.contains(&word)
}

/// The levels of every path that the feed gives, each once, the shop's own first.
fn categories(fields: &Members) -> Vec<String> {
    let mut levels: Vec<String> = Vec::new();
    let google = find(fields, "google_product_category").into_iter().flat_map(texts);
    for level in paths(fields).chain(google).flat_map(|path| path.split('>')).map(str::trim) {
        if !level.is_empty()
            && levels.len() < MAX_CATEGORIES
            && !levels.iter().any(|known| known == level)
        {
            levels.push(level.to_owned());
        }
    }
    levels
}

/// The paths of the shop's own categories.
fn paths(fields: &Members) -> impl Iterator<Item = &str> {
    let names = ["product_type", "category"];
    names.into_iter().filter_map(|name| find(fields, name)).flat_map(texts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(fields: &[(&str, &str)]) -> Item {
        let fields = fields.iter().map(|(name, text)| ((*name).to_owned(), Value::text(*text)));
        Item::from_fields([("id".to_owned(), Value::text("1"))].into_iter().chain(fields).collect())
            .unwrap()
    }

    #[test]
    fn availability_is_read_in_every_spelling() {
        for word in [
            "in stock",
            "in_stock",
            "In Stock",
            "preorder",
            "pre-order",
            "backorder",
            "true",
            "1",
            "https://schema.org/InStock",
            "в наявності",
            "7",
            "",
        ] {
            assert!(item(&[("availability", word)]).in_stock, "{word}");
        }
        for word in [
            "out of stock",
            "out_of_stock",
            "OUT-OF-STOCK",
            "sold out",
            "false",
            "0",
            "https://schema.org/OutOfStock",
            "немає в наявності",
            "Нет в наличии",
        ] {
            assert!(!item(&[("availability", word)]).in_stock, "{word}");
        }
        assert!(item(&[]).in_stock);
    }

    #[test]
    fn every_level_of_a_category_counts_once() {
        let item = item(&[
            ("google_product_category", "Sporting Goods > Tents"),
            ("product_type", "Outdoor>Tents > "),
        ]);
        assert_eq!(item.categories, ["Outdoor", "Tents", "Sporting Goods"]);
    }

    #[test]
    fn what_a_browser_must_not_follow_is_no_link() {
        for link in ["javascript:alert(1)", "data:text/html,x", "//a.b", "https://", "https://a b"]
        {
            assert_eq!(item(&[("link", link)]).link, "", "{link}");
        }
        assert_eq!(item(&[("link", "https://a.b/?c=d&e")]).link, "https://a.b/?c=d&e");
    }

    #[test]
    fn an_old_price_is_more_than_the_new_one() {
        let shown = |price: &str, sale: &str| {
            let item = item(&[("price", price), ("sale_price", sale)]);
            let (now, old) = item.prices();
            let text = |price: Option<&Price>| price.map(|price| price.amount.clone());
            (text(now), text(old))
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(shown("100 UAH", "80 UAH"), (some("80"), some("100")));
        assert_eq!(shown("100 UAH", "100.00"), (some("100"), None));
        assert_eq!(shown("100 UAH", "120 UAH"), (some("100"), None));
        assert_eq!(shown("100 UAH", ""), (some("100"), None));
        assert_eq!(shown("100 UAH", "80 USD"), (some("100"), None));
    }

    #[test]
    fn an_id_is_text_of_one_line() {
        for id in ["", "a\nb", &"ї".repeat(MAX_ID + 1)] {
            assert_eq!(Item::from_fields(vec![("id".into(), Value::text(id))]), None, "{id}");
        }
        assert!(Item::from_fields(vec![("id".into(), Value::text("ї".repeat(MAX_ID)))]).is_some());
    }
}
