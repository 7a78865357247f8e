//! Texts of a form, in one language or in several.

use std::{collections::BTreeMap, fmt};

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{MapAccess, Visitor},
};

/// A text: the same for everybody, or one for each language.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the two forms that definitions know")]
pub enum Text {
    /// Nothing.
    #[default]
    Empty,
    /// The same in every language.
    One(String),
    /// By language: `uk`, or `pt-BR`.
    Many(BTreeMap<String, String>),
}

impl Text {
    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::One(text) => text.is_empty(),
            Self::Many(texts) => texts.is_empty(),
        }
    }

    /// The text in `language`, or in `otherwise`, or in any.
    #[must_use]
    pub fn in_language(&self, language: &str, otherwise: &str) -> &str {
        match self {
            Self::Empty => "",
            Self::One(text) => text,
            Self::Many(texts) => texts
                .get(language)
                .or_else(|| texts.get(otherwise))
                .or_else(|| texts.values().next())
                .map_or("", String::as_str),
        }
    }

    /// The languages that it is there in.
    pub fn languages(&self) -> impl Iterator<Item = &str> {
        let texts = if let Self::Many(texts) = self { Some(texts) } else { None };
        texts.into_iter().flat_map(BTreeMap::keys).map(String::as_str)
    }
}

impl Serialize for Text {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Empty => serializer.serialize_str(""),
            Self::One(text) => serializer.serialize_str(text),
            Self::Many(texts) => texts.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Texts;
        impl<'de> Visitor<'de> for Texts {
            type Value = Text;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, or an object of texts by language")
            }

            fn visit_str<E>(self, text: &str) -> Result<Text, E> {
                Ok(if text.is_empty() { Text::Empty } else { Text::One(text.to_owned()) })
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Text, A::Error> {
                let mut texts = BTreeMap::new();
                while let Some((language, text)) = map.next_entry::<String, String>()? {
                    texts.insert(language, text);
                }
                Ok(Text::Many(texts))
            }
        }
        deserializer.deserialize_any(Texts)
    }
}
