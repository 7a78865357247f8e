//! Events of the REST API in its three versions, past events, and tokens for them.

mod order_events;
mod params;
mod past;

use serde_json::{Value, json};

use self::params::Params;
use super::call::{text_of, uuid};
use super::contacts::Person;
use super::{Answer, Answered, Call, Handler, Trouble};
use crate::api::{Failure, dates, rules};
use crate::store::{Contact, Happened, State};

/// The published 20 kB, read in its stricter sense.
const MAX_BODY: usize = 20_000;

/// The longest key of a type.
const TYPE: usize = 100;

pub(super) fn handler(id: &str) -> Option<Handler> {
    Some(match id {
        "registerEvent" => first,
        "registerEvent_1" => second,
        "registerEventV3" => third,
        "sendHistoryEvents" | "sendHistoryEvents_1" | "sendHistoryEventsV3" => past::send,
        "removeHistoryEvents" => past::remove,
        "generateApiKey" => |call| Ok(token(call)),
        "getContactAuthToken" => contact_token,
        _ => return None,
    })
}

/// Writes an event down that the platform makes itself.
pub(super) fn generate(
    state: &State<'_>,
    now: i64,
    kind: &str,
    key: &str,
    contact: i64,
    params: Vec<Value>,
) -> rusqlite::Result<()> {
    state.add_event(&Happened {
        seq: 0,
        received: now,
        occurred: now,
        kind: kind.to_owned(),
        key: key.to_owned(),
        contact: Some(contact),
        source: "platform".to_owned(),
        params: Value::Array(params),
    })
}

fn first(call: &Call<'_>) -> Answered {
    let params = Params::of_list(&call.body["params"])?;
    register(call, "v1", &call.body, params, call.now)
}

fn second(call: &Call<'_>) -> Answered {
    let mut params = Params::of_list(&call.body["params"])?;
    params.forget_empty_id();
    params.check_contact_json()?;
    params.locate();
    register(call, "v2", &call.body, params, call.now)
}

/// Version 3 has no published body: the list and the map of parameters count, and so does the other
/// vocabulary that a caller was seen to use.
fn third(call: &Call<'_>) -> Answered {
    let mut event = call.body.clone();
    if event["eventTypeKey"].is_null() {
        event["eventTypeKey"] = event["eventKey"].take();
    }
    let mut params = if event["params"].is_object() {
        Params::of_map(&event["params"])
    } else {
        Params::of_list(&event["params"])?
    };
    params.add_map(&event["eventData"]);
    for name in ["contactId", "externalCustomerId", "email", "phone"] {
        if !event[name].is_null() {
            params.add(name, &event[name]);
        }
    }
    params.forget_empty_id();
    params.check_contact_json()?;
    params.locate();
    let occurred = match event["eventDate"].as_str() {
        None => call.now,
        Some(text) => {
            let wrong = || Failure::field("eventDate", "a date is expected");
            dates::parse(text).ok_or_else(wrong)?.at
        }
    };
    register(call, "v3", &event, params, occurred)
}

fn register(
    call: &Call<'_>,
    source: &str,
    event: &Value,
    params: Params,
    occurred: i64,
) -> Answered {
    if call.size > MAX_BODY {
        let status = hyper::StatusCode::BAD_REQUEST;
        let message = format!("an event has at most {MAX_BODY} bytes");
        return Err(Failure::whole(status, "too_large", message).into());
    }
    let kind = event["eventTypeKey"].as_str();
    let kind = kind.ok_or_else(|| Failure::field("eventTypeKey", "eventTypeKey is required"))?;
    rules::key("eventTypeKey", kind)?;
    if kind.chars().count() > TYPE {
        return Err(Failure::field("eventTypeKey", "at most 100 characters are possible").into());
    }
    let key = key_of(event, &params)?;
    params.check_required(call.settings, kind)?;
    let contact = find(call, &params)?;
    order_events::apply(call, kind, &params, contact.as_ref())?;
    call.state.add_event(&Happened {
        seq: 0,
        received: call.now,
        occurred,
        kind: kind.to_owned(),
        key,
        contact: contact.map(|contact| contact.id),
        source: source.to_owned(),
        params: params.into_value(),
    })?;
    Ok(Answer::nothing())
}

/// The event's own key, else the first identifier among its parameters.
fn key_of(event: &Value, params: &Params) -> Result<String, Failure> {
    if let Some(key) = event["keyValue"].as_str().filter(|key| !key.trim().is_empty()) {
        rules::key("keyValue", key)?;
        return Ok(key.to_owned());
    }
    let missing = || {
        let message = "keyValue, or one of the parameters contactId, externalCustomerId, email, \
            phone and pushToken, is required";
        Failure::field("keyValue", message)
    };
    params.identifier().ok_or_else(missing)
}

/// Whom an event is about, as far as its parameters tell. An event makes no contacts.
fn find(call: &Call<'_>, params: &Params) -> Result<Option<Contact>, Trouble> {
    let id = params.contact_id().and_then(|id| id.parse().ok());
    if let Some(id) = id
        && let Some(contact) = call.state.contact(id)?
    {
        return Ok(Some(contact));
    }
    let (external_id, email) = (params.external_id(), params.email());
    let (phone, token) = (params.phone(), params.push_token());
    let mut person = Person::of(external_id.as_deref(), email.as_deref(), phone.as_deref());
    person.channels.extend(token.as_deref().map(|token| ("mobilepush", token)));
    Ok(person.find(call.state)?)
}

/// Makes a token for the three operations that take one.
fn token(call: &Call<'_>) -> Answer {
    let token = uuid();
    let now = u64::try_from(call.now).unwrap_or_default();
    call.tokens.add(token.clone(), now.saturating_add(call.settings.token_ms));
    Answer::json(json!(token))
}

/// Makes a token of a contact, an empty one where nobody is found. A browser is found by its cookie, as
/// long as the settings do not say otherwise.
fn contact_token(call: &Call<'_>) -> Answered {
    let text = |name: &str| text_of(&call.body[name]);
    let external_id = text("externalCustomerId").or_else(|| text("extid"));
    let (email, phone) = (text("email"), text("phone"));
    let person = Person::of(external_id.as_deref(), email.as_deref(), phone.as_deref());
    let found = person.find(call.state)?.filter(|contact| !contact.deleted);
    let cookie = text("cookie").filter(|id| !call.settings.unknown_web_ids.contains(id));
    let whose = found.map(|contact| contact.id.to_string()).or(cookie);
    let token = whose.map(|whose| {
        let now = u64::try_from(call.now).unwrap_or_default();
        call.tokens.add_of_contact(whose, now.saturating_add(call.settings.token_ms))
    });
    Ok(Answer::json(json!({ "token": token.unwrap_or_default() })))
}
