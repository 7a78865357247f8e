//! The bucket, in the form in which workerd asks: one line of JSON says what is wanted, in a header or at
//! the front of the body.

use hyper::body::Bytes;
use hyper::header::HeaderValue;
use hyper::http::request::Parts;
use hyper::{Method, Response, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::faults::On;
use super::store::Object;
use super::{Cloud, Reply, empty};

/// Most keys of a list.
const MOST_KEYS: u32 = 1000;

#[derive(Debug, Deserialize)]
struct Wish {
    method: String,
    #[serde(default)]
    object: String,
    #[serde(default)]
    objects: Vec<String>,
    #[serde(default, rename = "customFields")]
    custom_fields: Option<Value>,
    #[serde(default)]
    prefix: String,
    #[serde(default, rename = "startAfter")]
    start_after: String,
    #[serde(default)]
    cursor: String,
    #[serde(default)]
    limit: Option<u32>,
    #[serde(default)]
    include: Vec<u8>,
}

pub(super) async fn answer(cloud: &Cloud, head: &Parts, body: &Bytes) -> rusqlite::Result<Reply> {
    let text = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
    let wish = text("cf-r2-request").unwrap_or_default().as_bytes().to_vec();
    let (wish, body) = if head.method == Method::PUT {
        let size = text("cf-r2-metadata-size").and_then(|size| size.parse().ok()).unwrap_or(0);
        if size > body.len() {
            return Ok(empty(StatusCode::BAD_REQUEST));
        }
        (body[..size].to_vec(), &body[size..])
    } else {
        (wish, &body[..0])
    };
    let Ok(wish) = serde_json::from_slice::<Wish>(&wish) else {
        return Ok(empty(StatusCode::BAD_REQUEST));
    };
    match wish.method.as_str() {
        "put" => cloud.under(On::Put, || put(cloud, wish, body)).await,
        "delete" => cloud.under(On::Delete, || delete(cloud, &wish)).await,
        "get" | "head" => cloud.under(On::Get, || get(cloud, &wish)).await,
        "list" => cloud.under(On::List, || list(cloud, &wish)).await,
        _ => Ok(empty(StatusCode::NOT_IMPLEMENTED)),
    }
}

fn put(cloud: &Cloud, wish: Wish, body: &[u8]) -> rusqlite::Result<Reply> {
    let fields = wish.custom_fields.unwrap_or_else(|| json!([])).to_string();
    let object = Object { key: wish.object, body: body.to_vec(), fields, at: cloud.clock.now() };
    cloud.store.put(&object)?;
    cloud.store.note("bucket", &object.body)?;
    cloud.counts().put += 1;
    Ok(described(&described_object(&object, true), &[]))
}

fn delete(cloud: &Cloud, wish: &Wish) -> rusqlite::Result<Reply> {
    let one = Some(&wish.object).filter(|key| !key.is_empty());
    for key in one.into_iter().chain(&wish.objects) {
        cloud.store.remove(key)?;
        cloud.counts().removed += 1;
    }
    Ok(empty(StatusCode::OK))
}

fn get(cloud: &Cloud, wish: &Wish) -> rusqlite::Result<Reply> {
    let Some(object) = cloud.store.object(&wish.object)? else {
        let mut reply = empty(StatusCode::NOT_FOUND);
        let error = r#"{"version":1,"v4code":10007,"message":"The specified key does not exist."}"#;
        reply.headers_mut().insert("cf-r2-error", HeaderValue::from_static(error));
        return Ok(reply);
    };
    let body = if wish.method == "get" { object.body.as_slice() } else { &[] };
    Ok(described(&described_object(&object, true), body))
}

fn list(cloud: &Cloud, wish: &Wish) -> rusqlite::Result<Reply> {
    let after = wish.start_after.as_str().max(&wish.cursor);
    let limit = wish.limit.unwrap_or(MOST_KEYS).min(MOST_KEYS);
    let mut objects = cloud.store.objects(&wish.prefix, after, limit + 1)?;
    let truncated = objects.len() > limit as usize;
    objects.truncate(limit as usize);
    let with_fields = wish.include.contains(&1);
    let shown = objects.iter().map(|object| described_object(object, with_fields));
    let mut answer = json!({
        "objects": shown.collect::<Vec<_>>(),
        "truncated": truncated,
        "delimitedPrefixes": [],
    });
    if let Some(last) = objects.last().filter(|_| truncated) {
        answer["cursor"] = last.key.clone().into();
    }
    Ok(described(&answer, &[]))
}

fn described_object(object: &Object, with_fields: bool) -> Value {
    let fields = if with_fields { serde_json::from_str(&object.fields).ok() } else { None };
    json!({
        "name": object.key,
        "version": "1",
        "size": object.body.len(),
        "etag": "0",
        "uploaded": object.at,
        "httpFields": {},
        "customFields": fields.unwrap_or_else(|| json!([])),
        "checksums": {},
    })
}

/// A description, and what it describes behind it.
fn described(description: &Value, body: &[u8]) -> Reply {
    let description = description.to_string();
    let size = HeaderValue::from(description.len());
    let mut reply = Response::new([description.as_bytes(), body].concat().into());
    reply.headers_mut().insert("cf-r2-metadata-size", size);
    reply
}
