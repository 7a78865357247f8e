//! One contact: add, read, update, delete.

use serde_json::{Value, json};

use super::matching::{At, at};
use super::write::{self, Change};
use super::{form, lists, segments};
use crate::api::Failure;
use crate::rest::call::text_of;
use crate::rest::{Answer, Answered, Call, Trouble};
use crate::store::Contact;

/// Adds or updates; the contact ends up confirmed, and no event is made.
pub(super) fn add(call: &Call<'_>) -> Answered {
    let given = &call.body;
    form::check(given, "", call.settings)?;
    let external_id = text_of(&given["externalCustomerId"]);
    let found = match &external_id {
        Some(external_id) => call.state.contact_of(external_id)?,
        None => by_channel(call, given)?,
    };
    let mut contact = found.unwrap_or_else(|| write::new(call.now, true));
    contact.external_id = external_id.or(contact.external_id);
    (contact.deleted, contact.confirmed) = (false, true);
    Change::whole(given).apply(&mut contact);
    write::put(call.state, &mut contact, call.now)?;
    for group in given["groups"].as_array().into_iter().flatten() {
        segments::join(call, group, contact.id)?;
    }
    Ok(Answer::json(json!({ "id": contact.id })))
}

/// By mail, phone or mobile token, in this order.
fn by_channel(call: &Call<'_>, given: &Value) -> Result<Option<Contact>, Trouble> {
    for kind in ["email", "sms", "mobilepush"] {
        if let Some(value) = write::channel(given, kind)
            && let At::Contact(contact) = at(call.state, kind, value, None)?
        {
            return Ok(Some(contact));
        }
    }
    Ok(None)
}

/// Updates the contact of the path, and brings it back if it was deleted.
pub(super) fn update(call: &Call<'_>) -> Answered {
    let given = &call.body;
    form::check(given, "", call.settings)?;
    let mut contact = call.state.contact(call.id())?.ok_or_else(|| absent(call.id()))?;
    if let Some(external_id) = text_of(&given["externalCustomerId"]) {
        let other = call.state.contact_of(&external_id)?.filter(|other| other.id != contact.id);
        if let Some(other) = other {
            let message = format!("{external_id} belongs to the contact with id='{}'", other.id);
            return Err(Failure::field("externalCustomerId", message).into());
        }
        contact.external_id = Some(external_id);
    }
    contact.deleted = false;
    Change::whole(given).apply(&mut contact);
    write::put(call.state, &mut contact, call.now)?;
    Ok(call.bare_text(format!("Contact with id='{}' has been updated", contact.id)))
}

pub(super) fn get(call: &Call<'_>) -> Answered {
    let contact = live(call, call.id())?;
    Ok(Answer::json(segments::with_groups(call, &contact)?))
}

pub(super) fn delete(call: &Call<'_>) -> Answered {
    let contact = live(call, call.id())?;
    remove(call, &contact)?;
    Ok(call.bare_text(format!("Contact with id='{}' has been deleted", contact.id)))
}

pub(super) fn delete_by_external_id(call: &Call<'_>) -> Answered {
    let external_id = call
        .text("externalCustomerId")
        .ok_or_else(|| Failure::field("externalCustomerId", "externalCustomerId is required"))?;
    let contact = call.state.contact_of(external_id)?.filter(|contact| !contact.deleted);
    let contact = contact.ok_or_else(|| {
        Failure::not_found(format!("Contact with externalCustomerId='{external_id}' not found"))
    })?;
    remove(call, &contact)?;
    let text = format!("Contact with externalCustomerId='{external_id}' has been deleted");
    Ok(call.bare_text(text))
}

fn remove(call: &Call<'_>, contact: &Contact) -> rusqlite::Result<()> {
    if call.flag("erase") {
        lists::forget(call.state, contact.id)?;
        call.state.erase_contact(contact.id)
    } else {
        call.state.delete_contact(contact.id, call.now)
    }
}

/// The contact of this number, unless it was deleted.
pub(super) fn live(call: &Call<'_>, id: i64) -> Result<Contact, Trouble> {
    let contact = call.state.contact(id)?.filter(|contact| !contact.deleted);
    contact.ok_or_else(|| absent(id).into())
}

fn absent(id: i64) -> Failure {
    Failure::not_found(format!("Contact with id='{id}' not found"))
}
