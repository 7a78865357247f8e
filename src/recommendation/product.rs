//! A recommended product: what the platform says of it, and what the shop's feed adds.

use crate::value::{Members, Value, find, is_blank};

/// Most attributes of a product that are kept.
const MOST_FIELDS: usize = 150;

/// Longest text of an attribute that is kept, in characters.
const LONGEST_FIELD: usize = 4000;

/// An amount of money, with its digits as they came.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "what a price is")]
pub struct Price {
    /// The amount, with a point before the fraction: `1299.00`.
    pub amount: String,
    /// The currency, where it is known: `UAH`.
    pub currency: Option<String>,
}

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

impl Price {
    /// Reads a price as people and shops write it: `990.5`, `754 USD`, `1 299,00 UAH`.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        // Between thousands, or what a currency is called where it has no three letters.
        let is_aside = |c: char| {
            c.is_whitespace()
                || c.is_alphabetic()
                || matches!(c, '\'' | '’' | '₴' | '$' | '€' | '£')
        };
        let (mut digits, mut currency) = (String::new(), String::new());
        // What follows the currency belongs to something else.
        let mut is_over = false;
        for character in text.chars() {
            match character {
                '0'..='9' if is_over => return None,
                '0'..='9' | '.' | ',' => digits.push(character),
                'A'..='Z' | 'a'..='z' => {
                    is_over = !digits.is_empty();
                    currency.push(character.to_ascii_uppercase());
                }
                _ if is_aside(character) => {}
                _ => return None,
            }
        }
        let amount = plain(&digits)?;
        let currency = (currency.len() == 3).then_some(currency);
        Some(Self { amount, currency })
    }

    /// The amount as a number, for comparisons.
    #[must_use]
    pub fn value(&self) -> f64 {
        self.amount.parse().unwrap_or(0.0)
    }

    fn to_value(&self) -> Value {
        let mut members = vec![("amount".to_owned(), Value::text(&self.amount))];
        members.extend(self.currency.iter().map(|own| ("currency".to_owned(), Value::text(own))));
        Value::Object(members)
    }

    /// Reads an object with amount and currency, or a price as a text or a number.
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Text(text) | Value::Number(text) => Self::read(text),
            Value::Object(members) => {
                let mut price = Self::read(&plain_text(find(members, "amount")?)?)?;
                let own = find(members, "currency").and_then(Value::as_text);
                price.currency = own.filter(|own| !is_blank(own)).map(str::to_owned);
                Some(price)
            }
            _ => None,
        }
    }
}

/// Digits with a point before the fraction, out of digits with points and commas.
fn plain(digits: &str) -> Option<String> {
    let last = digits.rfind(['.', ',']);
    let signs = digits.matches(['.', ',']).count();
    let kinds = digits.contains('.') && digits.contains(',');
    let fraction = last.and_then(|at| digits.get(at + 1..)).unwrap_or_default();
    // A comma before three digits stands between thousands, and so do several of one sign.
    let is_fraction = match last.and_then(|at| digits.get(at..=at)) {
        Some(".") => signs == 1 || kinds,
        Some(_) => (signs == 1 && fraction.len() != 3) || kinds,
        None => false,
    };
    let whole = match last {
        Some(at) if is_fraction => digits.get(..at)?,
        _ => digits,
    };
    let whole: String = whole.chars().filter(char::is_ascii_digit).collect();
    if whole.is_empty() || whole.len() > 15 || fraction.len() > 15 {
        return None;
    }
    let end =
        if is_fraction && !fraction.is_empty() { [".", fraction].concat() } else { String::new() };
    Some([whole, end].concat())
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
    let word = plain_text(value)?.trim().to_lowercase().replace(['_', '-'], " ");
    match word.as_str() {
        "1" | "true" | "yes" | "in stock" | "preorder" | "backorder" => Some(true),
        "0" | "false" | "no" | "out of stock" | "sold out" | "discontinued" => Some(false),
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

    /// The product that an entry of the shop's feed describes, which nobody recommended.
    #[must_use]
    pub fn of_item(item: &Value) -> Option<Self> {
        let id = item.member("id").and_then(plain_text).filter(|id| !is_blank(id))?;
        let mut product = Self { id, ..Self::default() };
        product.add_item(item);
        Some(product)
    }

    /// Adds what the shop's feed says of it. Price and stock are the feed's, which the shop keeps up to
    /// date; everything else is the platform's where it says something.
    pub fn add_item(&mut self, item: &Value) {
        let Value::Object(members) = item else { return };
        let value = |names: &[&str]| names.iter().find_map(|name| find(members, name));
        let text = |names: &[&str]| {
            let mut found = names.iter().filter_map(|name| plain_text(find(members, name)?));
            found.find(|text| !is_blank(text))
        };
        let fill = |own: &mut Option<String>, names: &[&str]| {
            if own.is_none() {
                *own = text(names);
            }
        };
        fill(&mut self.name, &["title", "name"]);
        fill(&mut self.brand, &["brand"]);
        fill(&mut self.description, &["description"]);
        let link = |names: &[&str]| text(names).filter(|link| is_link(link));
        if self.image.is_none() {
            self.image = link(&["image", "image_link"]);
        }
        if self.url.is_empty() {
            self.url = link(&["link", "url"]).unwrap_or_default();
        }
        if let Some(price) = value(&["price"]).and_then(Price::from_value) {
            match value(&["sale_price"]).and_then(Price::from_value) {
                Some(sale) if sale.value() < price.value() => {
                    (self.price, self.old_price) = (Some(sale), Some(price));
                }
                _ => {
                    self.old_price.take_if(|old| old.value() <= price.value());
                    self.price = Some(price);
                }
            }
        }
        let in_stock = value(&["in_stock", "availability", "isInStock"]).and_then(flag);
        self.in_stock = in_stock.or(self.in_stock);
        if self.categories.is_empty() {
            let found = value(&["categories", "product_type", "category"]);
            self.categories = found.map(texts).unwrap_or_default();
        }
        let fields = match find(members, "fields") {
            Some(Value::Object(fields)) => fields,
            _ => members,
        };
        for (name, value) in fields {
            self.add_field(name, value);
        }
    }

    /// The narrowest category that is known.
    #[must_use]
    pub fn category(&self) -> Option<String> {
        let level = self.categories.first()?.rsplit('>').next()?.trim();
        Some(level.to_owned()).filter(|level| !level.is_empty())
    }

    /// The values of an attribute, by its name in the feed, with or without `tags_` or `g:`.
    pub fn attribute(&self, name: &str) -> impl Iterator<Item = &str> {
        let spelled = ["", "tags_", "g:"].map(|prefix| [prefix, name].concat());
        let found = spelled.iter().find_map(|name| find(&self.fields, name));
        let listed = found.and_then(Value::as_list).unwrap_or_default();
        let one = found.and_then(Value::as_text);
        let own: &[String] = match (found, name) {
            (None, "category") => &self.categories,
            _ => &[],
        };
        let known = match (found, name) {
            (None, "brand") => self.brand.as_deref(),
            (None, "id" | "product_id") => Some(self.id.as_str()),
            (None, "isInStock" | "in_stock") => {
                self.in_stock.map(|in_stock| if in_stock { "1" } else { "0" })
            }
            _ => None,
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
            members.extend(price.iter().map(|price| (name.to_owned(), price.to_value())));
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
        let price = |name: &str| value.member(name).and_then(Price::from_value);
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
            let taken = |name: &str| matches!(name, "product_id" | "url" | "container_type");
            members.extend(self.fields.iter().filter(|(name, _)| !taken(name)).cloned());
        }
        Value::Object(members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_read_as_shops_write_them() {
        for (text, amount, currency) in [
            ("990.0", "990.0", None),
            ("11.05", "11.05", None),
            ("754 USD", "754", Some("USD")),
            ("UAH 1299,90", "1299.90", Some("UAH")),
            ("1 299,00 UAH", "1299.00", Some("UAH")),
            ("1\u{a0}299", "1299", None),
            ("1,299.00", "1299.00", None),
            ("1.299,00 eur", "1299.00", Some("EUR")),
            ("1,299", "1299", None),
            ("1.234.567", "1234567", None),
            ("450.000", "450.000", None),
            ("106", "106", None),
            ("1299 грн.", "1299", None),
            ("₴1 299", "1299", None),
        ] {
            let price = Price::read(text).unwrap();
            assert_eq!(
                (price.amount.as_str(), price.currency.as_deref()),
                (amount, currency),
                "{text}"
            );
        }
        for text in ["", "free", "-5", "1e400", ".", "UAH", "99999999999999999999", "<b>5</b>"] {
            let read = Price::read(text);
            assert!(read.is_none(), "{text}: {read:?}");
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
