//! A product on a block, read from whatever a source or the catalogue says of it.

use crate::{
    node::is_address,
    value::{Members, Value, find},
};

/// A price.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a price is these two")]
pub struct Money {
    /// As a decimal number: `1299.00`.
    pub amount: String,
    /// Its currency, for instance `UAH`, where it names one.
    pub currency: Option<String>,
}

/// A product on a block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Card {
    /// Its id: `g:id` of the feed.
    pub product_id: String,
    /// Its page, as the platform wrote it: what it counts clicks by stands in it.
    pub url: String,
    /// The block's mark at the platform; without it nothing is reported.
    pub container_type: Option<String>,
    /// Its name.
    pub name: String,
    /// What it costs.
    pub price: Option<Money>,
    /// What it cost before, if that was more.
    pub old_price: Option<Money>,
    /// The address of its picture.
    pub image: Option<String>,
    /// Whether it can be had, if that is known.
    pub in_stock: Option<bool>,
    /// Its brand.
    pub brand: Option<String>,
    /// What is said about it.
    pub description: Option<String>,
    /// All that is known of it.
    pub fields: Members,
}

impl Card {
    /// A product of these fields. They may be named as the feed names them, as the platform's REST API
    /// does, or as its mobile one does.
    #[must_use]
    pub fn new(
        product_id: String,
        url: String,
        container_type: Option<String>,
        fields: Members,
    ) -> Self {
        let text = |names: &[&str]| names.iter().find_map(|name| read_text(find(&fields, name)?));
        let money = |names: &[&str]| names.iter().find_map(|name| read_money(find(&fields, name)?));
        let currency = text(&["currency", "currencyCode", "price_currency_code"]);
        let (mut price, sale) = (money(&["price"]), money(&["sale_price", "salePrice"]));
        let mut old_price = money(&["old_price", "oldPrice", "tags_old_price", "tags_oldprice"]);
        if sale.is_some() && is_less(sale.as_ref(), price.as_ref()) {
            old_price = std::mem::replace(&mut price, sale);
        }
        let old_price = old_price.filter(|old| is_less(price.as_ref(), Some(old)));
        let with_currency = |money: Option<Money>| {
            money.map(|money| Money { currency: money.currency.or(currency.clone()), ..money })
        };
        Self {
            product_id,
            url,
            container_type,
            name: text(&["title", "name"]).unwrap_or_default(),
            price: with_currency(price),
            old_price: with_currency(old_price),
            image: text(&["image", "image_link", "imageUrl", "imgurl"]),
            in_stock: ["in_stock", "isInStock", "isinStock", "availability"]
                .iter()
                .find_map(|name| read_stock(find(&fields, name)?)),
            brand: text(&["brand"]),
            description: text(&["description", "descr"]),
            fields,
        }
    }

    /// What it is called, or its id where it has no name.
    pub(super) fn shown_name(&self) -> &str {
        if self.name.is_empty() { &self.product_id } else { &self.name }
    }

    /// Its page, if that is an address which a link may have.
    pub(super) fn address(&self) -> Option<&str> {
        Some(&*self.url).filter(|url| is_address(url))
    }

    /// Its picture, if that is an address which a picture may have.
    pub(super) fn picture(&self) -> Option<&str> {
        self.image.as_deref().filter(|image| is_address(image))
    }

    /// By how many percent it costs less than before, if that can be told.
    pub(super) fn discount(&self) -> Option<u64> {
        let (now, before) = (number(self.price.as_ref()?)?, number(self.old_price.as_ref()?)?);
        let percent = ((before - now) / before * 100.0).round();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 100")]
        (0.5..=100.0).contains(&percent).then_some(percent as u64)
    }
}

fn read_text(value: &Value) -> Option<String> {
    let text = match value {
        Value::Text(text) => text.trim(),
        Value::Number(number) => number.as_str(),
        Value::List(list) => return list.first().and_then(read_text),
        _ => return None,
    };
    (!text.is_empty()).then(|| text.to_owned())
}

fn read_money(value: &Value) -> Option<Money> {
    match value {
        Value::Number(number) => Some(Money { amount: number.clone(), currency: None }),
        Value::Text(text) => money_of(text),
        Value::Object(members) => {
            let amount = read_text(find(members, "amount")?)?;
            let currency = find(members, "currency").and_then(read_text);
            money_of(&amount).map(|money| Money { currency: currency.or(money.currency), ..money })
        }
        _ => None,
    }
}

/// Reads `1299.00 UAH`, `UAH 1299`, `1 299,00`, `1299`; nothing else has a meaning that is sure.
fn money_of(text: &str) -> Option<Money> {
    let is_amount = |sign: char| sign.is_ascii_digit() || matches!(sign, '.' | ',');
    let kept: String = text.chars().filter(|sign| is_amount(*sign)).collect();
    let letters: String = text.chars().filter(char::is_ascii_alphabetic).collect();
    let currency = (letters.len() == 3).then(|| letters.to_ascii_uppercase());
    // The last sign of the two is the decimal one, unless three digits follow a comma: a thousand.
    let amount = match kept.rfind(['.', ',']) {
        None => kept,
        Some(place) => {
            let (whole, rest) = kept.split_at(place);
            let digits: String = whole.chars().filter(char::is_ascii_digit).collect();
            let rest = rest.get(1..).unwrap_or_default();
            let thousands = kept.get(place..=place) == Some(",") && rest.len() == 3;
            if thousands || rest.is_empty() {
                [&*digits, rest].concat()
            } else {
                [if digits.is_empty() { "0" } else { &digits }, ".", rest].concat()
            }
        }
    };
    let is_plain = amount.starts_with(|sign: char| sign.is_ascii_digit()) && amount.len() <= 18;
    let no_other = !text.contains('-');
    (is_plain && no_other).then_some(Money { amount, currency })
}

fn read_stock(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(is) => Some(*is),
        Value::Number(number) => Some(number != "0"),
        Value::Text(text) => {
            let text = text.trim().to_lowercase().replace(['_', '-'], " ");
            match text.as_str() {
                "0" | "false" | "no" | "out of stock" | "discontinued" => Some(false),
                "1" | "true" | "yes" | "in stock" | "preorder" | "pre order" | "backorder" => {
                    Some(true)
                }
                _ => None,
            }
        }
        _ => None,
    }
}

fn number(money: &Money) -> Option<f64> {
    money.amount.parse().ok().filter(|amount: &f64| *amount > 0.0)
}

fn is_less(one: Option<&Money>, other: Option<&Money>) -> bool {
    match (one.and_then(number), other.and_then(number)) {
        (Some(one), Some(other)) => one < other,
        _ => false,
    }
}
