//! `POST /v1/contact/subscribe`: a form on the shop's page, with double opt-in.
//!
//! What becomes of the mail address is documented by its four names only. Here a new one needs a
//! confirmation, and so does that of a contact who never gave one; a confirmed one is subscribed
//! already, or again if it was unsubscribed or its contact deleted; one of the blacklist stays there.

use serde_json::{Value, json};

use super::lists::is_unsubscribed;
use super::matching::Person;
use super::write::{self, Change};
use super::{form, lists, segments};
use crate::api::{Failure, rules};
use crate::rest::call::{text_of, texts};
use crate::rest::{Answer, Answered, Call, Trouble, events};
use crate::store::Contact;

pub(super) fn subscribe(call: &Call<'_>) -> Answered {
    let given = &call.body["contact"];
    form::check(given, "contact.", call.settings)?;
    let form_type = call.body["formType"].as_str().filter(|text| !text.is_empty());
    if let Some(form_type) = form_type {
        rules::key("formType", form_type)?;
    }
    let external_id = text_of(&given["externalCustomerId"]);
    let email = write::channel(given, "email");
    let phone = write::channel(given, "sms");
    let found = Person::of(external_id.as_deref(), email, phone).find(call.state)?;
    let is_new = found.is_none();
    let mut contact = found.unwrap_or_else(|| write::new(call.now, false));
    let status = email.map(|email| email_status(call, email, &contact)).transpose()?;
    contact.deleted = false;
    if contact.external_id.is_none() {
        contact.external_id = external_id;
    }
    let mut change = Change::whole(given);
    change.keeps_channels = !is_new;
    change.apply(&mut contact);
    write::put(call.state, &mut contact, call.now)?;
    if let (Some("SUBSCRIBED"), Some(email)) = (status, email) {
        lists::take_off(call.state, email)?;
    }
    for name in texts(&call.body["groups"]) {
        let segment = segments::named(call.state, &name, call.now)?;
        call.state.set_member(segment, contact.id, true)?;
    }
    if call.body["subscriptions"].is_array() {
        let keys = lists::known_keys(call, &call.body["subscriptions"])?;
        lists::put_categories(call, contact.id, &keys)?;
    }
    announce(call, &contact, is_new, form_type, email)?;
    let mut answer = json!({ "id": contact.id, "new": is_new });
    if let Some(status) = status {
        answer["emailStatus"] = json!(status);
    }
    Ok(Answer::json(answer))
}

/// What becomes of the mail address, seen before anything changes.
fn email_status(call: &Call<'_>, email: &str, contact: &Contact) -> Result<&'static str, Trouble> {
    let normal = rules::normal("email", email);
    let is_black = |known: &String| rules::normal("email", known) == normal;
    Ok(if call.settings.blacklist.iter().any(is_black) {
        "BLACKLISTED"
    } else if contact.id == 0 || !contact.confirmed {
        "NEED_CONFIRMATION"
    } else if contact.deleted || is_unsubscribed(call.state, email)? {
        "SUBSCRIBED"
    } else {
        "ALREADY_SUBSCRIBED"
    })
}

fn announce(
    call: &Call<'_>,
    contact: &Contact,
    is_new: bool,
    form_type: Option<&str>,
    email: Option<&str>,
) -> Result<(), Trouble> {
    let kind = if is_new { "subscribeFromApi" } else { "subscribeUpdateFromApi" };
    let suffix = form_type.map(|form_type| format!("-{form_type}")).unwrap_or_default();
    let kind = format!("{kind}{suffix}");
    if kind.chars().count() > 100 {
        return Err(Failure::field("formType", "the key of the event becomes too long").into());
    }
    let id = contact.id.to_string();
    let email = email.or_else(|| write::channel(&contact.body, "email"));
    let mut params: Vec<Value> = vec![json!({ "name": "ContactId", "value": id })];
    params.extend(email.map(|value| json!({ "name": "EmailAddress", "value": value })));
    let (state, now) = (call.state, call.now);
    Ok(events::generate(state, now, &kind, &id, contact.id, params)?)
}
