//! What an account of the platform has, as far as settings say.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The published groups of rights.
pub(super) const GROUPS: [&str; 6] =
    ["general", "contact-update", "contact-read", "activity", "events", "messages"];

/// A key of the REST API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ApiKey {
    /// For everything.
    Full(String),
    /// For the operations of some groups.
    Limited {
        /// The key itself.
        key: String,
        /// `general`, `contact-update`, `contact-read`, `activity`, `events` or `messages`.
        groups: Vec<String>,
    },
}

impl ApiKey {
    /// The key itself.
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Full(key) | Self::Limited { key, .. } => key,
        }
    }

    /// The groups that it is limited to; none for a key for everything.
    pub(crate) fn groups(&self) -> &[String] {
        match self {
            Self::Full(_) => &[],
            Self::Limited { groups, .. } => groups,
        }
    }
}

/// What support switches on for an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Feature {
    /// `GET /v2/contacts/activity`.
    ContactActivity,
    /// `DELETE /v1/past_events`.
    PastEventsRemoval,
}

/// The shape of answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Quirks {
    /// As the platform answers: a list of one is the one, numbers are sometimes text.
    Real,
    /// As the schemas say.
    Clean,
}

/// A custom field of contacts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CustomField {
    /// Its number, which contacts name it by.
    pub id: i32,
    /// Its name for people.
    pub name: String,
    /// Its key in files.
    pub key: String,
    /// What its values are.
    #[serde(rename = "type")]
    pub kind: FieldKind,
    /// The only values, where the kind has such.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
}

/// What the values of a custom field are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[expect(missing_docs, reason = "the names are the platform's own")]
pub enum FieldKind {
    TextField,
    ComboBox,
    CheckBoxList,
    TextArea,
    Date,
    Number,
    DateTime,
    Decimal,
    Tags,
}

/// Those that the official samples use.
pub(super) fn custom_fields() -> Vec<CustomField> {
    let field = |id, name: &str, key: &str, kind, values: &[&str]| CustomField {
        id,
        name: name.to_owned(),
        key: key.to_owned(),
        kind,
        values: values.iter().map(|value| (*value).to_owned()).collect(),
    };
    vec![
        field(10_001, "First visit", "FIRST_VISIT", FieldKind::TextField, &[]),
        field(12_345, "Profession", "PROFESSION", FieldKind::TextField, &[]),
        field(12_346, "Birthday", "BIRTHDAY", FieldKind::Date, &[]),
        field(12_347, "Gender", "GENDER", FieldKind::ComboBox, &["M", "F"]),
        field(12_348, "Children", "CHILDREN", FieldKind::Number, &[]),
    ]
}

/// One of the vendor's example, one about a page's product, one about its category.
pub(super) fn mobile_variants() -> BTreeMap<String, Vec<String>> {
    let variant = |id: &str, needs: &[&str]| {
        (id.to_owned(), needs.iter().map(|name| (*name).to_owned()).collect())
    };
    BTreeMap::from([
        variant("r1107v1482", &[]),
        variant("r1107v1483", &["products"]),
        variant("r1107v1484", &["category"]),
    ])
}

pub(super) fn senders() -> BTreeMap<String, Vec<String>> {
    let list = |channel: &str, sender: &str| (channel.to_owned(), vec![sender.to_owned()]);
    BTreeMap::from([
        list("email", "\"Shop\" <shop@example.com>"),
        list("sms", "Shop"),
        list("viber", "Shop"),
    ])
}
