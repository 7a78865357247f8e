//! What a person can see of the ways around an object, and do about what is stuck there.

use esputnik_kit::{
    config::Config,
    detour::{self, DEAD, KNOWN_FOR, WAITING},
    value::Value,
};
use worker::Env;

use crate::{
    answer::Error,
    objects::{now, numbers},
    places::{Bucket, Queue},
};

/// Most that is counted.
const COUNTED: u32 = 1000;

/// Parcels that are listed at a time.
const PAGE: u32 = 100;

/// Requests that move one parcel: it is read, written and removed.
const A_MOVE: u32 = 3;

/// Requests of a call that are left for what else it does.
const SPARE_REQUESTS: u32 = 8;

/// Which ways there are, and how much lies in the bucket, up to a thousand of each.
pub(crate) async fn state(env: &Env, config: &Config) -> Value {
    let bucket = match Bucket::of(env, config.outbox.patience) {
        None => Value::Bool(false),
        Some(bucket) => match (count(&bucket, WAITING).await, count(&bucket, DEAD).await) {
            (Ok(waiting), Ok(dead)) => numbers([("waiting", waiting), ("dead", dead)]),
            _ => Value::Object(vec![("unavailable".into(), Value::Bool(true))]),
        },
    };
    Value::Object(vec![
        ("queue".into(), Value::Bool(Queue::of(env).is_some())),
        ("bucket".into(), bucket),
    ])
}

/// What lies dead in the bucket, the oldest first, with the reasons. Nothing without a bucket.
pub(crate) async fn dead(env: &Env, config: &Config) -> Result<Option<Value>, Error> {
    let Some(bucket) = Bucket::of(env, config.outbox.patience) else { return Ok(None) };
    let listed = bucket.reasons(DEAD, PAGE).await.map_err(|error| unavailable(&error))?;
    let total = count(&bucket, DEAD).await.map_err(|error| unavailable(&error))?;
    let rows = listed.into_iter().map(|(key, reason)| {
        Value::Object(vec![
            ("at".into(), Value::whole(detour::key_time(&key))),
            ("id".into(), Value::Text(key)),
            ("reason".into(), Value::Text(reason)),
        ])
    });
    let members =
        vec![("dead".into(), Value::List(rows.collect())), ("total".into(), Value::whole(total))];
    Ok(Some(Value::Object(members)))
}

/// Lets it be tried again: the clock brings it to its objects, once. What they may have had, and do not
/// know any more, stays.
pub(crate) async fn replay(env: &Env, config: &Config) -> Result<Option<Value>, Error> {
    let Some(bucket) = Bucket::of(env, config.outbox.patience) else { return Ok(None) };
    let spare = config.senders().saturating_add(SPARE_REQUESTS);
    let most = (config.outbox.subrequests.saturating_sub(spare) / A_MOVE).clamp(1, COUNTED);
    let is_known = |key: &String| now().saturating_sub(detour::key_time(key)) < KNOWN_FOR;
    let keys = bucket.keys(DEAD, COUNTED).await.map_err(|error| unavailable(&error))?;
    let mut replayed = 0;
    for key in keys.iter().filter(|key| is_known(key)).take(most as usize) {
        if let Some(text) = bucket.get(key).await.map_err(|error| unavailable(&error))? {
            let moved = detour::moved(key, WAITING);
            bucket.put(&moved, &text, "").await.map_err(|error| unavailable(&error))?;
            bucket.remove(key).await.map_err(|error| unavailable(&error))?;
            replayed += 1;
        }
    }
    let left = (keys.len() as u64).saturating_sub(replayed);
    Ok(Some(numbers([("replayed", replayed), ("left", left)])))
}

async fn count(bucket: &Bucket, place: &str) -> worker::Result<u64> {
    Ok(bucket.keys(place, COUNTED).await?.len() as u64)
}

pub(super) fn unavailable(error: &worker::Error) -> Error {
    worker::console_error!("bucket: {error}");
    Error::Unavailable("the bucket does not answer right now")
}
