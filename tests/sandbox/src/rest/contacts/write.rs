//! Merging what a request says into a contact, and showing the contact again.

use serde_json::{Map, Value, json};

use super::form::field_id;
use crate::api::rules;
use crate::rest::call::text_of;
use crate::store::{Contact, State};

/// Members that are plain values.
const PLAIN: [&str; 6] =
    ["firstName", "lastName", "languageCode", "timeZone", "contactKey", "addressBookId"];

/// Members of the address; `contactFields` names four of them one by one.
const ADDRESS: [&str; 5] = ["region", "town", "address", "postcode", "countryCode"];

/// Kinds of channels; `contactFields` names the first four.
const CHANNELS: [&str; 8] =
    ["email", "sms", "mobilepush", "webpush", "viber", "appinbox", "widget", "inapp"];

/// Kinds of which a contact has one per device, so that a new one stands beside the old ones.
const OF_DEVICES: [&str; 2] = ["mobilepush", "webpush"];

/// What a request says about a contact, and how much of it counts.
#[derive(Debug)]
pub(super) struct Change<'a> {
    pub(super) given: &'a Value,
    /// The standard fields that are overwritten, with nothing where nothing is given; None for those
    /// that are given.
    pub(super) standard: Option<Vec<&'a str>>,
    /// The custom fields that are overwritten; None for all that are given.
    pub(super) custom: Option<Vec<i64>>,
    /// Channels that the contact has stay as they are.
    pub(super) keeps_channels: bool,
    /// The kind of channel that found the contact, which stays as it is.
    pub(super) found_by: Option<&'a str>,
}

impl<'a> Change<'a> {
    /// Everything that is given.
    pub(super) fn whole(given: &'a Value) -> Self {
        Self { given, standard: None, custom: None, keeps_channels: false, found_by: None }
    }

    /// Whether a standard field is overwritten.
    pub(super) fn covers(&self, name: &str, is_given: bool) -> bool {
        self.standard.as_ref().map_or(is_given, |standard| standard.contains(&name))
    }

    pub(super) fn apply(&self, contact: &mut Contact) {
        if !contact.body.is_object() {
            contact.body = json!({});
        }
        for name in PLAIN {
            let value = &self.given[name];
            if self.covers(name, !value.is_null()) && is_storable(name, value) {
                set(&mut contact.body, name, value.clone());
            }
        }
        let mut address = contact.body["address"].take();
        for name in ADDRESS {
            let value = &self.given["address"][name];
            if self.covers(name, !value.is_null()) {
                set(&mut address, name, value.clone());
            }
        }
        set(&mut contact.body, "address", address);
        self.apply_channels(contact);
        self.apply_fields(contact);
    }

    fn apply_channels(&self, contact: &mut Contact) {
        let mut channels = list(&contact.body["channels"]);
        let given = list(&self.given["channels"]);
        for kind in CHANNELS {
            let new: Vec<&Value> = given.iter().filter(|channel| channel["type"] == kind).collect();
            let has = channels.iter().any(|channel| channel["type"] == kind);
            if !self.covers(kind, !new.is_empty())
                || (self.keeps_channels && has)
                || self.found_by == Some(kind)
            {
                continue;
            }
            let stays = OF_DEVICES.contains(&kind) && !new.is_empty();
            channels.retain(|channel| {
                channel["type"] != kind
                    || (stays && new.iter().all(|new| new["value"] != channel["value"]))
            });
            channels.extend(new.into_iter().cloned());
        }
        contact.body["channels"] = Value::Array(channels);
    }

    fn apply_fields(&self, contact: &mut Contact) {
        let mut fields = list(&contact.body["fields"]);
        let given = list(&self.given["fields"]);
        for field in &given {
            let Some(id) = field_id(&field["id"]) else { continue };
            if self.custom.as_ref().is_some_and(|custom| !custom.contains(&id)) {
                continue;
            }
            fields.retain(|old| old["id"] != id);
            let value = field["value"].as_str().unwrap_or_default();
            if !value.is_empty() {
                fields.push(json!({ "id": id, "value": value }));
            }
        }
        // Listed and not given: nothing.
        for id in self.custom.iter().flatten() {
            if !given.iter().any(|field| field_id(&field["id"]) == Some(*id)) {
                fields.retain(|old| old["id"] != *id);
            }
        }
        contact.body["fields"] = Value::Array(fields);
    }
}

/// Names against the rules are left out; the contact is kept.
fn is_storable(name: &str, value: &Value) -> bool {
    match (name, value.as_str()) {
        ("firstName", Some(text)) => rules::is_first_name(text),
        ("lastName", Some(text)) => rules::is_last_name(text),
        _ => true,
    }
}

fn set(object: &mut Value, name: &str, value: Value) {
    if !object.is_object() {
        *object = json!({});
    }
    let Some(members) = object.as_object_mut() else { return };
    match value {
        Value::Null => {
            members.remove(name);
        }
        Value::String(text) => {
            members.insert(name.to_owned(), json!(text.trim()));
        }
        other => {
            members.insert(name.to_owned(), other);
        }
    }
}

fn list(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_default()
}

/// A contact with nothing in it.
pub(super) fn new(now: i64, confirmed: bool) -> Contact {
    Contact {
        id: 0,
        external_id: None,
        created: now,
        updated: now,
        deleted: false,
        confirmed,
        body: json!({}),
    }
}

/// Stores a contact as changed now, together with everything that finds it.
pub(in crate::rest) fn put(
    state: &State<'_>,
    contact: &mut Contact,
    now: i64,
) -> rusqlite::Result<()> {
    contact.updated = now;
    let channels = contact.body["channels"].as_array().into_iter().flatten();
    let mut locators: Vec<(String, String)> = channels
        .filter_map(|channel| {
            let kind = channel["type"].as_str()?;
            Some((kind.to_owned(), rules::normal(kind, channel["value"].as_str()?)))
        })
        .collect();
    for field in contact.body["fields"].as_array().into_iter().flatten() {
        if let Some(value) = text_of(&field["value"]) {
            locators.push((format!("field {}", field["id"]), value));
        }
    }
    state.put_contact(contact, &locators)
}

/// The value of a contact's first channel of a kind.
pub(super) fn channel<'a>(contact: &'a Value, kind: &str) -> Option<&'a str> {
    let mut channels = contact["channels"].as_array()?.iter();
    channels.find(|channel| channel["type"] == kind)?["value"].as_str()
}

/// A contact as the API shows it, without its segments.
pub(super) fn view(contact: &Contact) -> Map<String, Value> {
    let mut shown = contact.body.as_object().cloned().unwrap_or_default();
    shown.insert("id".to_owned(), json!(contact.id));
    if let Some(external_id) = &contact.external_id {
        shown.insert("externalCustomerId".to_owned(), json!(external_id));
    }
    shown
}
