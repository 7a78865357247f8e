//! When a form shows, and to whom. Pages decide it, by themselves: `www/rules.js`.

use std::{collections::BTreeMap, fmt};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error as _, MapAccess, Visitor},
    ser::SerializeMap as _,
};

/// When a form shows, and to whom.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Rules {
    /// What has to happen; without it, the form shows when it is called for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<When>,
    /// Who sees it.
    pub who: Who,
    /// How often.
    pub frequency: Frequency,
    /// What ends it.
    pub stop: Stop,
    /// What becomes of it inside the silent interval of the site.
    pub interval: WhenBusy,
    /// Which of several comes first: the greater number.
    pub priority: i32,
}

/// What has to happen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct When {
    /// Any of them, or all.
    pub mode: Mode,
    /// Seconds on the page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_on_page: Option<u32>,
    /// Seconds on the site.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_on_site: Option<u32>,
    /// Per cent of the page that were scrolled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scroll: Option<u8>,
    /// Pages seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pages: Option<u32>,
    /// Seconds in which nothing was done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inactive: Option<u32>,
    /// The cursor left the page.
    #[serde(skip_serializing_if = "is_false")]
    pub exit: bool,
    /// A click on what this CSS selector matches.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub click: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's way to ask")]
fn is_false(value: &bool) -> bool {
    !value
}

/// How several conditions count together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Mode {
    /// One is enough.
    #[default]
    Any,
    /// All of them.
    All,
}

/// Who sees a form.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Who {
    /// New visitors, or those who were there before.
    pub visitors: Visitors,
    /// Only those who are known as contacts, or only the others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub known: Option<bool>,
    /// On which devices; nothing for all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub device: Vec<Device>,
    /// On which pages.
    #[serde(skip_serializing_if = "PagePatterns::is_empty")]
    pub pages: PagePatterns,
    /// Values of UTM parameters, by their names without `utm_`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub utm: BTreeMap<String, Vec<String>>,
}

/// Visitors by whether they were there before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Visitors {
    /// All of them.
    #[default]
    All,
    /// Those in their first visit.
    New,
    /// Those who were there before.
    Returning,
}

/// What a visitor holds in hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Device {
    /// A large screen with a mouse.
    Desktop,
    /// A large screen to touch.
    Tablet,
    /// A small screen to touch.
    Mobile,
}

/// Pages by their paths, in which `*` stands for anything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct PagePatterns {
    /// Only on these; nothing for all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub include: Vec<String>,
    /// Not on these.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exclude: Vec<String>,
}

impl PagePatterns {
    fn is_empty(&self) -> bool {
        self.include.is_empty() && self.exclude.is_empty()
    }
}

/// How often a browser sees a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Frequency {
    /// Without limit.
    Always,
    /// Once.
    Once,
    /// Once in a session.
    Session,
    /// Once in so many seconds.
    Every(u32),
}

impl Default for Frequency {
    /// Once a day: a form that comes again and again drives people away.
    fn default() -> Self {
        Self::Every(86_400)
    }
}

impl Serialize for Frequency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Always => serializer.serialize_str("always"),
            Self::Once => serializer.serialize_str("once"),
            Self::Session => serializer.serialize_str("session"),
            Self::Every(seconds) => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry("every", seconds)?;
                map.end()
            }
        }
    }
}

impl<'de> Deserialize<'de> for Frequency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Often;
        impl<'de> Visitor<'de> for Often {
            type Value = Frequency;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"always\", \"once\", \"session\" or {\"every\": seconds}")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Frequency, E> {
                match text {
                    "always" => Ok(Frequency::Always),
                    "once" => Ok(Frequency::Once),
                    "session" => Ok(Frequency::Session),
                    _ => Err(E::invalid_value(serde::de::Unexpected::Str(text), &self)),
                }
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Frequency, A::Error> {
                let mut every = None;
                while let Some(name) = map.next_key::<String>()? {
                    if name != "every" {
                        return Err(A::Error::unknown_field(&name, &["every"]));
                    }
                    every = Some(map.next_value()?);
                }
                every.map(Frequency::Every).ok_or_else(|| A::Error::missing_field("every"))
            }
        }
        deserializer.deserialize_any(Often)
    }
}

/// What ends a form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Stop {
    /// Seconds without a touch after which it closes by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idle: Option<u32>,
    /// After so many times that it was closed, it shows no more; 0 for never.
    pub closes: u32,
    /// Which subscriptions end it; if unset, any of the site's ends those that subscribe, and none the
    /// others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after_subscription: Option<AfterSubscription>,
}

impl Default for Stop {
    fn default() -> Self {
        Self { idle: None, closes: 3, after_subscription: None }
    }
}

/// Which subscriptions end a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AfterSubscription {
    /// By any form of the site.
    Any,
    /// By this one.
    This,
    /// None.
    No,
}

/// What becomes of a form whose moment comes too soon after another one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum WhenBusy {
    /// It waits for the end of the interval.
    #[default]
    Queue,
    /// It shows all the same.
    Show,
    /// It does not show in this session.
    Drop,
}

/// The share of browsers that get a form; the same ones each time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Shares {
    /// The name of the test; forms of the same one divide the browsers among them.
    pub test: String,
    /// From here, in per cent.
    pub from: u8,
    /// Up to here, in per cent, itself not counted.
    pub to: u8,
}
