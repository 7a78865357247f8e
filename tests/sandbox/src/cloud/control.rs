//! What a test sees and sets.

use hyper::body::Bytes;
use hyper::{Method, StatusCode};
use serde_json::{Value, json};

use super::faults::Faults;
use super::queue::{QUEUE, Settings};
use super::store::{Message, Object};
use super::{Cloud, Counts, Reply, empty, json_reply};

/// Most of what was taken that is shown at a time.
const MOST_TAKEN: u32 = 500;

pub(super) fn answer(
    cloud: &Cloud,
    method: &Method,
    path: &str,
    body: &Bytes,
) -> rusqlite::Result<Reply> {
    let done = || Ok(json_reply(StatusCode::OK, &json!({})));
    let wrong = |why: &str| Ok(json_reply(StatusCode::BAD_REQUEST, &json!({ "message": why })));
    match (method.as_str(), path) {
        ("GET", "state") => Ok(json_reply(StatusCode::OK, &state(cloud)?)),
        ("DELETE", "state") => {
            *cloud.counts() = Counts::default();
            cloud.store.clear()?;
            done()
        }
        ("PUT", "faults") => match Faults::parse(body) {
            Ok(faults) => {
                *cloud.faults() = faults;
                cloud.news.notify_one();
                done()
            }
            Err(why) => wrong(&why),
        },
        ("DELETE", "faults") => {
            *cloud.faults() = Faults::default();
            cloud.news.notify_one();
            done()
        }
        ("PUT", "settings") => match serde_json::from_slice(body) {
            Ok(settings) => {
                *cloud.settings() = settings;
                done()
            }
            Err(why) => wrong(&why.to_string()),
        },
        ("DELETE", "settings") => {
            *cloud.settings() = Settings::default();
            done()
        }
        ("POST", "messages") => {
            cloud.store.send(QUEUE, body, cloud.clock.now())?;
            cloud.news.notify_one();
            done()
        }
        ("GET", path) => match path.strip_prefix("taken/").map(str::parse) {
            Some(Ok(after)) => Ok(json_reply(StatusCode::OK, &taken(cloud, after)?)),
            _ => Ok(empty(StatusCode::NOT_FOUND)),
        },
        ("PUT", path) => match path.strip_prefix("objects/") {
            Some(key) => {
                let (key, body) = (key.to_owned(), body.to_vec());
                let at = cloud.clock.now();
                cloud.store.put(&Object { key, body, fields: "[]".to_owned(), at })?;
                done()
            }
            None => Ok(empty(StatusCode::NOT_FOUND)),
        },
        _ => Ok(empty(StatusCode::NOT_FOUND)),
    }
}

/// What a Worker has put into the queue and the bucket after this number, some of it at a time.
fn taken(cloud: &Cloud, after: i64) -> rusqlite::Result<Value> {
    let taken = cloud.store.taken(after, MOST_TAKEN)?;
    let shown = taken.iter().map(
        |(id, place, body)| json!({ "id": id, "in": place, "body": String::from_utf8_lossy(body) }),
    );
    Ok(shown.collect())
}

/// All that is there, and what happened.
fn state(cloud: &Cloud) -> rusqlite::Result<Value> {
    let message = |message: &Message| {
        json!({
            "id": message.id,
            "queue": message.queue,
            "attempts": message.attempts,
            "body": String::from_utf8_lossy(&message.body),
        })
    };
    let object = |object: &Object| {
        let fields: Vec<Value> = serde_json::from_str(&object.fields).unwrap_or_default();
        let reason = fields.iter().find(|field| field["k"] == "reason").map(|field| &field["v"]);
        json!({
            "key": object.key,
            "reason": reason,
            "body": String::from_utf8_lossy(&object.body),
        })
    };
    let for_ever = u64::from(u32::MAX) * 1000;
    let messages = cloud.store.messages(None, for_ever, false, u32::MAX)?;
    let objects = cloud.store.objects("", "", u32::MAX)?;
    Ok(json!({
        "messages": messages.iter().map(message).collect::<Vec<_>>(),
        "objects": objects.iter().map(object).collect::<Vec<_>>(),
        "counts": &*cloud.counts(),
    }))
}
