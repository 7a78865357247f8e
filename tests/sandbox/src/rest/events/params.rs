//! The parameters of an event: names, each once, and values.

use std::fmt::Write as _;
use std::net::IpAddr;

use serde_json::{Map, Value, json};

use crate::api::{Failure, rules};
use crate::rest::call::text_of;
use crate::settings::Settings;

/// Names of parameters that tell the contact, in any case of their letters.
const CONTACT_ID: &[&str] = &["contactid", "contact_id"];
const EXTERNAL_ID: &[&str] = &["externalcustomerid", "contactkey", "contact_key"];
const EMAIL: &[&str] = &["email", "emailaddress", "useremail", "contactemail"];
const PHONE: &[&str] = &["phone", "sms", "phonenumber"];
const TOKEN: &[&str] = &["pushtoken"];

/// What an address of the internet adds, unless one of these is there. The stand-in knows one place.
const PLACE: [(&str, &str); 6] = [
    ("countryCode", "UA"),
    ("countryId", "1"),
    ("regionName", "Kyiv"),
    ("regionId", "1"),
    ("cityName", "Kyiv"),
    ("cityId", "1"),
];

/// The parameters of one event.
#[derive(Debug)]
pub(super) struct Params(Map<String, Value>);

impl Params {
    /// Reads a list of objects with `name` and `value`.
    pub(super) fn of_list(list: &Value) -> Result<Self, Failure> {
        let mut params = Map::new();
        for (index, param) in list.as_array().into_iter().flatten().enumerate() {
            let place = format!("params[{index}].name");
            let name = param["name"].as_str().unwrap_or_default();
            if name.trim().is_empty() {
                return Err(Failure::field(place, "the name is empty"));
            }
            if params.insert(name.to_owned(), param["value"].clone()).is_some() {
                return Err(Failure::field(place, format!("{name} is there twice")));
            }
        }
        Ok(Self(params))
    }

    /// Reads an object whose members are the parameters.
    pub(super) fn of_map(map: &Value) -> Self {
        Self(map.as_object().cloned().unwrap_or_default())
    }

    pub(super) fn add_map(&mut self, map: &Value) {
        self.0.extend(map.as_object().cloned().unwrap_or_default());
    }

    pub(super) fn add(&mut self, name: &str, value: &Value) {
        self.0.entry(name).or_insert_with(|| value.clone());
    }

    /// The list again.
    pub(super) fn into_value(self) -> Value {
        self.0.into_iter().map(|(name, value)| json!({ "name": name, "value": value })).collect()
    }

    pub(super) fn get(&self, name: &str) -> &Value {
        self.0.get(name).unwrap_or(&Value::Null)
    }

    fn first(&self, names: &[&str]) -> Option<String> {
        let is_one = |name: &str| names.contains(&name.to_lowercase().as_str());
        self.0.iter().filter(|(name, _)| is_one(name)).find_map(|(_, value)| text_of(value))
    }

    pub(super) fn contact_id(&self) -> Option<String> {
        self.first(CONTACT_ID)
    }

    pub(super) fn external_id(&self) -> Option<String> {
        self.first(EXTERNAL_ID)
    }

    pub(super) fn email(&self) -> Option<String> {
        self.first(EMAIL)
    }

    pub(super) fn phone(&self) -> Option<String> {
        self.first(PHONE)
    }

    pub(super) fn push_token(&self) -> Option<String> {
        self.first(TOKEN)
    }

    /// What stands for the key of an event without one.
    pub(super) fn identifier(&self) -> Option<String> {
        [CONTACT_ID, EXTERNAL_ID, EMAIL, PHONE, TOKEN].iter().find_map(|names| self.first(names))
    }

    /// An id of the caller's own that is empty or spells null is none.
    pub(super) fn forget_empty_id(&mut self) {
        let empty = match self.0.get("externalCustomerId") {
            Some(Value::Null) => true,
            Some(Value::String(text)) => matches!(text.trim(), "" | "null"),
            _ => false,
        };
        if empty {
            self.0.remove("externalCustomerId");
        }
    }

    /// Judges the parameter that describes a contact.
    pub(super) fn check_contact_json(&self) -> Result<(), Failure> {
        let Some(value) = self.0.get("contactJson") else { return Ok(()) };
        let wrong =
            |member: &str, message: &str| Failure::field(format!("contactJson{member}"), message);
        let contact = match value {
            Value::String(text) => serde_json::from_str(text).unwrap_or_default(),
            other => other.clone(),
        };
        let contact = contact.as_object().ok_or_else(|| wrong("", "an object is expected"))?;
        for name in [
            "firstname",
            "lastname",
            "sms",
            "email",
            "town",
            "region",
            "address",
            "timeZone",
            "languageCode",
        ] {
            if contact.get(name).is_some_and(|value| !value.is_string() && !value.is_null()) {
                return Err(wrong(&format!(".{name}"), "text is expected"));
            }
        }
        if let Some(email) = contact.get("email").and_then(Value::as_str)
            && !rules::is_email(email.trim())
        {
            return Err(wrong(".email", "a mail address is expected"));
        }
        let inputs = contact.get("profileInputs").unwrap_or(&Value::Null);
        if !inputs.is_null() && !inputs.is_array() {
            return Err(wrong(".profileInputs", "a list is expected"));
        }
        for (index, input) in inputs.as_array().into_iter().flatten().enumerate() {
            if !input["profileInputId"].is_i64() {
                let member = format!(".profileInputs[{index}].profileInputId");
                return Err(wrong(&member, "a number is expected"));
            }
        }
        Ok(())
    }

    /// Adds the place that goes with the parameter `ip`.
    pub(super) fn locate(&mut self) {
        let ip = self.0.get("ip").and_then(Value::as_str);
        let is_ip = ip.is_some_and(|ip| ip.parse::<IpAddr>().is_ok());
        if is_ip && PLACE.iter().all(|(name, _)| !self.0.contains_key(*name)) {
            self.0.extend(PLACE.map(|(name, value)| (name.to_owned(), json!(value))));
        }
    }

    /// Refuses an event whose type is validated and that lacks a parameter.
    pub(super) fn check_required(&self, settings: &Settings, kind: &str) -> Result<(), Failure> {
        let Some(required) = settings.required_event_params.get(kind) else { return Ok(()) };
        if required.iter().all(|name| self.0.contains_key(name)) {
            return Ok(());
        }
        let mut text = "The event should have the following params: [".to_owned();
        for (index, name) in required.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            let _ = write!(text, "{comma}\n    {{\"name\": \"{name}\", \"required\": true}}");
        }
        text.push_str("\n]");
        Err(Failure::whole(hyper::StatusCode::BAD_REQUEST, "params", text))
    }
}
