//! Recommendations: what a page asks for, what the platform answers in its three forms, what of it is
//! shown, and how long an answer counts.
//!
//! | path | what it knows |
//! |---|---|
//! | this file | products, answers, and who asks |
//! | [`ask`] | what a page asks for, in a query or as `eS('getRecommendations', …)` has it |
//! | [`call`] | the calls that ask the platform for it |
//! | [`answer`] | the platform's answers, and what the shop's feed adds |
//! | [`filter`] | what of an answer is shown, and in which order |
//! | [`cache`] | which answer counts, when the platform is asked, and for how long somebody waits |
//! | [`token`] | tokens of contacts, each good for one call |
//!
//! # Guarantees
//!
//! - An answer that is somebody's own is never another person's: whom it is for is part of the key that
//!   it is found by.
//! - A product's address is the platform's, to the letter, or the feed's where the platform sends none;
//!   one that would run code is none at all.
//! - What the platform did not recommend has no container type, so that it never counts as the
//!   platform's.

pub mod answer;
pub mod ask;
pub mod cache;
pub mod call;
pub mod filter;
mod product;
pub mod token;

pub use self::{
    ask::Ask,
    filter::{Filter, Filters},
    product::{Product, is_link},
};
pub use crate::catalogue::Price;
use crate::{
    identity::WebId,
    page_call::Proof,
    value::{Members, Value},
};

/// Who asks, as far as it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Person {
    /// Nobody in particular: nothing of theirs may be asked.
    Nobody,
    /// A browser, by the cookie `sc`.
    Browser(WebId),
    /// A contact that the shop's back end has signed: what names it, as the platform calls that, and
    /// how.
    Proven(&'static str, String),
}

impl Person {
    /// Who it is by a proof, else by the browser.
    #[must_use]
    pub fn of(proof: Option<&Proof>, web_id: Option<WebId>) -> Self {
        let proven = proof.and_then(|proof| proof.names().next());
        match (proven, web_id) {
            (Some((name, own)), _) => Self::Proven(name, own.to_owned()),
            (None, Some(web_id)) => Self::Browser(web_id),
            (None, None) => Self::Nobody,
        }
    }

    /// Who it is by what names them: `sc` for a browser, else as the platform calls it.
    #[must_use]
    pub fn named(name: &str, own: &str) -> Option<Self> {
        let known = ["externalCustomerId", "email", "phone"];
        match known.into_iter().find(|known| *known == name) {
            Some(name) => Some(Self::Proven(name, own.to_owned())),
            None if name == "sc" => WebId::parse(own).map(Self::Browser),
            None => None,
        }
    }

    /// What names them, and how; different persons differ in one of the two.
    #[must_use]
    pub fn name(&self) -> Option<(&'static str, &str)> {
        match self {
            Self::Nobody => None,
            Self::Browser(web_id) => Some(("sc", web_id.as_str())),
            Self::Proven(name, own) => Some((name, own)),
        }
    }

    /// The same as one text.
    #[must_use]
    pub fn key(&self) -> Option<String> {
        self.name().map(|(name, own)| [name, ":", own].concat())
    }
}

/// Where an answer is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source {
    /// The platform, just now or a little earlier.
    Platform,
    /// The platform, earlier: it has no newer one, or none in time.
    Last,
    /// What sells best in the shop.
    Bestsellers,
    /// The shop's feed.
    Feed,
    /// Nowhere: there is nothing.
    Nothing,
}

impl Source {
    const ALL: [Self; 5] =
        [Self::Platform, Self::Last, Self::Bestsellers, Self::Feed, Self::Nothing];

    /// Its name in answers.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Platform => "platform",
            Self::Last => "last",
            Self::Bestsellers => "bestsellers",
            Self::Feed => "feed",
            Self::Nothing => "none",
        }
    }

    /// The source of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|source| source.as_str() == name)
    }
}

/// What a page is answered.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "hosts put it together")]
pub struct Answer {
    /// The variant that was asked, or that a test chose.
    pub variant: String,
    /// Where it is from.
    pub source: Source,
    /// Whether it is somebody's own, and must be kept by nobody else.
    pub personal: bool,
    /// The products, the first one first.
    pub products: Vec<Product>,
}

impl Answer {
    /// All of it, as the parts of the Worker hand it to each other.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let mut members = self.head();
        members.push(("personal".into(), Value::Bool(self.personal)));
        let products = self.products.iter().map(Product::to_value);
        members.push(("products".into(), Value::List(products.collect())));
        Value::Object(members)
    }

    /// Reads what [`Answer::to_value`] wrote.
    #[must_use]
    pub fn from_value(value: &Value) -> Option<Self> {
        let text = |name: &str| value.member(name).and_then(Value::as_text);
        let products = value.member("products")?.as_list()?;
        Some(Self {
            variant: text("variant")?.to_owned(),
            source: Source::named(text("source")?)?,
            personal: value.member("personal") != Some(&Value::Bool(false)),
            products: products.iter().filter_map(Product::from_value).collect(),
        })
    }

    /// What a page gets: ids, addresses, container types, and with `all_fields` every attribute, by
    /// the names that the vendor's own script gives them.
    #[must_use]
    pub fn page_value(&self, all_fields: bool) -> Value {
        let mut members = vec![("v".to_owned(), Value::whole(1))];
        members.extend(self.head());
        let products = self.products.iter().map(|product| product.page_value(all_fields));
        members.push(("products".into(), Value::List(products.collect())));
        Value::Object(members)
    }

    fn head(&self) -> Members {
        vec![
            ("variant".into(), Value::text(&self.variant)),
            ("source".into(), Value::text(self.source.as_str())),
        ]
    }
}
