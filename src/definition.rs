//! What a form is, as the shop describes it; and what pages, and the platform, get of it.
//!
//! A definition stays in the Worker. Pages get a [`view`] of it in one language, with the form ready made
//! by [`render`], so that they neither know the segments that it joins nor carry texts and code that only
//! decide how it looks. What people fill in is read against it by [`submission`].

mod field;
mod rules;
mod text;
mod validate;
mod words;

pub mod page;
pub mod render;
pub mod submission;
pub mod view;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::value::Value;

pub use self::{
    field::{Field, Page, Picture, Select},
    rules::{
        AfterSubscription, Device, Frequency, Mode, PagePatterns, Rules, Shares, Stop, Visitors,
        When, WhenBusy, Who,
    },
    text::Text,
    validate::{Mistake, RESERVE_FIX, is_reserve},
    view::Words,
};

/// Most forms that a deployment may define: all of them are in the Worker's memory.
pub const MAX_FORMS: usize = 200;

/// Most pages of a form, as many as the platform's own have.
pub const MAX_PAGES: usize = 20;

/// Most fields of a form.
pub const MAX_FIELDS: usize = 50;

/// CSS custom properties that a theme may set, without the `--es-` in front of each.
pub const THEME: [&str; 14] = [
    "accent",
    "error",
    "field",
    "font",
    "line",
    "muted",
    "on-accent",
    "radius",
    "scheme",
    "shadow",
    "success",
    "surface",
    "text",
    "width",
];

/// A form, as the shop describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Definition {
    /// What it is for.
    pub kind: Kind,
    /// How it stands on the page.
    pub layout: Layout,
    /// Where a box or a bar stands; at the bottom if unset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<Position>,
    /// A button, always on the page, that opens it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub launcher: Option<Launcher>,
    /// Where on the page an inline form goes that has no place in the page's own markup.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// The height that is kept for an inline form until it is there: the least width of the window, and
    /// so many pixels from it on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reserve: Vec<(u32, u32)>,
    /// The form's name at the platform; it stands in the key of the event that a subscription makes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub form_type: Option<String>,
    /// Static segments that whoever fills it in joins.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub segments: Vec<String>,
    /// Subscription categories that whoever fills it in gets.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub subscriptions: Vec<String>,
    /// The type of the event that a request makes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    /// Whether a request is open to visitors whom nobody knows; it asks for an address then.
    pub open_to_all: bool,
    /// What people see, one after the other.
    pub pages: Vec<Page>,
    /// What those who have subscribed are asked after that.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub second_step: Vec<Page>,
    /// What people read in the end.
    pub thanks: Thanks,
    /// A code of the platform's that each contact gets once, by mail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub promo_code: Option<PromoCode>,
    /// Where the page goes in the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redirect: Option<String>,
    /// Whether pages learn what the platform says of an address: whoever types one in learns then
    /// whether it is known.
    pub reveal_status: bool,
    /// Cloudflare's test of whether a person is at work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub turnstile: Option<Turnstile>,
    /// How much is taken.
    pub limits: Limits,
    /// How long a person takes at least to fill it in, in seconds.
    pub min_seconds: u32,
    /// The kit's own words in other languages, or other words of them.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub languages: BTreeMap<String, BTreeMap<String, String>>,
    /// The language of pages that name none, or one in which the form has no texts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_language: Option<String>,
    /// CSS custom properties, by their names without `--es-`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub theme: BTreeMap<String, String>,
    /// When it shows, and to whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub show: Option<Rules>,
    /// The share of browsers that get it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub split: Option<Shares>,
}

/// What a form is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Kind {
    /// A contact subscribes.
    #[default]
    Subscribe,
    /// A known contact asks for something: an event with what they filled in.
    Request,
    /// It only tells something.
    Informer,
}

/// How a form stands on the page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Layout {
    /// In the flow of the page.
    #[default]
    Inline,
    /// Over the page, which waits meanwhile.
    Popup,
    /// In a corner over the page, which goes on working.
    Box,
    /// Along an edge of the page, which goes on working.
    Bar,
}

/// Where a box, a bar or a launcher stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Position {
    /// Along the upper edge.
    Top,
    /// Along the lower edge.
    Bottom,
    /// The upper corner where lines begin.
    TopLeft,
    /// The upper corner where lines end.
    TopRight,
    /// The lower corner where lines begin.
    BottomLeft,
    /// The lower corner where lines end.
    BottomRight,
}

/// A button that opens a form.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Launcher {
    /// What stands on it.
    pub text: Text,
}

/// A place on the page.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Place {
    /// A CSS selector; the first element that matches counts.
    pub selector: String,
    /// Where in regard to it.
    #[serde(rename = "where")]
    pub relation: Relation,
}

/// Where in regard to an element something goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Relation {
    /// Before it.
    Before,
    /// Behind it.
    After,
    /// In it, before all else.
    InsideFirst,
    /// In it, behind all else.
    #[default]
    InsideLast,
    /// In its stead.
    Replace,
}

/// What people read in the end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Thanks {
    /// The title; the kit has its own.
    #[serde(skip_serializing_if = "Text::is_empty")]
    pub title: Text,
    /// The text; the kit has its own.
    #[serde(skip_serializing_if = "Text::is_empty")]
    pub text: Text,
    /// A promo code, the same for everybody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

/// What passes at least between two widgets that show by themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Interval {
    /// So many seconds.
    Seconds(u32),
    /// So many pages.
    Views(u32),
}

impl Default for Interval {
    /// Three minutes, as the platform's own widgets have it.
    fn default() -> Self {
        Self::Seconds(180)
    }
}

impl Interval {
    fn to_value(self) -> Value {
        let (unit, number) = match self {
            Self::Seconds(seconds) => ("seconds", seconds),
            Self::Views(views) => ("views", views),
        };
        Value::Object(vec![(unit.to_owned(), Value::whole(number.into()))])
    }
}

/// A promo code of the platform's for each contact who subscribes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct PromoCode {
    /// The type of codes that it is taken from.
    pub kind: String,
    /// The type of the event that hands it to the platform, whose workflow sends the mail.
    pub event: String,
}

/// Cloudflare's test of whether a person is at work.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Turnstile {
    /// The site key; the secret is the Worker's.
    pub site_key: String,
    /// Where those can turn to whose browser runs no script: a link.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
}

/// How much a form takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Limits {
    /// Submissions about one address in a day.
    pub contact_per_day: u32,
    /// Minutes between two submissions about one address.
    pub contact_pause_minutes: u32,
    /// Submissions of one network address in ten minutes.
    pub address_per_ten_minutes: u32,
    /// Submissions of one network, many addresses, in ten minutes.
    pub network_per_ten_minutes: u32,
    /// Submissions with addresses of one mail domain in a minute; large providers have more of their own.
    pub domain_per_minute: u32,
    /// Submissions of all in a minute.
    pub all_per_minute: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            contact_per_day: 3,
            contact_pause_minutes: 10,
            address_per_ten_minutes: 10,
            network_per_ten_minutes: 60,
            domain_per_minute: 60,
            all_per_minute: 600,
        }
    }
}
