//! Messages that are stored with the platform, in six channels and any number of languages.

use serde_json::{Map, Value, json};

use super::call::texts;
use super::{Answer, Answered, Call, Handler, Trouble};
use crate::api::{Failure, Operation};
use crate::store::{Doc, State};

const KIND: &str = "message";

/// Members that the platform fills itself.
const OWN: [&str; 3] = ["id", "languages", "translations"];

/// The operation's handler, by its path: it is the same in every channel.
pub(super) fn handler(operation: &Operation) -> Option<Handler> {
    let rest = operation.path.strip_prefix("/v1/messages/")?;
    let (_, rest) = rest.split_once('/').unwrap_or((rest, ""));
    Some(match (rest, operation.method.as_str()) {
        ("", "GET") => search,
        ("", "POST") => add,
        ("{id}", "GET") => get,
        ("{id}", "PUT") => replace,
        ("{id}", "DELETE") => delete,
        ("{id}/viewLink", "GET") => view_link,
        ("{id}/{language}", "PUT") => put_translation,
        ("{id}/{language}", "DELETE") => delete_translation,
        _ => return None,
    })
}

/// The channel in the operation's path.
fn channel(call: &Call<'_>) -> &'static str {
    call.operation.path.split('/').nth(3).unwrap_or_default()
}

/// The message of a number, of any channel.
pub(super) fn stored(state: &State<'_>, id: i64) -> Result<Doc, Trouble> {
    state.doc(KIND, id)?.ok_or_else(|| absent(id).into())
}

fn absent(id: i64) -> Failure {
    Failure::not_found(format!("Message with id='{id}' not found"))
}

/// The message of the path, if it is of the path's channel.
fn of_path(call: &Call<'_>, id: i64) -> Result<Doc, Trouble> {
    let message = stored(call.state, id)?;
    if message.body["channel"] == channel(call) { Ok(message) } else { Err(absent(id).into()) }
}

/// What a caller gives of a message.
fn given(call: &Call<'_>) -> Result<Value, Failure> {
    if channel(call) == "viber" {
        check_viber(call)?;
    }
    for name in ["name", "from", "text", "title", "subject", "htmlText"] {
        if call.body[name].as_str().is_some_and(|text| text.trim().is_empty()) {
            return Err(Failure::field(name, "the text is empty"));
        }
    }
    let mut given = call.body.clone();
    if let Some(members) = given.as_object_mut() {
        members.retain(|name, _| !OWN.contains(&name.as_str()));
    }
    Ok(given)
}

/// A picture, its caption and its action go together, and not into a transactional message.
fn check_viber(call: &Call<'_>) -> Result<(), Failure> {
    check_picture(&call.body)?;
    let has_picture = ["img", "caption", "action"].iter().any(|name| !call.body[*name].is_null());
    if has_picture && call.body["transactional"] == true {
        return Err(Failure::field("transactional", "a transactional message is text only"));
    }
    let sender = call.body["from"].as_str().unwrap_or_default();
    let known = call.settings.senders.get("viber").map(Vec::as_slice).unwrap_or_default();
    if !known.is_empty() && !known.iter().any(|one| one == sender) {
        return Err(Failure::field("from", format!("no sender is called {sender}")));
    }
    Ok(())
}

/// Refuses one or two of the three.
pub(super) fn check_picture(body: &Value) -> Result<(), Failure> {
    let parts = ["img", "caption", "action"];
    let given = parts.iter().filter(|name| !body[**name].is_null()).count();
    match parts.iter().find(|name| body[**name].is_null()) {
        Some(missing) if given > 0 => {
            Err(Failure::field(*missing, "img, caption and action go together"))
        }
        _ => Ok(()),
    }
}

fn view(doc: &Doc) -> Value {
    let mut shown = doc.body["base"].clone();
    let translations = doc.body["translations"].as_object().cloned().unwrap_or_default();
    let own = shown["languageCode"].as_str().map(str::to_owned);
    let languages: Vec<String> = own.into_iter().chain(translations.keys().cloned()).collect();
    shown["id"] = json!(doc.id);
    shown["languages"] = json!(languages);
    shown["translations"] = translations.into_iter().map(|(_, message)| message).collect();
    shown
}

/// By a part of the name or by a whole tag.
fn search(call: &Call<'_>) -> Answered {
    let mut messages = call.state.docs(KIND)?;
    messages.retain(|doc| doc.body["channel"] == channel(call));
    if let Some(wanted) = call.text("search") {
        let wanted = wanted.to_lowercase();
        messages.retain(|doc| {
            let base = &doc.body["base"];
            let name = base["name"].as_str().unwrap_or_default().to_lowercase();
            let has_tag = || texts(&base["tags"]).iter().any(|tag| tag.to_lowercase() == wanted);
            name.contains(&wanted) || has_tag()
        });
    }
    Ok(call.paged(messages.iter().map(view).collect(), 500))
}

fn add(call: &Call<'_>) -> Answered {
    let body = json!({
        "channel": channel(call),
        "base": given(call)?,
        "translations": Map::new(),
    });
    let id = call.state.add_doc(KIND, None, call.now, &body)?;
    Ok(Answer::json(json!({ "id": id })))
}

fn get(call: &Call<'_>) -> Answered {
    Ok(Answer::json(view(&of_path(call, call.id())?)))
}

fn replace(call: &Call<'_>) -> Answered {
    let given = given(call)?;
    let mut message = of_path(call, call.id())?;
    message.body["base"] = given;
    call.state.put_doc(KIND, &message)?;
    Ok(Answer::json(json!("OK")))
}

/// Its translations go with it.
fn delete(call: &Call<'_>) -> Answered {
    let message = of_path(call, call.id())?;
    call.state.delete_doc(KIND, message.id)?;
    Ok(Answer::json(json!("OK")))
}

fn view_link(call: &Call<'_>) -> Answered {
    let id = call.text("id").unwrap_or_default();
    let id =
        id.parse().map_err(|_| Failure::not_found(format!("Message with id='{id}' not found")))?;
    let message = of_path(call, id)?;
    Ok(Answer::json(json!({ "link": link(message.id) })))
}

/// Where a stored mail can be seen in a browser.
pub(super) fn link(id: i64) -> String {
    format!("https://esputnik.com/repository/view/{id}")
}

fn put_translation(call: &Call<'_>) -> Answered {
    let mut given = given(call)?;
    let mut message = of_path(call, call.id())?;
    let language = call.text("language").unwrap_or_default();
    given["languageCode"] = json!(language);
    given["id"] = json!(message.id);
    message.body["translations"][language] = given;
    call.state.put_doc(KIND, &message)?;
    Ok(Answer::json(json!("OK")))
}

fn delete_translation(call: &Call<'_>) -> Answered {
    let mut message = of_path(call, call.id())?;
    let language = call.text("language").unwrap_or_default();
    let translations = message.body["translations"].as_object_mut();
    if translations.and_then(|translations| translations.remove(language)).is_none() {
        return Err(Failure::not_found(format!("Language '{language}' not found")).into());
    }
    call.state.put_doc(KIND, &message)?;
    Ok(Answer::json(json!("OK")))
}
