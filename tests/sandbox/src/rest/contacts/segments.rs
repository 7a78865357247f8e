//! Static segments, which contacts are put into by name or by number.

use serde_json::{Value, json};

use super::write;
use crate::api::Failure;
use crate::rest::call::{text_of, texts};
use crate::rest::{Answer, Answered, Call, Trouble};
use crate::store::{Contact, Doc, State, Wanted};

const KIND: &str = "segment";

/// The most contacts that one request attaches or detaches is in the schema; a page has as many.
const PAGE: i64 = 500;

/// The segment of this name, made if there is none.
pub(super) fn named(state: &State<'_>, name: &str, now: i64) -> rusqlite::Result<i64> {
    match state.doc_named(KIND, name)? {
        Some(doc) => Ok(doc.id),
        None => state.add_doc(KIND, Some(name), now, &json!({})),
    }
}

/// Whether there is a segment of this number.
pub(super) fn exists(state: &State<'_>, id: i64) -> rusqlite::Result<bool> {
    Ok(state.doc(KIND, id)?.is_some())
}

/// The names of the segments that a contact is in.
pub(super) fn names_of(state: &State<'_>, contact: i64) -> rusqlite::Result<Vec<String>> {
    let mut names = Vec::new();
    for segment in state.segments_of(contact)? {
        names.extend(state.doc(KIND, segment)?.and_then(|doc| doc.name));
    }
    Ok(names)
}

/// Puts a contact into a segment that is given by number or, better, by name.
pub(super) fn join(call: &Call<'_>, group: &Value, contact: i64) -> Result<(), Trouble> {
    let known = match group["id"].as_i64() {
        Some(id) => call.state.doc(KIND, id)?.map(|doc| doc.id),
        None => None,
    };
    let segment = match (known, text_of(&group["name"])) {
        (Some(id), _) => id,
        (None, Some(name)) => named(call.state, &name, call.now)?,
        (None, None) => return Ok(()),
    };
    call.state.set_member(segment, contact, true)?;
    Ok(())
}

fn view(doc: &Doc) -> Value {
    json!({ "id": doc.id, "name": doc.name, "type": "Static" })
}

/// A contact as the API shows it, with its segments.
pub(super) fn with_groups(call: &Call<'_>, contact: &Contact) -> Result<Value, Trouble> {
    let mut shown = write::view(contact);
    let mut groups = Vec::new();
    for segment in call.state.segments_of(contact.id)? {
        groups.extend(call.state.doc(KIND, segment)?.as_ref().map(view));
    }
    shown.insert("groups".to_owned(), Value::Array(groups));
    Ok(Value::Object(shown))
}

pub(super) fn search(call: &Call<'_>) -> Answered {
    let mut segments = call.state.docs(KIND)?;
    if let Some(name) = call.text("name") {
        let name = name.to_lowercase();
        let fits =
            |doc: &Doc| doc.name.as_ref().is_some_and(|own| own.to_lowercase().contains(&name));
        segments.retain(fits);
    }
    Ok(call.paged(segments.iter().map(view).collect(), PAGE))
}

pub(super) fn contacts(call: &Call<'_>) -> Answered {
    known(call)?;
    let (skip, limit) = call.page(PAGE);
    let ascending = call.parameters["asc"] != false;
    let order = match (call.flag("orderByTs"), ascending) {
        (true, true) => "updated, id",
        (true, false) => "updated DESC, id DESC",
        (false, true) => "id",
        (false, false) => "id DESC",
    };
    let wanted = Wanted { segment: Some(call.id()), order, skip, limit, ..Wanted::default() };
    let (page, total) = call.state.contacts(&wanted)?;
    let page: Result<Vec<Value>, Trouble> =
        page.iter().map(|contact| with_groups(call, contact)).collect();
    Ok(Answer { total: Some(total), ..Answer::json(Value::Array(page?)) })
}

pub(super) fn attach(call: &Call<'_>) -> Answered {
    known(call)?;
    let ids = ids(call)?.ok_or_else(|| {
        Failure::field("contactIds", "contactIds or externalCustomerIds is required")
    })?;
    for id in ids {
        call.state.set_member(call.id(), id, true)?;
    }
    Ok(call.bare_text("Contacts were attached"))
}

/// Without any ids the segment is emptied.
pub(super) fn detach(call: &Call<'_>) -> Answered {
    known(call)?;
    match ids(call)? {
        Some(ids) => {
            for id in ids {
                call.state.set_member(call.id(), id, false)?;
            }
        }
        None => call.state.empty_segment(call.id())?,
    }
    Ok(call.bare_text("Contacts were detached"))
}

fn known(call: &Call<'_>) -> Result<(), Trouble> {
    let message = format!("Segment with id='{}' not found", call.id());
    exists(call.state, call.id())?.then_some(()).ok_or_else(|| Failure::not_found(message).into())
}

/// The contacts of a request, or None if it names nobody at all. Ids that nobody has are passed over.
fn ids(call: &Call<'_>) -> Result<Option<Vec<i64>>, Trouble> {
    let own = call.body["contactIds"].as_array().filter(|list| !list.is_empty());
    let external = texts(&call.body["externalCustomerIds"]);
    if own.is_some() && !external.is_empty() {
        let message = "only one of contactIds and externalCustomerIds is possible";
        return Err(Failure::field("externalCustomerIds", message).into());
    }
    let mut ids = Vec::new();
    if let Some(own) = own {
        for id in own.iter().filter_map(Value::as_i64) {
            ids.extend(call.state.contact(id)?.filter(|contact| !contact.deleted));
        }
    } else if external.is_empty() {
        return Ok(None);
    }
    for id in external {
        ids.extend(call.state.contact_of(&id)?.filter(|contact| !contact.deleted));
    }
    Ok(Some(ids.into_iter().map(|contact| contact.id).collect()))
}
