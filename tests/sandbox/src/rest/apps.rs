//! Tokens of mobile applications and of Telegram.

use serde_json::{Value, json};

use super::call::text_of;
use super::contacts::{self, Person};
use super::{Answer, Answered, Call, Handler, Trouble};
use crate::api::{Failure, dates};
use crate::store::{Contact, Doc};

const MUTED: &str = "muted";

/// 9999-12-31T23:59:59, until when whoever names no duration is muted.
const FOREVER: i64 = 253_402_300_799_000;

pub(super) fn handler(id: &str) -> Option<Handler> {
    Some(match id {
        "addAppTokens" => add,
        "muteAppToken" => mute,
        "unmuteAppToken" => unmute,
        "getTokenActivated" => activated,
        "changeTokenActivated" => activate,
        _ => return None,
    })
}

/// The application of the path.
fn app<'a>(call: &'a Call<'_>) -> Result<&'a str, Failure> {
    let app = call.text("app_uuid").unwrap_or_default();
    let parts: Vec<&str> = app.split('-').collect();
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    let is_hex = |part: &&str| part.bytes().all(|byte| byte.is_ascii_hexdigit());
    if lengths != [8, 4, 4, 4, 12] || !parts.iter().all(is_hex) {
        return Err(Failure::field("app_uuid", "Wrong app uuid"));
    }
    let known = &call.settings.apps;
    if !known.is_empty() && !known.iter().any(|one| one.eq_ignore_ascii_case(app)) {
        return Err(Failure::not_found("Not registered application"));
    }
    Ok(app)
}

/// Adds tokens to contacts, beside the tokens that they have.
fn add(call: &Call<'_>) -> Answered {
    let app = app(call)?;
    let tokens = call.body["tokens"].as_array().map(Vec::as_slice).unwrap_or_default();
    if tokens.is_empty() {
        return Err(Failure::field("tokens", "Tokens must be specified").into());
    }
    for (index, token) in tokens.iter().enumerate() {
        let place = format!("tokens[{index}]");
        let Some(text) = text_of(&token["token"]) else {
            return Err(Failure::field(format!("{place}.token"), "Tokens must be specified").into());
        };
        let contact = owner(call, token, &place)?;
        let device = json!({ "appId": app, "active": true });
        let channel = json!({ "type": "mobilepush", "value": text, "device": device });
        contacts::add_channel(call.state, contact, &channel, call.now)?;
    }
    Ok(Answer::json(json!("OK")))
}

fn owner(call: &Call<'_>, token: &Value, place: &str) -> Result<Contact, Trouble> {
    if let Some(id) = token["contactId"].as_i64()
        && let Some(contact) = call.state.contact(id)?
    {
        return Ok(contact);
    }
    let text = |name: &str| text_of(&token[name]);
    let (external_id, email, phone) = (text("externalCustomerId"), text("email"), text("phone"));
    // Here the phone comes before the mail.
    let mut person = Person::of(external_id.as_deref(), email.as_deref(), phone.as_deref());
    person.channels.reverse();
    if person.external_id.is_none() && person.channels.is_empty() {
        let message = "a known contactId, externalCustomerId, phone or email is required";
        return Err(Failure::field(format!("{place}.contactId"), message).into());
    }
    contacts::ensure(call.state, call.now, &person, &Value::Null)
}

/// The name under which a token is muted.
fn muted_name(call: &Call<'_>) -> Result<String, Failure> {
    let app = app(call)?;
    let token = text_of(&call.body["token"]);
    let token = token.ok_or_else(|| Failure::field("token", "Tokens must be specified"))?;
    Ok(format!("{app} {token}"))
}

fn mute(call: &Call<'_>) -> Answered {
    let name = muted_name(call)?;
    let seconds = call.body["duration"].as_i64();
    let until = seconds.map_or(FOREVER, |seconds| call.now + seconds * 1000);
    let id = match call.state.doc_named(MUTED, &name)? {
        Some(known) => known.id,
        None => call.state.next_id(MUTED)?,
    };
    let body = json!({ "until": dates::format(until) });
    call.state.put_doc(MUTED, &Doc { id, name: Some(name), at: until, body })?;
    Ok(Answer::json(json!("OK")))
}

fn unmute(call: &Call<'_>) -> Answered {
    let name = muted_name(call)?;
    if let Some(known) = call.state.doc_named(MUTED, &name)? {
        call.state.delete_doc(MUTED, known.id)?;
    }
    Ok(Answer::json(json!("OK")))
}

/// The contact with a token of an application, and the place of the token among its channels.
fn holder(call: &Call<'_>) -> Result<(Contact, usize), Trouble> {
    let app = &call.parameters["app_uuid"];
    let token = call.text("token_id").unwrap_or_default();
    for contact in call.state.contacts_at("mobilepush", token)? {
        let channels = contact.body["channels"].as_array().map(Vec::as_slice).unwrap_or_default();
        let place = channels.iter().position(|channel| {
            let of = &channel["device"]["appId"];
            channel["value"] == token && (of.is_null() || of == app)
        });
        if let (false, Some(place)) = (contact.deleted, place) {
            return Ok((contact, place));
        }
    }
    Err(Failure::not_found("Token not found").into())
}

fn activated(call: &Call<'_>) -> Answered {
    let (contact, place) = holder(call)?;
    let active = &contact.body["channels"][place]["device"]["active"];
    Ok(Answer::json(json!({ "active": active != false })))
}

fn activate(call: &Call<'_>) -> Answered {
    let (mut contact, place) = holder(call)?;
    let active = &call.body["active"];
    contact.body["channels"][place]["device"]["active"] = active.clone();
    contacts::put(call.state, &mut contact, call.now)?;
    Ok(Answer::json(json!({ "active": active })))
}
