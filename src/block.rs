//! Recommendation blocks: what a page shows of an answer, in one language.
//!
//! A block is drawn once, as a tree: pages build it, and the Worker writes it out as HTML for pages that
//! run no script. Class names and attributes are those that `www/blocks.js` and `www/blocks.css` know;
//! by `data-es-product`, `data-es-block` and `data-es-price` a card says of itself what is reported when
//! it is seen or bought from, whoever drew it.
//!
//! What a product is called, and where its links lead, others have written: texts stay texts, and an
//! address that is none of the web's is left out.

mod words;

use self::words::word;
use crate::{
    config::recommendations::Template,
    language,
    node::{Node, is_address},
    recommendation::{Price, Product},
    value::{Members, Value},
};

/// The version of views; pages of another one reload.
pub const VERSION: u64 = 1;

/// A block in one language.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "whoever draws a block fills it in")]
pub struct Block<'a> {
    /// The variant that its products are of.
    pub variant: &'a str,
    /// Where they come from: `platform`, `last`, `bestsellers`, `feed`.
    pub source: &'a str,
    /// Its language, one of [`languages`] with whatever the settings add.
    pub language: &'a str,
    /// What stands above it; nothing if empty.
    pub header: &'a str,
    /// Whether its cards have a button that puts the product into the cart.
    pub buy: bool,
    /// The currency of prices that name none.
    pub currency: Option<&'a str>,
    /// The products.
    pub products: &'a [Product],
}

/// Writes an amount (`1299.00`) of a currency (`UAH`) as it is written in a language; nothing if it
/// cannot.
pub type Format<'a> = &'a dyn Fn(&str, &str, &str) -> Option<String>;

/// The languages that the kit itself speaks; the first one is for all others.
#[must_use]
pub fn languages() -> &'static [&'static str] {
    &words::LANGUAGES
}

impl Block<'_> {
    /// The block as pages build it and as HTML has it.
    #[must_use]
    pub fn tree(&self, template: Template, format: Format<'_>) -> Node {
        let class = ["es-block es-", template.as_str()].concat();
        let word = |key| word(key, self.language);
        let label = if self.header.is_empty() { word("label") } else { self.header };
        let mut section = Node::of("section", &class)
            .with("lang", self.language)
            .with("dir", language::direction(self.language))
            .with("aria-label", label)
            .with("data-es-variant", self.variant);
        if !self.header.is_empty() {
            section = section.child(Node::of("h2", "es-header").text(self.header));
        }
        let turned = template == Template::Carousel;
        // What scrolls must be reached by keys. A list without its marks is none to every reader.
        let list = Node::of("ul", "es-list").with("role", "list").with_if(turned, "tabindex", "0");
        let cards = self.products.iter().map(|product| self.card(product, format));
        section = section.child(list.children(cards));
        if turned {
            let button = |name, key, sign| {
                let button = Node::new("button").with("type", "button").with(name, "");
                button.with("aria-label", word(key)).text(sign)
            };
            let turn = Node::of("div", "es-turn")
                .child(button("data-es-prev", "previous", "‹"))
                .child(button("data-es-next", "next", "›"));
            section = section.child(turn);
        }
        section
    }

    fn card(&self, product: &Product, format: Format<'_>) -> Node {
        let word = |key| word(key, self.language);
        let mut item = Node::of("li", "es-card").with("data-es-product", &*product.id);
        if let Some(container) = &product.container_type {
            item = item.with("data-es-block", &**container);
        }
        if let Some(price) = &product.price {
            item = item.with("data-es-price", &*price.amount);
        }
        let mut link = Node::of("a", "es-link");
        if let Some(url) = address(product) {
            link = link.with("href", url);
        }
        if let Some(image) = picture(product) {
            // Before the address: a script that sets them in this order begins no fetch that it need not.
            let lazy = [("loading", "lazy"), ("src", image), ("alt", "")];
            let members = lazy.into_iter().chain([("width", "240"), ("height", "240")]);
            let image = Node::of("img", "es-image");
            link = link.child(members.fold(image, |image, (name, value)| image.with(name, value)));
        }
        // The feed's own language is not known here.
        let title = Node::of("span", "es-name").with("dir", "auto").text(name(product));
        item = item.child(link.child(title));
        if let Some(price) = &product.price {
            let mut prices = Node::of("p", "es-price");
            if let Some(old) = &product.old_price {
                let hidden = |key| Node::of("span", "es-hidden").text(word(key));
                let old = Node::of("del", "es-old").text(&self.price(old, format));
                prices = prices.child(hidden("old_price")).child(old).child(hidden("new_price"));
            }
            prices = prices.child(Node::of("span", "es-now").text(&self.price(price, format)));
            item = item.child(prices);
        }
        if product.in_stock == Some(false) {
            item = item.child(Node::of("p", "es-gone").text(word("gone")));
        } else if self.buy {
            let label = [word("buy"), ": ", name(product)].concat();
            let button =
                Node::of("button", "es-buy").with("type", "button").with("data-es-buy", "");
            item = item.child(button.with("aria-label", label).text(word("buy")));
        }
        item
    }

    fn price(&self, price: &Price, format: Format<'_>) -> String {
        let Some(currency) = price.currency.as_deref().or(self.currency) else {
            return price.amount.clone();
        };
        let plain = || [&*price.amount, " ", currency].concat();
        format(&price.amount, currency, self.language).unwrap_or_else(plain)
    }

    /// What a page gets: the tree, or without a template the products, for a template or a function of the
    /// shop's own.
    #[must_use]
    pub fn view(&self, template: Option<Template>, format: Format<'_>) -> Value {
        let text = |text: &str| Value::text(text);
        let mut members: Members = vec![
            ("v".into(), Value::whole(VERSION)),
            ("variant".into(), text(self.variant)),
            ("source".into(), text(self.source)),
            ("lang".into(), text(self.language)),
            ("dir".into(), text(language::direction(self.language))),
            ("header".into(), text(self.header)),
        ];
        members.push(match template {
            Some(template) if !self.products.is_empty() => {
                ("tree".into(), self.tree(template, format).to_value())
            }
            // There is nothing to build.
            Some(_) => ("tree".into(), Value::Null),
            None => {
                let items =
                    self.products.iter().map(|product| self.item(product, format)).collect();
                ("items".into(), Value::List(items))
            }
        });
        Value::Object(members)
    }

    /// A product for a template of the shop's own.
    fn item(&self, product: &Product, format: Format<'_>) -> Value {
        let mut members = Members::new();
        let mut set = |name: &str, value: Value| members.push((name.to_owned(), value));
        set("product_id", Value::text(&*product.id));
        set("url", Value::text(address(product).unwrap_or_default()));
        let texts = [
            ("container_type", product.container_type.as_deref()),
            ("image", picture(product)),
            ("brand", product.brand.as_deref()),
            ("description", product.description.as_deref()),
        ];
        set("name", Value::text(name(product)));
        for (name, text) in texts {
            if let Some(text) = text {
                set(name, Value::text(text));
            }
        }
        if let Some(price) = &product.price {
            set("price", Value::Text(self.price(price, format)));
            set("price_value", Value::Number(price.amount.clone()));
            if let Some(currency) = price.currency.as_deref().or(self.currency) {
                set("currency", Value::text(currency));
            }
        }
        if let Some(old) = &product.old_price {
            set("old_price", Value::Text(self.price(old, format)));
        }
        if let Some(discount) = discount(product) {
            set("discount", Value::text(discount.to_string()));
        }
        if let Some(in_stock) = product.in_stock {
            set("in_stock", Value::whole(in_stock.into()));
        }
        set("fields", Value::Object(product.fields.clone()));
        Value::Object(members)
    }

    /// The block as HTML, styled by the page; nothing of no products.
    #[must_use]
    pub fn html(&self, template: Template, format: Format<'_>) -> String {
        let mut out = String::new();
        if !self.products.is_empty() {
            self.tree(template, format).write_html(&mut out);
        }
        out
    }

    /// The same behind a shadow root of its own, styled by the file at `style`.
    #[must_use]
    pub fn root(&self, template: Template, style: &str, format: Format<'_>) -> String {
        let mut out = String::new();
        if !self.products.is_empty() {
            self.shadow(template, style, format).write_html(&mut out);
        }
        out
    }

    /// The same in a place of its own, for servers that put it into their pages. A script that comes later
    /// sees that there is nothing to fetch; `about` are the place's other attributes, for when it asks again.
    #[must_use]
    pub fn place(
        &self,
        about: &[(&'static str, String)],
        template: Template,
        style: &str,
        format: Format<'_>,
    ) -> String {
        let mut out = String::new();
        if !self.products.is_empty() {
            let place = Node::new("es-recommendations").with("variant", self.variant);
            let place = about.iter().fold(place, |place, (name, text)| place.with(name, &**text));
            let root = self.shadow(template, style, format);
            place.with("data-es-drawn", "").child(root).write_html(&mut out);
        }
        out
    }

    fn shadow(&self, template: Template, style: &str, format: Format<'_>) -> Node {
        let link = Node::new("link").with("rel", "stylesheet").with("href", style);
        let root = Node::new("template").with("shadowrootmode", "open");
        root.child(link).child(self.tree(template, format))
    }
}

/// What a product is called, or its id where it has no name.
fn name(product: &Product) -> &str {
    product.name.as_deref().unwrap_or(&product.id)
}

/// A product's page, if that is an address which a link may have.
fn address(product: &Product) -> Option<&str> {
    Some(&*product.url).filter(|url| is_address(url))
}

/// A product's picture, if that is an address which a picture may have.
fn picture(product: &Product) -> Option<&str> {
    product.image.as_deref().filter(|image| is_address(image))
}

/// By how many percent a product costs less than before, if that can be told.
fn discount(product: &Product) -> Option<u64> {
    let (now, before) = (product.price.as_ref()?.value(), product.old_price.as_ref()?.value());
    let percent = ((before - now) / before * 100.0).round();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 100")]
    (0.5..=100.0).contains(&percent).then_some(percent as u64)
}
