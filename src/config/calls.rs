//! What pages may call beside tracking, and with what in it.

use serde::{Deserialize, Serialize};

use super::Error;
use crate::api::{event::writes_orders, text::EventTypeKey};

/// What a site's pages may call. Nothing, unless the shop opens it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Calls {
    /// What pages may write of a contact: `email`, `phone`, `firstName`, `lastName`, `languageCode`,
    /// `timeZone`, `town`, `region`, `address`, `postcode`, and additional fields by their ids.
    pub contact_fields: Vec<String>,
    /// Those of them that pages may write without a proof, beside one address. Whoever gives a known
    /// address overwrites them.
    pub unproven_fields: Vec<String>,
    /// Static segments that a page's contacts join.
    pub segments: Vec<String>,
    /// The form's name of subscriptions that pages make.
    pub form_type: Option<String>,
    /// The type of an event that is made for each new contact that a proof came with.
    pub event_key: Option<String>,
    /// Tokens that pages may have.
    pub tokens: Vec<PageToken>,
    /// Whether pages may send orders, with a proof.
    pub orders: bool,
    /// Types of events that pages may make.
    pub events: Vec<String>,
    /// Types of events that pages may make with a proof alone.
    pub proven_events: Vec<String>,
}

/// A token of the platform that pages can have. That of events is none of them: it opens making and
/// deleting events of anybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum PageToken {
    /// Of a contact, for the inbox and for recommendations.
    Contact,
}

/// Fields of a contact that pages can be let write, beside additional ones.
pub const CONTACT_FIELDS: [&str; 10] = [
    "email",
    "phone",
    "firstName",
    "lastName",
    "languageCode",
    "timeZone",
    "town",
    "region",
    "address",
    "postcode",
];

impl Calls {
    /// Whether anything is open.
    #[must_use]
    pub fn is_open(&self) -> bool {
        *self != Self::default()
    }

    pub(super) fn errors(&self, site: &str) -> Vec<Error> {
        let mut errors = Vec::new();
        let mut wrong = |setting: &str, fix: &str| {
            errors
                .push(Error { setting: format!("sites.{site}.calls.{setting}"), fix: fix.into() });
        };
        for (index, field) in self.contact_fields.iter().enumerate() {
            let is_id = field.parse::<i32>().is_ok_and(|id| id > 0);
            if !is_id && !CONTACT_FIELDS.contains(&field.as_str()) {
                let fix = "name a field of contacts, or an additional one by its id: \"12345\"";
                wrong(&format!("contact_fields[{index}]"), fix);
            }
        }
        for (index, field) in self.unproven_fields.iter().enumerate() {
            if !self.contact_fields.contains(field) {
                wrong(&format!("unproven_fields[{index}]"), "open it in contact_fields first");
            }
        }
        let contact = !self.contact_fields.is_empty();
        let reachable =
            self.contact_fields.iter().any(|field| matches!(field.as_str(), "email" | "phone"));
        if contact && !reachable {
            wrong("contact_fields", "open \"email\" or \"phone\": a contact must be reachable");
        }
        if !contact && (!self.segments.is_empty() || self.form_type.is_some()) {
            wrong(
                "contact_fields",
                "say what pages may write of a contact: [\"email\", \"firstName\"]",
            );
        }
        let keys = [("events", &self.events), ("proven_events", &self.proven_events)];
        for (name, list) in keys {
            for (index, key) in list.iter().enumerate() {
                if key.is_empty() || EventTypeKey::parse(key.as_str()).is_err() {
                    wrong(&format!("{name}[{index}]"), "name a type of events: \"callRequested\"");
                } else if writes_orders(key) {
                    let fix = "leave it out, the platform writes orders out of it; open orders";
                    wrong(&format!("{name}[{index}]"), fix);
                }
            }
        }
        for (name, key) in [("form_type", &self.form_type), ("event_key", &self.event_key)] {
            if key.as_ref().is_some_and(|key| EventTypeKey::parse(key.as_str()).is_err()) {
                wrong(
                    name,
                    "leave out < > ; \\ / | \" ` ' ’ ^ ? ! and commas; 100 characters at most",
                );
            }
        }
        errors
    }
}
