//! Recommendation blocks: what a page shows of an answer, in one language.
//!
//! A block is drawn once, as a tree: pages build it, and the Worker writes it out as HTML for pages that
//! run no script. Class names and attributes are those that `www/blocks.js` and `www/blocks.css` know;
//! by `data-es-product`, `data-es-block` and `data-es-price` a card says of itself what is reported when
//! it is seen or bought from, whoever drew it.
//!
//! What a product is called, and where its links lead, others have written: texts stay texts, and an
//! address that is none of the web's is left out.

mod card;
mod words;

pub use self::card::{Card, Money};
use self::words::word;
use crate::{
    language,
    node::Node,
    value::{Members, Value},
};

/// The version of views; pages of another one reload.
pub const VERSION: u64 = 1;

/// How a block is laid out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "these are all that the style knows")]
pub enum Layout {
    /// As many columns as there is room for.
    #[default]
    Grid,
    /// One row that is turned by its reader.
    Carousel,
}

impl Layout {
    /// Its name in settings, addresses and classes.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Grid => "grid",
            Self::Carousel => "carousel",
        }
    }

    /// The one of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Grid, Self::Carousel].into_iter().find(|layout| layout.as_str() == name)
    }
}

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
    pub cards: &'a [Card],
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
    pub fn tree(&self, layout: Layout, format: Format<'_>) -> Node {
        let class = ["es-block es-", layout.as_str()].concat();
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
        let turned = layout == Layout::Carousel;
        // What scrolls must be reached by keys. A list without its marks is none to every reader.
        let list = Node::of("ul", "es-list").with("role", "list").with_if(turned, "tabindex", "0");
        let cards = self.cards.iter().map(|card| self.card(card, format));
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

    fn card(&self, card: &Card, format: Format<'_>) -> Node {
        let word = |key| word(key, self.language);
        let mut item = Node::of("li", "es-card").with("data-es-product", &*card.product_id);
        if let Some(container) = &card.container_type {
            item = item.with("data-es-block", &**container);
        }
        if let Some(price) = &card.price {
            item = item.with("data-es-price", &*price.amount);
        }
        let mut link = Node::of("a", "es-link");
        if let Some(url) = card.address() {
            link = link.with("href", url);
        }
        if let Some(image) = card.picture() {
            let image = Node::of("img", "es-image").with("src", image).with("alt", "");
            let size = [("loading", "lazy"), ("width", "240"), ("height", "240")];
            link = link.child(
                size.into_iter().fold(image, |image, (name, value)| image.with(name, value)),
            );
        }
        // The feed's own language is not known here.
        let name = Node::of("span", "es-name").with("dir", "auto").text(card.shown_name());
        item = item.child(link.child(name));
        if let Some(price) = &card.price {
            let mut prices = Node::of("p", "es-price");
            if let Some(old) = &card.old_price {
                let hidden = |key| Node::of("span", "es-hidden").text(word(key));
                let old = Node::of("del", "es-old").text(&self.price(old, format));
                prices = prices.child(hidden("old_price")).child(old).child(hidden("new_price"));
            }
            prices = prices.child(Node::of("span", "es-now").text(&self.price(price, format)));
            item = item.child(prices);
        }
        if card.in_stock == Some(false) {
            item = item.child(Node::of("p", "es-gone").text(word("gone")));
        } else if self.buy {
            let label = [word("buy"), ": ", card.shown_name()].concat();
            let button =
                Node::of("button", "es-buy").with("type", "button").with("data-es-buy", "");
            item = item.child(button.with("aria-label", label).text(word("buy")));
        }
        item
    }

    fn price(&self, price: &Money, format: Format<'_>) -> String {
        let Some(currency) = price.currency.as_deref().or(self.currency) else {
            return price.amount.clone();
        };
        let plain = || [&*price.amount, " ", currency].concat();
        format(&price.amount, currency, self.language).unwrap_or_else(plain)
    }

    /// What a page gets: the tree, or without a layout the products, for a template or a function of the
    /// shop's own.
    #[must_use]
    pub fn view(&self, layout: Option<Layout>, format: Format<'_>) -> Value {
        let text = |text: &str| Value::text(text);
        let mut members: Members = vec![
            ("v".into(), Value::whole(VERSION)),
            ("variant".into(), text(self.variant)),
            ("source".into(), text(self.source)),
            ("lang".into(), text(self.language)),
            ("dir".into(), text(language::direction(self.language))),
            ("header".into(), text(self.header)),
        ];
        members.push(match layout {
            Some(layout) if !self.cards.is_empty() => {
                ("tree".into(), self.tree(layout, format).to_value())
            }
            // There is nothing to build.
            Some(_) => ("tree".into(), Value::Null),
            None => {
                let items = self.cards.iter().map(|card| self.item(card, format)).collect();
                ("items".into(), Value::List(items))
            }
        });
        Value::Object(members)
    }

    /// A product for a template of the shop's own.
    fn item(&self, card: &Card, format: Format<'_>) -> Value {
        let mut members = Members::new();
        let mut set = |name: &str, value: Value| members.push((name.to_owned(), value));
        set("product_id", Value::text(&*card.product_id));
        set("url", Value::text(card.address().unwrap_or_default()));
        let texts = [
            ("container_type", card.container_type.as_deref()),
            ("image", card.picture()),
            ("brand", card.brand.as_deref()),
            ("description", card.description.as_deref()),
        ];
        set("name", Value::text(card.shown_name()));
        for (name, text) in texts {
            if let Some(text) = text {
                set(name, Value::text(text));
            }
        }
        if let Some(price) = &card.price {
            set("price", Value::Text(self.price(price, format)));
            set("price_value", Value::Number(price.amount.clone()));
            if let Some(currency) = price.currency.as_deref().or(self.currency) {
                set("currency", Value::text(currency));
            }
        }
        if let Some(old) = &card.old_price {
            set("old_price", Value::Text(self.price(old, format)));
        }
        if let Some(discount) = card.discount() {
            set("discount", Value::text(discount.to_string()));
        }
        if let Some(in_stock) = card.in_stock {
            set("in_stock", Value::whole(in_stock.into()));
        }
        set("fields", Value::Object(card.fields.clone()));
        Value::Object(members)
    }

    /// A block for pages that run no script, or whose server has it before their script has: its place with
    /// a shadow root of its own, styled by the file at `style`.
    ///
    /// `attributes` are those of the place, as the page asked for it, so that a script which comes later
    /// knows that there is nothing to fetch.
    #[must_use]
    pub fn html(&self, layout: Layout, style: &str, format: Format<'_>) -> String {
        let link = Node::new("link").with("rel", "stylesheet").with("href", style);
        let root = Node::new("template")
            .with("shadowrootmode", "open")
            .child(link)
            .child(self.tree(layout, format));
        let place = Node::new("es-recommendations")
            .with("variant", self.variant)
            .with("data-es-drawn", "")
            .child(root);
        let mut out = String::new();
        if !self.cards.is_empty() {
            place.write_html(&mut out);
        }
        out
    }
}
