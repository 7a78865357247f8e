//! Data files that mailings read. The stand-in knows their addresses and does not fetch them.

use serde_json::{Value, json};

use crate::api::{Failure, dates};
use crate::rest::call::uuid;
use crate::rest::{Answer, Answered, Call, site};
use crate::store::Doc;

const KIND: &str = "file";

/// Sessions in which files are read, due when they end.
const SESSION: &str = "file-session";

/// Registers a file and gives its id.
pub(in crate::rest) fn register(
    call: &Call<'_>,
    link: &str,
    kind: Option<&str>,
) -> rusqlite::Result<String> {
    let id = uuid();
    let body = json!({ "link": link, "preprocessorType": kind });
    call.state.add_doc(KIND, Some(&id), call.now, &body)?;
    Ok(id)
}

fn begin(call: &Call<'_>) -> rusqlite::Result<String> {
    let session = uuid();
    let due = call.now.saturating_add_unsigned(call.settings.import_ms);
    call.state.add_doc(SESSION, Some(&session), due, &json!({}))?;
    Ok(session)
}

fn refused(call: &Call<'_>) -> Option<Value> {
    let link = call.body["link"].as_str().unwrap_or_default();
    (!site::is_url(link)).then(|| json!({ "message": "The link is not valid", "valid": false }))
}

pub(super) fn upload(call: &Call<'_>) -> Answered {
    check_ttl(call)?;
    if let Some(answer) = refused(call) {
        return Ok(Answer::json(answer));
    }
    let link = call.body["link"].as_str().unwrap_or_default();
    let id = register(call, link, call.body["preprocessorType"].as_str())?;
    let session = begin(call)?;
    Ok(Answer::json(json!({ "importId": session, "fileId": id, "valid": true, "message": "" })))
}

pub(super) fn update(call: &Call<'_>) -> Answered {
    check_ttl(call)?;
    let id = call.text("id").unwrap_or_default();
    let file = call.state.doc_named(KIND, id)?;
    let file = file.ok_or_else(|| Failure::not_found(format!("File with id='{id}' not found")))?;
    if let Some(answer) = refused(call) {
        return Ok(Answer::json(answer));
    }
    let mut body = file.body.clone();
    body["link"] = call.body["link"].clone();
    call.state.put_doc(KIND, &Doc { at: call.now, body, ..file })?;
    let session = begin(call)?;
    Ok(Answer::json(json!({ "asyncSessionId": session, "valid": true, "message": "" })))
}

fn check_ttl(call: &Call<'_>) -> Result<(), Failure> {
    match call.body["ttlHours"].as_i64() {
        Some(hours) if hours < 1 => Err(Failure::field("ttlHours", "at least 1 hour is expected")),
        _ => Ok(()),
    }
}

/// An undocumented answer, here that of an import.
pub(super) fn status(call: &Call<'_>) -> Answered {
    let session = call.text("id").unwrap_or_default();
    let session = call.state.doc_named(SESSION, session)?;
    let session = session.ok_or_else(|| Failure::not_found("Upload session not found"))?;
    let status = if session.at > call.now { "IMPORTING" } else { "FINISHED" };
    let since = session.at.min(call.now);
    Ok(Answer::json(json!({ "status": status, "timestamp": dates::format(since) })))
}
