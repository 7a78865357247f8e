//! What becomes of events that their object does not take in time: they go to the queue, else to the bucket,
//! and come back from there. See `esputnik_kit::detour` for what is written where.
//!
//! A page is told that a record is accepted only after one of the three has confirmed that it has it. An
//! object that was given up may have stored it all the same: the message id tells when it comes back.

mod back;
mod dead;
mod erase;

pub(crate) use back::{consume, restore};
pub(crate) use dead::{dead, replay, state};
pub(crate) use erase::{Theirs, erase};

use esputnik_kit::{
    config::{Config, Site},
    detour::{self, Parcel, What},
    event::Event,
    value::Value,
    visitor::{Context, Outcome, Times, Visitor},
    wire::{Verdict, result_value},
};
use serde_json::value::RawValue;
use worker::Env;

use crate::{
    answer::Error,
    objects::{now, random},
    outbox_object::{Ingest, IngestRest, read_record},
    places::{Bucket, Queue},
    routes,
};

/// How long an object has at least where events cannot go anywhere else, in milliseconds.
const NO_OTHER_WAY: u32 = 15_000;

/// Why events are refused for now.
const UNAVAILABLE: Error = Error::Unavailable("events cannot be stored right now");

/// Has a part of a page's batch stored, by its object or elsewhere; the verdicts are in the order of the
/// records.
pub(crate) async fn take_records(
    env: &Env,
    config: &Config,
    site: &Site,
    object: &str,
    ingest: Ingest,
) -> Result<Vec<Box<RawValue>>, Error> {
    let body = text(&ingest)?;
    let asked = ask(env, object, What::Records, &body, patience(env, config)).await;
    let error = match asked.and_then(|answer| routes::results_of(&answer)) {
        Ok(results) => return Ok(results),
        Err(error) => error,
    };
    let mut results = Vec::new();
    let mut kept = Vec::new();
    let context = Context {
        site_id: &site.site_id,
        etm_term: site.etm_term,
        received: ingest.received,
        sent_at: ingest.sent_at,
    };
    for record in ingest.records {
        let (id, _) = routes::addressed(&record, ingest.sc.as_deref());
        let refused = judge(&record, ingest.sc.as_deref(), &context);
        results.push(result(&id, refused.as_ref())?);
        if refused.is_none() {
            kept.push(record);
        }
    }
    if !kept.is_empty() {
        let rest = Ingest { records: kept, ..ingest };
        keep(env, config, object, What::Records, text(&rest)?, error).await?;
    }
    Ok(results)
}

/// Has an event of the shop's server stored, by its object or elsewhere, and returns the answer. `value` is
/// the event's body.
pub(crate) async fn take_event(
    env: &Env,
    config: &Config,
    object: &str,
    ingest: &IngestRest,
    value: &Value,
) -> Result<String, Error> {
    let body = text(ingest)?;
    let error = match ask(env, object, What::Event, &body, patience(env, config)).await {
        Ok(answer) => return Ok(answer),
        Err(error) => error,
    };
    let refused = Event::from_rest(value).err().map(|mut errors| errors.remove(0));
    let outcome = refused.map(|reason| Outcome::refused(reason, Vec::new()));
    if outcome.is_none() {
        keep(env, config, object, What::Event, body, error).await?;
    }
    let result = result(&ingest.id, outcome.as_ref())?;
    Ok(["{\"results\":[", result.get(), "]}"].concat())
}

/// How long an object has. Where there is no other way, to give it up early would only make the page send
/// it all again.
fn patience(env: &Env, config: &Config) -> u32 {
    let own = config.outbox.patience;
    let is_alone = Queue::of(env).is_none() && Bucket::of(env, own).is_none();
    if is_alone { own.max(NO_OTHER_WAY) } else { own }
}

/// Hands an object what it is there for.
async fn ask(
    env: &Env,
    object: &str,
    what: What,
    body: &str,
    patience: u32,
) -> Result<String, Error> {
    let path = match what {
        What::Records => "/ingest",
        _ => "/ingest-rest",
    };
    routes::ask_within(env, object, path, Some(body), patience).await
}

/// Why a record is refused, if it is: that needs no memory. All else is found out by its object.
fn judge(record: &RawValue, web_id: Option<&str>, context: &Context<'_>) -> Option<Outcome> {
    let outcome = match read_record(record.get(), web_id) {
        Ok(record) => Visitor::default().apply(&record, context, &mut Times::default()),
        Err(problem) => Outcome::refused(problem, Vec::new()),
    };
    (outcome.verdict == Verdict::Refused).then_some(outcome)
}

/// The result of a record: refused, or accepted without more, since nobody has looked at it yet.
fn result(id: &str, refused: Option<&Outcome>) -> Result<Box<RawValue>, Error> {
    let value = match refused {
        Some(outcome) => {
            result_value(id, outcome.verdict, outcome.reason.as_ref(), &outcome.warnings)
        }
        None => result_value(id, Verdict::Accepted, None, &[]),
    };
    Ok(RawValue::from_string(value.to_json()).map_err(worker::Error::from)?)
}

/// Keeps what an object did not take because of `error`. Once it is done, it comes back.
async fn keep(
    env: &Env,
    config: &Config,
    object: &str,
    what: What,
    body: String,
    error: Error,
) -> Result<(), Error> {
    let patience = config.outbox.patience;
    let (queue, bucket) = (Queue::of(env), Bucket::of(env, patience));
    worker::console_error!("outbox {object}: {error:?}");
    if queue.is_none() && bucket.is_none() {
        return Err(UNAVAILABLE);
    }
    let text = Parcel::new(object, what, body).ok_or(UNAVAILABLE)?.to_text();
    if let Some(queue) = queue.filter(|_| detour::fits_message(&text)) {
        match queue.send(&text, patience).await {
            Ok(()) => return Ok(()),
            Err(error) => worker::console_error!("queue: {error}"),
        }
    }
    if let Some(bucket) = bucket {
        match bucket.put(&waiting_key(object), &text, "").await {
            Ok(()) => return Ok(()),
            Err(error) => worker::console_error!("bucket: {error}"),
        }
    }
    Err(UNAVAILABLE)
}

/// A new key for a parcel that is to come back.
fn waiting_key(object: &str) -> String {
    detour::key(detour::WAITING, now(), object, &chance())
}

/// An end of a key that no other has.
fn chance() -> String {
    format!("{:08x}{:08x}", random(), random())
}

fn text(value: &impl serde::Serialize) -> Result<String, Error> {
    Ok(serde_json::to_string(value).map_err(worker::Error::from)?)
}
