//! Recommendations: where those of each variant come from, how long they count, and where blocks of
//! them stand.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Error, address::is_upstream};
use crate::definition::{RESERVE_FIX, Text, is_reserve};

/// The mobile-style API, as the vendor's own kits for apps call it.
const MOBILE: &str = "https://mobile-api.reteno.com/api";

/// Under which name it takes its key (the vendor's page on access keys).
const MOBILE_HEADER: &str = "X-Reteno-Access-Key";

/// Most variants of a test (the vendor's page on tests of blocks).
const MOST_TESTED: usize = 8;

/// Most blocks of a site: far more than a shop has pages of one kind.
const MOST_BLOCKS: usize = 200;

/// Most products of a block.
const MOST_PRODUCTS: u32 = 50;

/// What a site's recommendations come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Recommendations {
    /// How long a page waits for the platform before it gets something else, in milliseconds.
    pub budget: u32,
    /// How long an answer counts as new, in seconds; no sooner is the same asked again.
    pub fresh: u32,
    /// How long an older one may be shown while a new one is fetched, or when none can be had, in
    /// seconds.
    pub stale: u32,
    /// What becomes of products that are out of stock.
    pub out_of_stock: OutOfStock,
    /// The mobile-style API, where it is not the usual one.
    pub mobile_address: Option<String>,
    /// Under which name that API takes its key, where it is not the usual one.
    pub mobile_header: Option<String>,
    /// The API that takes tokens of contacts.
    pub contact_address: Option<String>,
    /// The blocks, by the ids of their variants: `r12v34`.
    pub blocks: BTreeMap<String, Block>,
    /// The tests, each under a name of your own.
    pub tests: BTreeMap<String, Test>,
}

/// A block: one variant of a recommendation, and how it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Block {
    /// Which operation of the platform has its products.
    pub source: Source,
    /// The data source's id, for all but the mobile-style API.
    #[serde(default)]
    pub data_source: Option<u32>,
    /// What is shown when the platform has nothing.
    #[serde(default)]
    pub fallback: Fallback,
    /// How many products are shown.
    #[serde(default = "default_size")]
    pub size: u32,
    /// The container type of its products, where their addresses do not say it.
    #[serde(default)]
    pub container_type: Option<String>,
    /// What stands above the products.
    #[serde(default)]
    pub header: Text,
    /// How the products are laid out.
    #[serde(default)]
    pub template: Template,
    /// Whether each has a button that puts it into the cart.
    #[serde(default)]
    pub buy: bool,
    /// Where it stands on pages that do not place it themselves.
    #[serde(default)]
    pub place: Option<Place>,
    /// The height that is kept for it until it is there: the least width of the window, and so many
    /// pixels from it on.
    #[serde(default)]
    pub reserve: Vec<(u32, u32)>,
}

/// An operation of the platform that recommends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Source {
    /// The REST API's, with the deployment's key.
    Contact,
    /// The one that takes a token of the contact.
    Token,
    /// The one that apps call, with a key of its own. It is the same for everybody.
    Mobile,
}

/// What is shown when the platform has nothing, and no earlier answer is there either.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Fallback {
    /// What sells best, of the category that the page is about.
    #[default]
    Bestsellers,
    /// The first of the feed, likewise.
    Feed,
    /// Nothing.
    None,
}

/// What becomes of products that are out of stock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum OutOfStock {
    /// They are left out.
    #[default]
    Hide,
    /// They come behind the others.
    Last,
    /// They are shown like the others.
    Show,
}

/// How products are laid out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Template {
    /// In rows.
    #[default]
    Grid,
    /// In one row that moves.
    Carousel,
}

/// A place on pages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Place {
    /// The element, as CSS names it.
    pub selector: String,
    /// Where of it.
    #[serde(rename = "where", default)]
    pub at: Where,
    /// Paths of the pages, in which `*` stands for anything; all if there are none.
    #[serde(default)]
    pub pages: Vec<String>,
}

/// Where of an element.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Where {
    /// Before it.
    Before,
    /// After it.
    After,
    /// In it, behind what is there.
    #[default]
    Inside,
}

/// A test: visitors get one of several variants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Test {
    /// Which variant gets how many of a hundred visitors.
    pub variants: BTreeMap<String, u32>,
    /// Where it stands on pages that do not place it themselves.
    #[serde(default)]
    pub place: Option<Place>,
    /// The height that is kept for it, from which width of the window on, narrow first, in pixels.
    #[serde(default)]
    pub reserve: Vec<(u32, u32)>,
}

impl Default for Recommendations {
    fn default() -> Self {
        Self {
            budget: 300,
            fresh: 300,
            stale: 86_400,
            out_of_stock: OutOfStock::default(),
            mobile_address: None,
            mobile_header: None,
            contact_address: None,
            blocks: BTreeMap::new(),
            tests: BTreeMap::new(),
        }
    }
}

fn default_size() -> u32 {
    12
}

impl Source {
    /// Its name in settings.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Contact => "contact",
            Self::Token => "token",
            Self::Mobile => "mobile",
        }
    }
}

impl Fallback {
    /// Its name in settings.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bestsellers => "bestsellers",
            Self::Feed => "feed",
            Self::None => "none",
        }
    }
}

impl Template {
    /// Its name in settings.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Grid => "grid",
            Self::Carousel => "carousel",
        }
    }

    /// The template of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Grid, Self::Carousel].into_iter().find(|template| template.as_str() == name)
    }
}

impl Where {
    /// Its name in settings.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::After => "after",
            Self::Inside => "inside",
        }
    }
}

/// Whether `text` is the id of a variant, as the platform writes it: `r12v34`.
#[must_use]
pub fn is_variant(text: &str) -> bool {
    let digits = |text: &str| {
        (1..=12).contains(&text.len()) && text.bytes().all(|digit| digit.is_ascii_digit())
    };
    let parts = text.strip_prefix('r').and_then(|rest| rest.split_once('v'));
    parts.is_some_and(|(recommendation, variant)| digits(recommendation) && digits(variant))
}

impl Recommendations {
    /// The address of the mobile-style API.
    #[must_use]
    pub fn mobile(&self) -> &str {
        self.mobile_address.as_deref().unwrap_or(MOBILE)
    }

    /// Under which name the mobile-style API takes its key.
    #[must_use]
    pub fn mobile_header(&self) -> &str {
        self.mobile_header.as_deref().unwrap_or(MOBILE_HEADER)
    }

    /// The variant that `name` means to a visitor, with its block: that of the variant itself or of a
    /// test. `visitor` is anything that stays the same with them; without it the test's first counts.
    #[must_use]
    pub fn choose(&self, name: &str, visitor: Option<&str>) -> Option<(&str, &Block)> {
        let block = |variant: &str| {
            self.blocks.get_key_value(variant).map(|(variant, block)| (variant.as_str(), block))
        };
        let Some(test) = self.tests.get(name) else { return block(name) };
        let place = visitor.map_or(0, |visitor| spread(name, visitor));
        let mut below = 0;
        let chosen = test.variants.iter().find(|(_, share)| {
            below += **share;
            place < below
        });
        block(chosen.map(|(variant, _)| variant)?)
    }

    pub(super) fn errors(&self, site: &str) -> Vec<Error> {
        let mut errors = Vec::new();
        let mut wrong = |setting: &str, fix: &str| {
            let setting = format!("sites.{site}.recommendations.{setting}");
            errors.push(Error { setting, fix: fix.into() });
        };
        if !(50..=5000).contains(&self.budget) {
            wrong("budget", "give 50 to 5000 milliseconds");
        }
        if !(1..=86_400).contains(&self.fresh) {
            wrong("fresh", "give 1 to 86400 seconds");
        }
        if self.stale < self.fresh || self.stale > 30 * 86_400 {
            wrong("stale", "give at least as many seconds as `fresh` has, and 2592000 at most");
        }
        let addresses =
            [("mobile_address", &self.mobile_address), ("contact_address", &self.contact_address)];
        for (name, address) in addresses {
            if address.as_ref().is_some_and(|address| !is_upstream(address)) {
                wrong(name, "give an https address without query; http only on loopback");
            }
        }
        let is_name = |text: &str| {
            let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
            (1..=64).contains(&text.len()) && text.bytes().all(allowed)
        };
        if self.mobile_header.as_ref().is_some_and(|header| !is_name(header)) {
            wrong("mobile_header", "name a header: \"X-Reteno-Access-Key\"");
        }
        if self.blocks.len() > MOST_BLOCKS {
            wrong("blocks", "define at most 200 blocks");
        }
        for (variant, block) in &self.blocks {
            let mut wrong =
                |setting: &str, fix: &str| wrong(&format!("blocks.{variant}{setting}"), fix);
            if !is_variant(variant) {
                wrong("", "name blocks as the platform names their variants: r12v34");
            }
            block.check(self, &mut wrong);
        }
        for (name, test) in &self.tests {
            let mut wrong =
                |setting: &str, fix: &str| wrong(&format!("tests.{name}{setting}"), fix);
            let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
            if !(1..=40).contains(&name.len()) || !name.bytes().all(plain) || is_variant(name) {
                wrong("", "name tests in small letters, digits and hyphens, not like a variant");
            }
            test.check(self, &mut wrong);
        }
        errors
    }
}

impl Block {
    fn check(&self, all: &Recommendations, wrong: &mut impl FnMut(&str, &str)) {
        match (self.source, self.data_source) {
            (Source::Mobile, Some(_)) => {
                wrong(".data_source", "leave it out: the mobile-style API goes by the variant");
            }
            (Source::Mobile, None) => {}
            (_, None) => wrong(".data_source", "give the data source's id at the platform: 1244"),
            (_, Some(id)) if id == 0 || i32::try_from(id).is_err() => {
                wrong(".data_source", "give the data source's id at the platform: 1244");
            }
            _ => {}
        }
        if self.source == Source::Token && all.contact_address.is_none() {
            wrong(".source", "say where the API is that takes tokens: contact_address");
        }
        if !(1..=MOST_PRODUCTS).contains(&self.size) {
            wrong(".size", "show 1 to 50 products");
        }
        let is_container = |text: &String| {
            let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
            (1..=100).contains(&text.len()) && text.bytes().all(allowed)
        };
        if !self.container_type.as_ref().is_none_or(is_container) {
            wrong(".container_type", "write it as addresses have it: \"19534_r12v34\"");
        }
        check_place(self.place.as_ref(), &self.reserve, wrong);
    }
}

fn check_place(place: Option<&Place>, reserve: &[(u32, u32)], wrong: &mut impl FnMut(&str, &str)) {
    if let Some(place) = place {
        let length = place.selector.trim().len();
        if !(1..=500).contains(&length) || place.selector.contains(char::is_control) {
            wrong(".place.selector", "name an element as CSS does: \"#main\"");
        }
        for (index, page) in place.pages.iter().enumerate() {
            if !page.starts_with(['/', '*']) || page.len() > 500 {
                wrong(&format!(".place.pages[{index}]"), "give a path: \"/product/*\"");
            }
        }
    }
    if !is_reserve(reserve) {
        wrong(".reserve", RESERVE_FIX);
    }
}

impl Test {
    fn check(&self, all: &Recommendations, wrong: &mut impl FnMut(&str, &str)) {
        for variant in self.variants.keys().filter(|variant| !all.blocks.contains_key(*variant)) {
            wrong(&format!(".variants.{variant}"), "add its block, or leave it out");
        }
        if !(2..=MOST_TESTED).contains(&self.variants.len()) {
            wrong(".variants", "test 2 to 8 variants: { r12v34 = 50, r12v35 = 50 }");
        }
        let sum: u64 = self.variants.values().map(|share| u64::from(*share)).sum();
        if sum != 100 || self.variants.values().any(|share| *share == 0) {
            wrong(".variants", "share out 100 visitors in all, at least 1 to each variant");
        }
        check_place(self.place.as_ref(), &self.reserve, wrong);
    }
}

/// A place from 0 to 99 that stays the same: 32-bit FNV-1a, with its bits mixed as `MurmurHash3` does at
/// its end, since its low bits alone are not even.
fn spread(test: &str, visitor: &str) -> u32 {
    let bytes = test.bytes().chain([0]).chain(visitor.bytes());
    let mut hash = bytes
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    hash = (hash ^ (hash >> 16)).wrapping_mul(0x85eb_ca6b);
    hash = (hash ^ (hash >> 13)).wrapping_mul(0xc2b2_ae35);
    (hash ^ (hash >> 16)) % 100
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variants_are_named_as_the_platform_names_them() {
        for name in ["r1v1", "r12v34", "r1107v1482"] {
            assert!(is_variant(name), "{name}");
        }
        for name in ["", "r", "rv", "r1", "r1v", "rv1", "R1v1", "r1v1 ", "r1v1v1", "r-1v1", "v1r1"]
        {
            assert!(!is_variant(name), "{name}");
        }
    }

    #[test]
    fn the_same_visitor_gets_the_same_in_every_release() {
        // Whoever saw one variant goes on to see it: these must never change.
        let visitors = ["CDA68358-94FB-4D83-9655-3FEB3C6666E1", "a", ""];
        assert_eq!(visitors.map(|visitor| spread("home", visitor)), [26, 23, 37]);
    }
}
