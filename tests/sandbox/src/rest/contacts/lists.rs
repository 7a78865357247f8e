//! Who does not want mail, and who wants which kinds of it.

use serde_json::{Value, json};

use super::single::live;
use crate::api::{Failure, dates, rules};
use crate::rest::call::texts;
use crate::rest::{Answer, Answered, Call, Trouble};
use crate::store::{Activity, Doc, State};

const UNSUBSCRIBED: &str = "unsubscribed";
const CATEGORIES: &str = "categories";

/// Puts addresses on the unsubscribed list, whoever has them.
pub(super) fn unsubscribe(call: &Call<'_>) -> Answered {
    for email in emails(call)? {
        if is_unsubscribed(call.state, &email)? {
            continue;
        }
        call.state.add_doc(UNSUBSCRIBED, Some(&email), call.now, &json!({}))?;
        for contact in call.state.contacts_at("email", &email)? {
            let body = json!({ "mediaType": "email", "email": email });
            let (at, status) = (call.now, "UNSUBSCRIBED".to_owned());
            call.state.add_activity(&Activity { seq: 0, at, contact: contact.id, status, body })?;
        }
    }
    Ok(Answer::nothing())
}

pub(super) fn resubscribe(call: &Call<'_>) -> Answered {
    for email in emails(call)? {
        take_off(call.state, &email)?;
    }
    Ok(Answer::nothing())
}

pub(super) fn take_off(state: &State<'_>, email: &str) -> rusqlite::Result<()> {
    let email = rules::normal("email", email);
    if let Some(doc) = state.doc_named(UNSUBSCRIBED, &email)? {
        state.delete_doc(UNSUBSCRIBED, doc.id)?;
    }
    Ok(())
}

/// Whether an address is on the unsubscribed list.
pub(in crate::rest) fn is_unsubscribed(state: &State<'_>, email: &str) -> rusqlite::Result<bool> {
    Ok(state.doc_named(UNSUBSCRIBED, &rules::normal("email", email))?.is_some())
}

fn emails(call: &Call<'_>) -> Result<Vec<String>, Failure> {
    let emails = call.body["emails"].as_array().map(Vec::as_slice).unwrap_or_default();
    let read = |(index, email): (usize, &Value)| {
        let email = email.as_str().unwrap_or_default();
        if rules::is_email(email.trim()) {
            return Ok(rules::normal("email", email));
        }
        Err(Failure::field(format!("emails[{index}]"), format!("{email:?} is not valid email")))
    };
    emails.iter().enumerate().map(read).collect()
}

fn category(index: usize, key: &str) -> Value {
    json!({ "id": index + 1, "key": key, "groupId": 1, "name": key })
}

pub(super) fn all_categories(call: &Call<'_>) -> Answered {
    let chosen: Vec<Doc> = call.state.docs(CATEGORIES)?;
    let since = dates::format_utc(0);
    let categories =
        call.settings.subscription_categories.iter().enumerate().map(|(index, key)| {
            let count = chosen.iter().filter(|doc| texts(&doc.body).contains(key)).count();
            let mut category = category(index, key);
            category["contactsCount"] = json!(count);
            category["createdDate"] = json!(since);
            category["updatedDate"] = json!(since);
            category
        });
    Ok(Answer::json(categories.collect()))
}

pub(super) fn categories(call: &Call<'_>) -> Answered {
    let contact = live(call, call.id())?;
    let chosen = call.state.doc(CATEGORIES, contact.id)?.map(|doc| texts(&doc.body));
    let chosen = chosen.unwrap_or_default();
    let known = call.settings.subscription_categories.iter().enumerate();
    let shown = known.filter(|(_, key)| chosen.contains(key));
    Ok(Answer::json(shown.map(|(index, key)| category(index, key)).collect()))
}

/// Puts other categories in place of the contact's own.
pub(super) fn set_categories(call: &Call<'_>) -> Answered {
    let contact = live(call, call.id())?;
    let keys = known_keys(call, &call.body["subscriptions"])?;
    put_categories(call, contact.id, &keys)?;
    Ok(Answer::json(json!("OK")))
}

pub(super) fn known_keys(call: &Call<'_>, keys: &Value) -> Result<Vec<String>, Failure> {
    let keys = texts(keys);
    let unknown = |key: &String| !call.settings.subscription_categories.contains(key);
    match keys.iter().position(unknown) {
        Some(index) => {
            let message = format!("no category is called {}", keys[index]);
            Err(Failure::field(format!("subscriptions[{index}]"), message))
        }
        None => Ok(keys),
    }
}

pub(super) fn put_categories(
    call: &Call<'_>,
    contact: i64,
    keys: &[String],
) -> Result<(), Trouble> {
    let body = json!(keys);
    let change = json!({ "statusData": { "subscription": { "subscriptions": keys } } });
    let (at, status) = (call.now, "SUBSCRIPTION_CHANGED".to_owned());
    call.state.put_doc(CATEGORIES, &Doc { id: contact, name: None, at, body })?;
    call.state.add_activity(&Activity { seq: 0, at, contact, status, body: change })?;
    Ok(())
}

/// Forgets what a contact chose.
pub(super) fn forget(state: &State<'_>, contact: i64) -> rusqlite::Result<()> {
    state.delete_doc(CATEGORIES, contact).map(|_| ())
}
