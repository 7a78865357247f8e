//! Events of the shop's own types, now and in the past, in the three versions of the platform.
//!
//! Versions 2 and 3 take any JSON as a parameter's value, version 1 only text. The web tracker's events
//! are another matter: see [`crate::event`].

mod parameter;
mod past;

pub use self::{
    parameter::{EventText, Parameter, Parameters, TextParameter, TextParameters},
    past::{
        AddPastEventsV1, AddPastEventsV2, AddPastEventsV3, DeletePastEvents, MAX_PAST_EVENTS,
        PastEvent, PastEventResult, PastEventResults, PastEventStatus, PastEvents, PastTextEvent,
        PastTextEvents, Period,
    },
};
use super::{
    answer::Nothing,
    macros::{endpoint, shape},
    shape::{Reader, Shape},
    text::{EventKey, EventTypeKey},
};
use crate::{
    problem::Code,
    value::{Members, Value, is_blank},
};

/// Longest event, in bytes. The platform's support can raise it.
pub const MAX_EVENT: usize = 20_000;

/// Whether the platform makes or changes an order out of events of this type, whoever's it is.
#[must_use]
pub fn writes_orders(event_type_key: &str) -> bool {
    const KEYS: [&str; 4] = ["orderCreated", "orderUpdated", "orderDelivered", "orderCancelled"];
    KEYS.iter().any(|key| key.eq_ignore_ascii_case(event_type_key))
}

shape! {
    /// An event whose parameters may hold any JSON.
    Event check check_event {
        /// Its type; the platform makes it where it is new.
        req event_type_key: EventTypeKey = "eventTypeKey" | "eventKey",
        /// What tells it apart, or whose it is. Without it the first of the parameters contactId,
        /// externalCustomerId, email, phone and pushToken is.
        opt key_value: EventKey = "keyValue",
        /// Its parameters.
        opt params: Parameters = "params" | "eventData",
    }
}

fn check_event(event: &Event, reader: &mut Reader) {
    let list = event.params.as_ref().map_or(&[][..], |params| &params.0);
    let params = list.iter().filter_map(|param| {
        let value = param.value.as_ref()?;
        let text = match value {
            Value::Text(text) | Value::Number(text) => text.as_str(),
            _ => return None,
        };
        Some((param.name.as_ref()?.as_str(), text))
    });
    check_key(event.key_value.is_some(), params, &event.other, reader);
    check_size(event, reader);
}

shape! {
    /// An event whose parameters are text (version 1).
    TextEvent check check_text_event {
        /// Its type; the platform makes it where it is new.
        req event_type_key: EventTypeKey = "eventTypeKey",
        /// What tells it apart, or whose it is; see [`Event::key_value`].
        opt key_value: EventKey = "keyValue",
        /// Its parameters.
        opt params: TextParameters = "params",
    }
}

fn check_text_event(event: &TextEvent, reader: &mut Reader) {
    let list = event.params.as_ref().map_or(&[][..], |params| &params.0);
    let params = list.iter().filter_map(|param| {
        Some((param.name.as_ref()?.as_str(), param.value.as_ref()?.0.as_str()))
    });
    check_key(event.key_value.is_some(), params, &event.other, reader);
    check_size(event, reader);
}

/// Names of parameters that say whose an event is, in small letters without separators.
const IDENTIFIERS: [&str; 11] = [
    "contactid",
    "externalcustomerid",
    "email",
    "emailaddress",
    "useremail",
    "contactemail",
    "phone",
    "sms",
    "phonenumber",
    "pushtoken",
    "contactkey",
];

/// Whether a parameter of this name says whose an event is.
pub(crate) fn is_identifier(name: &str) -> bool {
    let plain: String = name
        .chars()
        .filter(|c| !matches!(c, '_' | '-' | ' '))
        .flat_map(char::to_lowercase)
        .collect();
    IDENTIFIERS.contains(&plain.as_str())
}

/// Without a key and without a parameter that says whose it is, the platform refuses an event.
fn check_key<'a>(
    has_key: bool,
    mut params: impl Iterator<Item = (&'a str, &'a str)>,
    beside: &Members,
    reader: &mut Reader,
) {
    // A blank one, or the word null, counts as none (platform's guide on version 2).
    let says = |name: &str, text: &str| {
        is_identifier(name) && !is_blank(text) && !text.eq_ignore_ascii_case("null")
    };
    let known = has_key
        || params.any(|(name, text)| says(name, text))
        || beside.iter().any(|(name, value)| match value {
            Value::Text(text) | Value::Number(text) => says(name, text),
            _ => false,
        });
    if !known {
        let fix = "give keyValue, or a parameter contactId, externalCustomerId, email, phone or pushToken";
        reader.fail_at("keyValue", Code::MissingField, fix);
    }
}

fn check_size(event: &impl Shape, reader: &mut Reader) {
    if event.write().to_json().len() > MAX_EVENT {
        reader.fail(Code::TooLong, "send events of at most 20 kB");
    }
}

endpoint! {
    /// Makes an event whose parameters are text. Version 2 takes any JSON.
    AddEventV1 = "registerEvent", Events, Post "/v1/event", EventsV1, Acts => Nothing {
        /// The event.
        body event: TextEvent,
    }
}

endpoint! {
    /// Makes an event.
    AddEventV2 = "registerEvent_1", Events, Post "/v2/event", EventsV2, Acts => Nothing {
        /// The event.
        body event: Event,
    }
}

endpoint! {
    /// Makes an event. What is documented of version 3 is what version 2 does.
    AddEventV3 = "registerEventV3", Events, Post "/v3/event", EventsV3, Acts => Nothing {
        /// The event.
        body event: Event,
    }
}
