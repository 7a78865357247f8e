//! Tokens of the shop's servers, and what they open.

use serde::{Deserialize, Serialize};

use crate::api::Chapter;

/// A token of a shop's server. What it is, a secret of its name says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Token {
    /// What it opens: chapters of the REST API, `tracker` for events, `queue` for what was refused.
    pub scopes: Vec<Scope>,
}

/// What a token opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Scope {
    /// Operations of a chapter of the REST API.
    Chapter(Chapter),
    /// Events in the tracker's own form.
    Tracker,
    /// The ledger, what the platform refused, and erasing what is held of persons.
    Queue,
}

impl Scope {
    /// Every scope.
    pub fn all() -> impl Iterator<Item = Self> {
        let chapters = Chapter::ALL.into_iter().map(Self::Chapter);
        [Self::Tracker, Self::Queue].into_iter().chain(chapters)
    }

    /// Its name in settings.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Chapter(chapter) => chapter.as_str(),
            Self::Tracker => "tracker",
            Self::Queue => "queue",
        }
    }
}

impl Serialize for Scope {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Scope {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let known = Self::all().find(|scope| scope.as_str() == name);
        known.ok_or_else(|| {
            let names: Vec<&str> = Self::all().map(Self::as_str).collect();
            serde::de::Error::custom(format!("give one of {}", names.join(", ")))
        })
    }
}

impl Token {
    /// The name of the secret that holds the token, or several of them with spaces between.
    #[must_use]
    pub fn secret(name: &str) -> String {
        ["KIT_TOKEN_", &name.to_ascii_uppercase()].concat()
    }
}
