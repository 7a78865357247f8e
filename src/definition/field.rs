//! Pages and fields of a form.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Text;
use crate::form::check;

/// A page of a form.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Page {
    /// Its title.
    #[serde(skip_serializing_if = "Text::is_empty")]
    pub title: Text,
    /// What stands below the title.
    #[serde(skip_serializing_if = "Text::is_empty")]
    pub text: Text,
    /// A picture above or beside it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<Picture>,
    /// What is asked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<Field>,
    /// What stands on its button; the kit has its own words.
    #[serde(skip_serializing_if = "Text::is_empty")]
    pub button: Text,
    /// Where the button of an informer leads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

/// A picture.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Picture {
    /// Its address.
    pub url: String,
    /// What it shows, for those who do not see it; nothing for an ornament.
    #[serde(skip_serializing_if = "Text::is_empty")]
    pub alt: Text,
    /// Its width in pixels, which keeps its place while it loads.
    pub width: u32,
    /// Its height in pixels.
    pub height: u32,
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Field {
    /// What it asks for.
    #[serde(serialize_with = "write_kind", deserialize_with = "read_kind")]
    pub kind: check::Kind,
    /// The id of the contact's additional field that it fills.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<u32>,
    /// In a request: the event's parameter that it fills.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub param: Option<String>,
    /// Whether it must be filled in.
    #[serde(default)]
    pub required: bool,
    /// What stands above it; the kit has its own words for what is common.
    #[serde(default, skip_serializing_if = "Text::is_empty")]
    pub label: Text,
    /// What stands in it while it is empty.
    #[serde(default, skip_serializing_if = "Text::is_empty")]
    pub placeholder: Text,
    /// What stands below it.
    #[serde(default, skip_serializing_if = "Text::is_empty")]
    pub hint: Text,
    /// Most characters of a text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_length: Option<u32>,
    /// Least number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<i32>,
    /// Greatest number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<i32>,
    /// What there is to choose from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<Select>,
    /// The country of a phone number that is written without one, as in `UA`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// The countries that phone numbers may be of; nothing for all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub countries: Vec<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's way to ask")]
fn write_kind<S: Serializer>(kind: &check::Kind, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(kind.as_str())
}

fn read_kind<'de, D: Deserializer<'de>>(deserializer: D) -> Result<check::Kind, D::Error> {
    let name = String::deserialize(deserializer)?;
    check::Kind::named(&name).ok_or_else(|| {
        let names: Vec<&str> = check::Kind::ALL.into_iter().map(check::Kind::as_str).collect();
        serde::de::Error::custom(["give one of ", &names.join(", ")].concat())
    })
}

impl Field {
    /// The name of its input: that of the contact's member, the id of its additional field, or the
    /// event's parameter.
    #[must_use]
    pub fn name(&self) -> String {
        let own = match self.kind {
            check::Kind::Email => "email",
            check::Kind::Phone => "phone",
            check::Kind::FirstName => "firstName",
            check::Kind::LastName => "lastName",
            check::Kind::Subscriptions => "subscriptions",
            _ => {
                let id = self.field.map(|id| id.to_string());
                // A consent alone says something without being stored.
                let other = || self.param.clone().unwrap_or_else(|| self.kind.as_str().to_owned());
                return id.unwrap_or_else(other);
            }
        };
        own.to_owned()
    }

    /// What is known of it when its input is checked.
    #[must_use]
    pub fn checked(&self) -> check::Field {
        let mut field = check::Field::new(self.name(), self.kind);
        field.required = self.required;
        field.max = self.max_length.unwrap_or_default();
        field.at_least = self.min;
        field.at_most = self.max;
        field.options = self.options.iter().map(|option| option.value.clone()).collect();
        field.region.clone_from(&self.country);
        field.regions.clone_from(&self.countries);
        field
    }
}

/// Something to choose.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Select {
    /// What the platform gets.
    pub value: String,
    /// What people read.
    #[serde(skip_serializing_if = "Text::is_empty")]
    pub label: Text,
    /// Whether it is chosen from the start.
    pub checked: bool,
}
