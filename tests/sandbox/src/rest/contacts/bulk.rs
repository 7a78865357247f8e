//! Imports: thousands of contacts, taken at once and worked off later.
//!
//! What is wrong with a contact by itself is told at once. Everything else, whom it means included, is
//! decided when the import is due, as if it had run until then.

use serde_json::{Value, json};

use super::matching::{At, at};
use super::write::Change;
use super::{form, segments, write};
use crate::api::{Failure, dates, rules};
use crate::rest::call::{text_of, texts, uuid};
use crate::rest::{Answer, Answered, Call, events};
use crate::settings::Settings;
use crate::store::{Contact, Doc, State};

/// What is to be imported, due at its moment.
const PENDING: &str = "pending-import";

/// What can be asked about an import.
const IMPORT: &str = "import";

/// Takes up to 3000 contacts.
pub(super) fn import(call: &Call<'_>) -> Answered {
    check_key(call)?;
    let mut wanted = call.body.clone();
    let (mut failed, mut taken) = (Vec::new(), Vec::new());
    for contact in wanted["contacts"].take().as_array_mut().into_iter().flatten() {
        let contact = contact.take();
        match refused(&contact, &wanted, call.settings) {
            Some(error) => failed.push(as_failed(contact, &error)),
            None => taken.push(contact),
        }
    }
    wanted["contacts"] = Value::Array(taken);
    let session = start(call, wanted)?;
    let mut answer =
        json!({ "asyncSessionId": session, "failedContacts": call.one_or_many(failed) });
    // It says nothing, and clients look at it.
    answer["id"] = json!(0);
    Ok(Answer::json(answer))
}

/// Takes the address of a file. The stand-in does not fetch it: the import has no contacts.
pub(super) fn upload(call: &Call<'_>) -> Answered {
    check_key(call)?;
    let link = call.body["link"].as_str().unwrap_or_default();
    if !crate::rest::site::is_url(link) {
        return Ok(Answer::json(json!({ "message": "The link is not valid", "valid": false })));
    }
    let mut wanted = call.body.clone();
    wanted["contacts"] = json!([]);
    let session = start(call, wanted)?;
    let file = crate::rest::broadcasts::register_file(call, link, None)?;
    Ok(Answer::json(json!({ "importId": session, "fileId": file, "valid": true, "message": "" })))
}

fn check_key(call: &Call<'_>) -> Result<(), Failure> {
    if let Some(key) = call.body["eventKeyForNewContacts"].as_str() {
        rules::key("eventKeyForNewContacts", key)?;
    }
    if call.body["dedupeOn"] == "fieldId" && !call.body["fieldId"].is_i64() {
        return Err(Failure::field("fieldId", "fieldId is required with dedupeOn fieldId"));
    }
    Ok(())
}

fn start(call: &Call<'_>, wanted: Value) -> rusqlite::Result<String> {
    let session = uuid();
    let due = call.now.saturating_add_unsigned(call.settings.import_ms);
    let status = json!({ "created": call.now, "due": due, "error": call.settings.import_error });
    let id = call.state.add_doc(IMPORT, Some(&session), call.now, &status)?;
    let pending = Doc { id, name: Some(session.clone()), at: due, body: wanted };
    call.state.put_doc(PENDING, &pending)?;
    Ok(session)
}

/// Why a contact cannot be imported, whatever is stored.
fn refused(contact: &Value, wanted: &Value, settings: &Settings) -> Option<String> {
    if let Err(failure) = form::check(contact, "", settings) {
        return Some(failure.text());
    }
    if text_of(&contact["externalCustomerId"]).is_some() {
        return None;
    }
    let key = key(wanted);
    let has_key = !lookups(contact, wanted).is_empty() || (key == "id" && contact["id"].is_i64());
    (!has_key).then(|| format!("the contact has no {key} to be found by"))
}

fn as_failed(mut contact: Value, error: &str) -> Value {
    contact["error"] = json!(error);
    contact
}

/// What contacts are found by. An official sample says nothing; mail and phone are then the safest
/// reading, since the oldest method did the same.
fn key(wanted: &Value) -> &str {
    wanted["dedupeOn"].as_str().unwrap_or("email_or_sms")
}

/// Kinds and values to look for, in order.
fn lookups(contact: &Value, wanted: &Value) -> Vec<(String, String)> {
    let kinds: &[&str] = match key(wanted) {
        "email" => &["email"],
        "sms" => &["sms"],
        "push" => &["mobilepush"],
        "webpush" => &["webpush"],
        "email_or_sms" => &["email", "sms"],
        "fieldId" => {
            let id = wanted["fieldId"].as_i64();
            let mut fields = contact["fields"].as_array().into_iter().flatten();
            let field = fields.find(|field| form::field_id(&field["id"]) == id);
            let value = field.and_then(|field| text_of(&field["value"]));
            let pair = |value| (format!("field {}", id.unwrap_or_default()), value);
            return value.map(pair).into_iter().collect();
        }
        _ => &[],
    };
    let channel =
        |kind: &&str| Some(((*kind).to_owned(), write::channel(contact, kind)?.to_owned()));
    kinds.iter().filter_map(channel).collect()
}

pub(super) fn status(call: &Call<'_>) -> Answered {
    let session = call.text("sessionId").unwrap_or_default();
    let import = call.state.doc_named(IMPORT, session)?;
    let import = import.ok_or_else(|| Failure::not_found("Import session not found"))?.body;
    let (created, due) = (import["created"].as_i64(), import["due"].as_i64());
    let (created, due) = (created.unwrap_or_default(), due.unwrap_or_default());
    // The first third of its time it waits in a queue.
    let begins = created + (due - created) / 3;
    let (status, since) = match call.now {
        now if now < begins => ("STARTED", created),
        now if now < due => ("IMPORTING", begins),
        _ if import["error"].is_string() => ("ERROR", due),
        _ => ("FINISHED", due),
    };
    let mut answer = json!({ "status": status, "timestamp": dates::format(since) });
    match status {
        "FINISHED" => answer["mapping"] = import["mapping"].clone(),
        "ERROR" => answer["description"] = import["error"].clone(),
        _ => {}
    }
    Ok(Answer::json(answer))
}

/// Finishes every import that is due.
pub(in crate::rest) fn finish(state: &State<'_>, now: i64) -> rusqlite::Result<()> {
    for pending in state.docs_due(PENDING, now)? {
        state.delete_doc(PENDING, pending.id)?;
        let Some(mut import) = state.doc(IMPORT, pending.id)? else { continue };
        if !import.body["error"].is_string() {
            import.body["mapping"] = Run::of(state, &pending).all()?;
            state.put_doc(IMPORT, &import)?;
        }
    }
    Ok(())
}

/// One import on its way.
struct Run<'a> {
    state: &'a State<'a>,
    wanted: &'a Value,
    at: i64,
    standard: Option<Vec<&'a str>>,
    custom: Vec<i64>,
}

impl<'a> Run<'a> {
    fn of(state: &'a State<'a>, pending: &'a Doc) -> Self {
        let wanted = &pending.body;
        let standard = wanted["contactFields"].as_array();
        let standard = standard.map(|list| list.iter().filter_map(Value::as_str).collect());
        let custom = wanted["customFieldsIDs"].as_array().into_iter().flatten();
        let custom = custom.filter_map(Value::as_i64).collect();
        Self { state, wanted, at: pending.at, standard, custom }
    }

    /// Imports every contact, and tells which value led to which contact.
    fn all(&self) -> rusqlite::Result<Value> {
        let ids = |names: &Value| -> rusqlite::Result<Vec<i64>> {
            texts(names).iter().map(|name| segments::named(self.state, name, self.at)).collect()
        };
        let (joined, left) =
            (ids(&self.wanted["groupNames"])?, ids(&self.wanted["groupNamesExclude"])?);
        let mut mapping = Vec::new();
        for given in self.wanted["contacts"].as_array().into_iter().flatten() {
            let Some(id) = self.one(given)? else { continue };
            for segment in &joined {
                self.state.set_member(*segment, id, true)?;
            }
            for segment in &left {
                self.state.set_member(*segment, id, false)?;
            }
            let by_key = lookups(given, self.wanted).into_iter().next().map(|(_, value)| value);
            let value = by_key.or_else(|| text_of(&given["externalCustomerId"]));
            let value = value.unwrap_or_else(|| id.to_string());
            mapping.push(json!({ "dedupeValue": value, "contactId": id }));
        }
        Ok(Value::Array(mapping))
    }

    /// The contact's number, or None where it was passed over.
    fn one(&self, given: &Value) -> rusqlite::Result<Option<i64>> {
        let external_id = text_of(&given["externalCustomerId"]);
        let (found, found_by) = self.find(given, external_id.as_deref())?;
        let is_new = found.is_none();
        if is_new && key(self.wanted) == "id" && external_id.is_none() {
            return Ok(None);
        }
        let mut contact = found.unwrap_or_else(|| write::new(self.at, true));
        let restores = self.wanted["restoreDeleted"] == true;
        if contact.deleted && !restores {
            return Ok(None);
        }
        (contact.deleted, contact.confirmed) = (false, true);
        let mut change = Change::whole(given);
        if !is_new {
            change.standard.clone_from(&self.standard);
            change.custom = Some(self.custom.clone());
            change.found_by = found_by.as_deref();
        }
        if change.covers("externalCustomerId", external_id.is_some()) && external_id.is_some() {
            contact.external_id = external_id;
        }
        change.apply(&mut contact);
        write::put(self.state, &mut contact, self.at)?;
        if is_new {
            self.announce(&contact)?;
        }
        Ok(Some(contact.id))
    }

    /// Whom a contact means, and what kind of channel told.
    fn find(
        &self,
        given: &Value,
        external_id: Option<&str>,
    ) -> rusqlite::Result<(Option<Contact>, Option<String>)> {
        if let Some(external_id) = external_id
            && let Some(contact) = self.state.contact_of(external_id)?
        {
            return Ok((Some(contact), None));
        }
        if key(self.wanted) == "id" {
            let contact = given["id"].as_i64().map(|id| self.state.contact(id)).transpose()?;
            return Ok((contact.flatten(), None));
        }
        for (kind, value) in lookups(given, self.wanted) {
            match at(self.state, &kind, &value, external_id)? {
                At::Contact(contact) => return Ok((Some(contact), Some(kind))),
                At::Others => return Ok((None, None)),
                At::Nobody => {}
            }
        }
        Ok((None, None))
    }

    fn announce(&self, contact: &Contact) -> rusqlite::Result<()> {
        let Some(kind) = self.wanted["eventKeyForNewContacts"].as_str() else { return Ok(()) };
        let email = write::channel(&contact.body, "email");
        let phone = write::channel(&contact.body, "sms");
        let mut params = vec![json!({ "name": "contactId", "value": contact.id.to_string() })];
        params.extend(email.map(|value| json!({ "name": "EmailAddress", "value": value })));
        params.extend(phone.map(|value| json!({ "name": "SMS", "value": value })));
        let key = email.or(phone).map_or_else(|| contact.id.to_string(), str::to_owned);
        events::generate(self.state, self.at, kind, &key, contact.id, params)
    }
}
