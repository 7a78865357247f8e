//! Where a site's product feed is, and how often it is read.

use serde::{Deserialize, Serialize};

use super::{Error, address::is_upstream};

/// Most attributes that products can be found by.
const MAX_FIELDS: usize = 10;

/// The shop's product feed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct FeedConfig {
    /// Its address: RSS 2.0 with Google's attributes.
    #[serde(default)]
    pub address: String,
    /// How often it is read, in hours.
    #[serde(default = "default_hours")]
    pub hours: u32,
    /// Attributes that products are to be found by, beside their categories.
    #[serde(default)]
    pub fields: Vec<String>,
}

fn default_hours() -> u32 {
    24
}

impl FeedConfig {
    pub(super) fn errors(&self, site: &str) -> Vec<Error> {
        let mut errors = Vec::new();
        let mut wrong = |setting: String, fix: &str| {
            let setting = format!("sites.{site}.feed.{setting}");
            errors.push(Error { setting, fix: fix.into() });
        };
        let (place, query) = self.address.split_once('?').unwrap_or((&self.address, ""));
        let clean = |c: char| c.is_ascii_graphic() && !matches!(c, '#' | '\\' | '"' | '<' | '>');
        if !is_upstream(place) || !query.chars().all(clean) {
            let fix = "give the feed's address: \"https://shop.example/feed.xml\"; http only on \
                       loopback";
            wrong("address".into(), fix);
        }
        if !(1..=168).contains(&self.hours) {
            wrong("hours".into(), "choose 1 to 168 hours");
        }
        if self.fields.len() > MAX_FIELDS {
            wrong("fields".into(), "name at most 10 attributes");
        }
        for (index, field) in self.fields.iter().enumerate() {
            let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
            let text = format!("fields[{index}]");
            if field.is_empty() || field.len() > 100 || !field.bytes().all(plain) {
                wrong(text, "name an attribute as the feed does, without `g:`: \"brand\"");
            } else if field == "category" {
                wrong(text, "leave it out: products are always found by category");
            }
        }
        errors
    }
}
