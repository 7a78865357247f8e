//! Contacts: one by one, thousands at once, subscribed, found, grouped and recommended to.
//!
//! # Map
//!
//! `form` judges a contact beyond its schema, `write` merges one into another, `matching` finds whom a
//! request means. The operations are in `single`, `bulk`, `subscribe`, `search`, `segments`, `lists`
//! and `catalog`.

mod bulk;
mod catalog;
mod form;
mod lists;
mod matching;
mod search;
mod segments;
mod single;
mod subscribe;
mod write;

use serde_json::{Value, json};

pub(super) use self::bulk::finish as finish_imports;
pub(super) use self::lists::is_unsubscribed;
pub(super) use self::matching::Person;
pub(super) use self::write::put;

use super::{Handler, Trouble};
use crate::store::{Contact, State};

pub(super) fn handler(id: &str) -> Option<Handler> {
    Some(match id {
        "addContact" => single::add,
        "updateContact" => single::update,
        "getContact" => single::get,
        "deleteContact_1" => single::delete,
        "deleteContact" => single::delete_by_external_id,
        "subscribeContact" => subscribe::subscribe,
        "searchContacts" => search::search,
        "getContactEmails" => search::emails,
        "getContactIdByToken" => search::id_by_token,
        "contactsBulkUpdate" => bulk::import,
        "fileContactsBulkUpdate" => bulk::upload,
        "getImportSessionStatus" => bulk::status,
        "addToUnsubscribed" => lists::unsubscribe,
        "deleteFromUnsubscribed" => lists::resubscribe,
        "getContactSubscriptionCategories" => lists::categories,
        "changeContactSubscriptionCategories" => lists::set_categories,
        "getSubscriptionCategories" => lists::all_categories,
        "searchGroups" => segments::search,
        "getGroupContacts" => segments::contacts,
        "attachContactsToGroup" => segments::attach,
        "detachContactsFromGroup" => segments::detach,
        "searchWorkflows" => |call| Ok(catalog::workflows(call)),
        "getAddressBooks" => |call| Ok(catalog::address_books(call)),
        "contactRecoms" => catalog::recommendations,
        _ => return None,
    })
}

/// The contact of a person that some other request names, made if there is none.
///
/// An existing one is not changed, not even brought back when it was deleted.
pub(super) fn ensure(
    state: &State<'_>,
    now: i64,
    person: &Person<'_>,
    names: &Value,
) -> Result<Contact, Trouble> {
    if let Some(contact) = person.find(state)? {
        return Ok(contact);
    }
    let channels = person.channels.iter();
    let channels: Vec<Value> =
        channels.map(|(kind, value)| json!({ "type": kind, "value": value })).collect();
    let mut given = json!({ "channels": channels });
    for name in ["firstName", "lastName"] {
        if let Some(text) = names[name].as_str() {
            given[name] = json!(text);
        }
    }
    let mut contact = write::new(now, true);
    contact.external_id = person.external_id.map(str::to_owned);
    write::Change::whole(&given).apply(&mut contact);
    put(state, &mut contact, now)?;
    Ok(contact)
}

/// Adds one channel of a device to a contact, and brings the contact back if it was deleted.
pub(super) fn add_channel(
    state: &State<'_>,
    mut contact: Contact,
    channel: &Value,
    now: i64,
) -> rusqlite::Result<()> {
    let given = json!({ "channels": [channel] });
    contact.deleted = false;
    write::Change::whole(&given).apply(&mut contact);
    put(state, &mut contact, now)
}

/// Whether there is a segment of each of these numbers.
pub(super) fn segments_exist(state: &State<'_>, ids: &[i64]) -> rusqlite::Result<bool> {
    for id in ids {
        if !segments::exists(state, *id)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// A contact in a listing of the control routes: what the API shows, and what it does not.
pub(crate) fn listed(state: &State<'_>, contact: &Contact) -> rusqlite::Result<Value> {
    let mut shown = write::view(contact);
    shown.insert("groups".to_owned(), json!(segments::names_of(state, contact.id)?));
    shown.insert("confirmed".to_owned(), json!(contact.confirmed));
    shown.insert("deleted".to_owned(), json!(contact.deleted));
    shown.insert("created".to_owned(), json!(contact.created));
    shown.insert("updated".to_owned(), json!(contact.updated));
    Ok(Value::Object(shown))
}
