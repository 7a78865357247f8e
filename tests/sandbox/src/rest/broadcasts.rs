//! Broadcasts to segments, and what mailings are made with: senders, promo codes, data files.

mod files;
mod promo_codes;

use serde_json::{Value, json};

pub(super) use self::files::register as register_file;

use super::call::text_of;
use super::contacts::{is_unsubscribed, segments_exist};
use super::sends::{Letter, Post, locator_of};
use super::{Answer, Answered, Call, Handler, Trouble, messages};
use crate::api::{Failure, dates};
use crate::settings::Settings;
use crate::store::{Doc, State, Wanted};

const KIND: &str = "broadcast";

/// Those that wait for their moment.
const SCHEDULED: &str = "scheduled-broadcast";

pub(super) fn handler(id: &str) -> Option<Handler> {
    Some(match id {
        "findBroadcasts" => list,
        "createBroadcast" => create,
        "getBroadcast" => get,
        "deleteBroadcast" => delete,
        "getSmsInterfaces" => |call| Ok(senders(call, "sms")),
        "getEmailInterfaces" => |call| Ok(senders(call, "email")),
        "getSmsCallouts" => sms_callouts,
        "getPromocodes" => promo_codes::list,
        "insertPromoCodes_1" => promo_codes::put,
        "getPromocodesCount" => promo_codes::count,
        "uploadPreprocessorFile" => files::upload,
        "updatePreprocessorFile" => files::update,
        "preprocessorFileStatus" => files::status,
        _ => return None,
    })
}

fn senders(call: &Call<'_>, channel: &str) -> Answer {
    let known = call.settings.senders.get(channel).map(Vec::as_slice).unwrap_or_default();
    let kind = channel.to_uppercase();
    Answer::json(known.iter().map(|value| json!({ "type": kind, "value": value })).collect())
}

fn view(doc: &Doc) -> Value {
    doc.body["view"].clone()
}

/// An old method without a published answer: the broadcasts whose message is an SMS.
fn sms_callouts(call: &Call<'_>) -> Answered {
    let mut list = call.state.docs(KIND)?;
    list.retain(|doc| doc.body["channel"] == "sms");
    Ok(Answer::json(list.iter().map(view).collect()))
}

fn list(call: &Call<'_>) -> Answered {
    let list = call.state.docs(KIND)?;
    Ok(Answer { total: None, ..call.paged(list.iter().rev().map(view).collect(), 10) })
}

/// Starts at once or at a moment to come.
fn create(call: &Call<'_>) -> Answered {
    let body = &call.body;
    let id = text_of(&body["messageId"]).unwrap_or_default();
    let id =
        id.parse().map_err(|_| Failure::field("messageId", "the id of a message is expected"))?;
    let message = messages::stored(call.state, id)?;
    let groups: Vec<i64> = numbers(&body["groups"]);
    if groups.is_empty() {
        return Err(Failure::field("groups", "at least one segment is expected").into());
    }
    if !segments_exist(call.state, &groups)? {
        return Err(Failure::field("groups", "no segment has one of these ids").into());
    }
    let start = match body["startDate"].as_str() {
        None => call.now,
        Some(text) => {
            let wrong = || Failure::field("startDate", "YYYY-MM-DDTHH:mm is expected");
            dates::parse(text).filter(|moment| !moment.day_only).ok_or_else(wrong)?.at
        }
    };
    let id = call.state.next_id(KIND)?;
    let mut view = json!({
        "broadcastId": id.to_string(),
        "messageId": message.id.to_string(),
        "groupId": groups[0].to_string(),
        "startDate": dates::format_utc(start),
    });
    for name in ["title", "batchSize", "batchIntervalUnit"] {
        if !body[name].is_null() {
            view[name] = body[name].clone();
        }
    }
    let stored = json!({
        "view": view,
        "channel": message.body["channel"],
        "message": message.id,
        "groups": groups,
        "excluded": numbers(&body["excludedGroups"]),
    });
    let broadcast = Doc { id, name: None, at: start, body: stored };
    call.state.put_doc(KIND, &broadcast)?;
    if start > call.now {
        call.state.put_doc(SCHEDULED, &broadcast)?;
    } else {
        let post = Post { state: call.state, settings: call.settings, now: call.now };
        send(post, &broadcast)?;
    }
    Ok(Answer::json(view))
}

fn numbers(list: &Value) -> Vec<i64> {
    list.as_array().into_iter().flatten().filter_map(Value::as_i64).collect()
}

/// Starts the broadcasts whose moment has come.
pub(super) fn start_due(state: &State<'_>, settings: &Settings, now: i64) -> rusqlite::Result<()> {
    for broadcast in state.docs_due(SCHEDULED, now)? {
        state.delete_doc(SCHEDULED, broadcast.id)?;
        send(Post { state, settings, now: broadcast.at }, &broadcast)?;
    }
    Ok(())
}

/// To everybody in the segments who agreed to it and can be reached, once each.
fn send(post: Post<'_>, broadcast: &Doc) -> rusqlite::Result<()> {
    let channel = broadcast.body["channel"].as_str().unwrap_or_default();
    let message = broadcast.body["message"].as_i64().unwrap_or_default();
    // It may have been deleted since.
    let Ok(message) = messages::stored(post.state, message) else { return Ok(()) };
    let mut letter = Letter::stored(&message, channel);
    letter.body["broadcastId"] = json!(broadcast.id);
    let excluded = numbers(&broadcast.body["excluded"]);
    let mut reached = Vec::new();
    for group in numbers(&broadcast.body["groups"]) {
        let wanted = Wanted { segment: Some(group), order: "id", limit: -1, ..Wanted::default() };
        for contact in post.state.contacts(&wanted)?.0 {
            let segments = post.state.segments_of(contact.id)?;
            let is_excluded = segments.iter().any(|segment| excluded.contains(segment));
            if is_excluded || !contact.confirmed || reached.contains(&contact.id) {
                continue;
            }
            let Some(locator) = locator_of(&contact, channel) else { continue };
            if channel == "email" && is_unsubscribed(post.state, &locator)? {
                continue;
            }
            post.send(&contact, &locator, &letter)?;
            reached.push(contact.id);
        }
    }
    Ok(())
}

fn known(call: &Call<'_>) -> Result<Doc, Trouble> {
    let id = call.text("broadcast_id").unwrap_or_default();
    let absent = || Failure::not_found(format!("Broadcast with id='{id}' not found"));
    let number = id.parse().map_err(|_| absent())?;
    Ok(call.state.doc(KIND, number)?.ok_or_else(absent)?)
}

fn get(call: &Call<'_>) -> Answered {
    Ok(Answer::json(view(&known(call)?)))
}

/// One that has begun cannot be taken back.
fn delete(call: &Call<'_>) -> Answered {
    let broadcast = known(call)?;
    if !call.state.delete_doc(SCHEDULED, broadcast.id)? {
        let status = hyper::StatusCode::BAD_REQUEST;
        return Err(Failure::whole(status, "started", "The broadcast has already started").into());
    }
    call.state.delete_doc(KIND, broadcast.id)?;
    Ok(Answer::nothing())
}
