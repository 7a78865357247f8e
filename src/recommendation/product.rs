//! A recommended product: what the platform says of it, and what the shop's feed adds.

use crate::{
    catalogue::{Item, Price, query::spellings},
    value::{Members, Value, find, is_blank},
};

/// Most attributes of a product that are kept.
const MOST_FIELDS: usize = 150;

/// Longest text of an attribute that is kept, in characters.
const LONGEST_FIELD: usize = 4000;

/// The names of the price before, the one that is given where the platform gives none first.
const OLD_PRICES: [&str; 3] = ["tags_oldprice", "tags_old_price", "old_price"];

/// A recommended product.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "hosts put them together")]
pub struct Product {
    /// Its id, as in the feed.
    pub id: String,
    /// Its page: the platform's address, never edited, else the feed's. Empty if neither has one.
    pub url: String,
    /// Under what its impressions, clicks and purchases count; nothing where the platform did not
    /// recommend it.
    pub container_type: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// Its picture.
    pub image: Option<String>,
    /// Its brand.
    pub brand: Option<String>,
    /// Its description.
    pub description: Option<String>,
    /// What it costs now.
    pub price: Option<Price>,
    /// What it cost before, where that was more.
    pub old_price: Option<Price>,
    /// Whether it can be bought, where that is known.
    pub in_stock: Option<bool>,
    /// Its categories.
    pub categories: Vec<String>,
    /// All that the platform and the feed say of it, as texts and lists of texts.
    pub fields: Members,
}

/// A price as text, or as a number, whose point stands before its fraction whatever follows.
pub(super) fn price(value: &Value) -> Option<Price> {
    match value {
        Value::Text(text) => Price::parse(text, None),
        Value::Number(text) => {
            let plain = |c: char| c.is_ascii_digit() || c == '.';
            let fits = text.len() <= 16 && text.chars().all(plain);
            fits.then(|| Price { amount: text.clone(), currency: None })
        }
        _ => None,
    }
}

/// An amount as JSON has it: no zeros at its end.
fn number(price: &Price) -> &str {
    let amount = price.amount.as_str();
    if amount.contains('.') { amount.trim_end_matches('0').trim_end_matches('.') } else { amount }
}

fn price_value(price: &Price) -> Value {
    let mut members = vec![("amount".to_owned(), Value::text(&price.amount))];
    members.extend(price.currency.iter().map(|own| ("currency".to_owned(), Value::text(own))));
    Value::Object(members)
}

/// Reads what [`price_value`] wrote.
fn price_of(value: &Value) -> Option<Price> {
    let text = |name: &str| value.member(name).and_then(Value::as_text).map(str::to_owned);
    Some(Price { amount: text("amount")?, currency: text("currency") })
}

/// An address that may be linked to: of the web, or a path of the shop's own. Everything else could run
/// code in the page.
#[must_use]
pub fn is_link(address: &str) -> bool {
    let starts = |start: &str| {
        address.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start))
    };
    // Browsers drop line ends and tabs wherever they stand.
    let clean = !address.contains(|c: char| c.is_control() || c == '\\');
    clean && (starts("https://") || starts("http://") || address.starts_with('/'))
}

/// The text of a text, a number or a switch.
pub(super) fn plain_text(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) | Value::Number(text) => Some(text.clone()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

/// The texts of a list, or of one value in its place.
pub(super) fn texts(value: &Value) -> Vec<String> {
    let list = if let Value::List(list) = value { list } else { std::slice::from_ref(value) };
    list.iter().filter_map(plain_text).filter(|text| !is_blank(text)).collect()
}

/// A switch, in every spelling seen.
pub(super) fn flag(value: &Value) -> Option<bool> {
    match plain_text(value)?.trim().to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" => Some(true),
        "0" | "false" | "no" => Some(false),
        _ => None,
    }
}

/// An attribute as it is kept: text or a list of texts; nothing for what is neither.
pub(super) fn field(value: &Value) -> Option<Value> {
    let cut = |text: String| Value::Text(text.chars().take(LONGEST_FIELD).collect());
    match value {
        Value::List(_) => {
            let texts = texts(value);
            (!texts.is_empty()).then(|| Value::List(texts.into_iter().map(cut).collect()))
        }
        value => plain_text(value).map(cut),
    }
}

impl Product {
    /// Adds what is known of an attribute, unless that is there already.
    pub(super) fn add_field(&mut self, name: &str, value: &Value) {
        let room = self.fields.len() < MOST_FIELDS && name.len() <= 200;
        if room
            && find(&self.fields, name).is_none()
            && let Some(value) = field(value)
        {
            self.fields.push((name.to_owned(), value));
        }
    }

    /// A product of the shop's catalogue, which nobody recommended.
    #[must_use]
    pub fn of_item(item: &Item) -> Self {
        let mut product = Self { id: item.id.clone(), ..Self::default() };
        product.add_item(item);
        product
    }

    /// Adds what the shop's catalogue says of it. Price and stock are the catalogue's, which the shop keeps
    /// up to date; everything else is the platform's where it says something.
    pub fn add_item(&mut self, item: &Item) {
        let fill = |own: &mut Option<String>, known: &str| {
            if own.is_none() && !is_blank(known) {
                *own = Some(known.to_owned());
            }
        };
        fill(&mut self.name, &item.title);
        fill(&mut self.brand, &item.brand);
        fill(&mut self.description, &item.description);
        fill(&mut self.image, &item.image);
        if self.url.is_empty() {
            self.url.clone_from(&item.link);
        }
        match item.prices() {
            (Some(price), Some(old)) => {
                (self.price, self.old_price) = (Some(price.clone()), Some(old.clone()));
            }
            (Some(price), None) => {
                self.old_price.take_if(|old| !price.is_less_than(old));
                self.price = Some(price.clone());
            }
            (None, _) => {}
        }
        self.in_stock = Some(item.in_stock);
        if self.categories.is_empty() {
            self.categories.clone_from(&item.categories);
        }
        for (name, value) in &item.fields {
            self.add_field(name, value);
        }
    }

    /// The narrowest category that is known.
    #[must_use]
    pub fn category(&self) -> Option<String> {
        let names = ["product_type", "category", "google_product_category"];
        let path = names.iter().find_map(|name| self.attribute(name).next());
        let level = path?.rsplit('>').next()?.trim();
        Some(level.to_owned()).filter(|level| !level.is_empty())
    }

    /// The values of an attribute, by its name in the feed, with or without `tags_` or `g:`. What is known
    /// of name, picture, prices and stock is told under the platform's names.
    pub fn attribute(&self, name: &str) -> impl Iterator<Item = &str> {
        let spelled = spellings(name);
        let is_old = spelled.iter().any(|name| OLD_PRICES.contains(&name.as_ref()));
        let typed = match name {
            "name" => self.name.as_deref(),
            "imageUrl" => self.image.as_deref(),
            "price" => self.price.as_ref().map(number),
            "isInStock" | "in_stock" => {
                self.in_stock.map(|in_stock| if in_stock { "1" } else { "0" })
            }
            _ if is_old => self.old_price.as_ref().map(number),
            _ => None,
        };
        let is_typed = typed.is_some() || is_old && self.price.is_some();
        let listed = if is_typed { &[][..] } else { &spelled };
        let found = listed.iter().find_map(|name| find(&self.fields, name));
        let listed = found.and_then(Value::as_list).unwrap_or_default();
        let one = found.and_then(Value::as_text);
        let own: &[String] = match (found, name) {
            (None, "category") => &self.categories,
            _ => &[],
        };
        let known = match (found, name) {
            (None, "brand") => self.brand.as_deref(),
            (None, "descr") => self.description.as_deref(),
            (None, "id" | "product_id") => Some(self.id.as_str()),
            _ => typed,
        };
        let listed = listed.iter().filter_map(Value::as_text);
        listed.chain(one).chain(own.iter().map(String::as_str)).chain(known)
    }

    /// Whether its field has this category: whole, or as one level of `A > B > C`.
    #[must_use]
    pub fn is_in(&self, field: &str, category: &str) -> bool {
        let mut values = self.attribute(field);
        values.any(|own| own == category || own.split('>').any(|level| level.trim() == category))
    }

    /// All of it, as the parts of the Worker hand it to each other.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let mut members = vec![("id".to_owned(), Value::text(&self.id))];
        let texts = [
            ("container_type", &self.container_type),
            ("name", &self.name),
            ("image", &self.image),
            ("brand", &self.brand),
            ("description", &self.description),
        ];
        if !self.url.is_empty() {
            members.push(("url".into(), Value::text(&self.url)));
        }
        for (name, text) in texts {
            members.extend(text.iter().map(|text| (name.to_owned(), Value::text(text))));
        }
        for (name, price) in [("price", &self.price), ("old_price", &self.old_price)] {
            members.extend(price.iter().map(|price| (name.to_owned(), price_value(price))));
        }
        members.extend(self.in_stock.iter().map(|flag| ("in_stock".into(), Value::Bool(*flag))));
        if !self.categories.is_empty() {
            let categories = self.categories.iter().map(Value::text).collect();
            members.push(("categories".into(), Value::List(categories)));
        }
        if !self.fields.is_empty() {
            members.push(("fields".into(), Value::Object(self.fields.clone())));
        }
        Value::Object(members)
    }

    /// Reads what [`Product::to_value`] wrote.
    #[must_use]
    pub fn from_value(value: &Value) -> Option<Self> {
        let text = |name: &str| value.member(name).and_then(Value::as_text).map(str::to_owned);
        let price = |name: &str| value.member(name).and_then(price_of);
        Some(Self {
            id: text("id")?,
            url: text("url").unwrap_or_default(),
            container_type: text("container_type"),
            name: text("name"),
            image: text("image"),
            brand: text("brand"),
            description: text("description"),
            price: price("price"),
            old_price: price("old_price"),
            in_stock: value.member("in_stock").and_then(flag),
            categories: value.member("categories").map(texts).unwrap_or_default(),
            fields: match value.member("fields") {
                Some(Value::Object(fields)) => fields.clone(),
                _ => Members::new(),
            },
        })
    }

    pub(super) fn page_value(&self, all_fields: bool) -> Value {
        let mut members = vec![
            ("product_id".to_owned(), Value::text(&self.id)),
            ("url".to_owned(), Value::text(&self.url)),
        ];
        let container = self.container_type.iter();
        members.extend(container.map(|own| ("container_type".to_owned(), Value::text(own))));
        if all_fields {
            members.extend(self.typed());
            let is_old = |name: &str| OLD_PRICES.contains(&name) && self.price.is_some();
            for (name, value) in &self.fields {
                if find(&members, name).is_none() && !is_old(name) {
                    members.push((name.clone(), value.clone()));
                }
            }
        }
        Value::Object(members)
    }

    /// What is known of it under the names that the platform has for it, whoever said it.
    fn typed(&self) -> Members {
        let mut members = Members::new();
        let mut add = |name: &str, value: Option<Value>| {
            members.extend(value.map(|value| (name.to_owned(), value)));
        };
        add("name", self.name.as_ref().map(Value::text));
        add("imageUrl", self.image.as_ref().map(Value::text));
        add("price", self.price.as_ref().map(|price| Value::Number(number(price).to_owned())));
        let [usual, ..] = OLD_PRICES;
        let old = OLD_PRICES.into_iter().find(|name| find(&self.fields, name).is_some());
        add(old.unwrap_or(usual), self.old_price.as_ref().map(|old| Value::text(number(old))));
        add("isInStock", self.in_stock.map(|in_stock| Value::whole(in_stock.into())));
        // Of these the platform's own stay as they are.
        let mut fill = |name: &str, value: Option<Value>| {
            if find(&self.fields, name).is_none() {
                add(name, value);
            }
        };
        fill("descr", self.description.as_ref().map(Value::text));
        fill("brand", self.brand.as_ref().map(Value::text));
        let categories = self.categories.iter().map(Value::text).collect();
        fill("category", (!self.categories.is_empty()).then_some(Value::List(categories)));
        members
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_a_price_with_its_digits_and_text_is_read_as_shops_write_it() {
        let amount = |value: Value| price(&value).map(|price| price.amount);
        assert_eq!(amount(Value::Number("990.125".into())).as_deref(), Some("990.125"));
        assert_eq!(amount(Value::text("1 299,00 UAH")).as_deref(), Some("1299.00"));
        for value in [Value::Number("1e400".into()), Value::Number("-5".into()), Value::Null] {
            assert_eq!(amount(value), None);
        }
    }

    #[test]
    fn only_addresses_of_the_web_and_paths_are_linked_to() {
        for address in ["https://a.b/c?d=e", "HTTP://a.b", "/product.html?id=1", "//a.b/c"] {
            assert!(is_link(address), "{address}");
        }
        for address in [
            "javascript:alert(1)",
            " javascript:alert(1)",
            "java\nscript:alert(1)",
            "https://a.b/\u{0}",
            "data:text/html,x",
            "ftp://a.b",
            "/\\a.b",
            "product.html",
            "",
        ] {
            assert!(!is_link(address), "{address:?}");
        }
    }
}
