//! The ways back: out of the queues, by the runtime, and out of the bucket, by the clock.

use std::collections::{BTreeMap, BTreeSet};

use esputnik_kit::{
    config::Config,
    detour::{self, DEAD, Parcel, Unreadable, WAITING, WAITS_FOR, What},
};
use serde::Deserialize;
use serde_json::value::RawValue;
use worker::Env;

use super::{ask, chance, text, waiting_key};
use crate::{
    answer::Error,
    objects::now,
    outbox_object::{Ingest, IngestRest},
    places::{Bucket, MessageBatch, Queue},
    routes,
    settings::load_config,
};

/// How long an object has here, in milliseconds: nobody waits for the answer.
const PATIENCE: u32 = 15_000;

/// How the names of queues end that hold what was delivered too often.
const DEAD_QUEUE: &str = "-dead";

/// Requests that bring one parcel back: it is read, handed over and removed.
const A_PARCEL: u32 = 3;

/// Most parcels that are looked at in one run.
const A_RUN: u32 = 1000;

/// How often an object may fail in one run until it is left alone.
const MOST_FAILURES: u32 = 2;

/// Requests of a run that are left for what else it does.
const SPARE_REQUESTS: u32 = 12;

/// What becomes of a message.
enum Fate {
    /// Its content is stored elsewhere.
    Done,
    /// It comes again, later and later.
    Later,
    /// It comes again at once, until the queue has enough of it: nothing will make it better.
    Poison,
}

/// Takes messages of a queue. Each gets exactly one verdict.
pub(crate) async fn consume(batch: &MessageBatch, env: &Env) {
    let config = load_config(env);
    let is_dead = batch.queue().ends_with(DEAD_QUEUE);
    let mut failing = BTreeSet::new();
    for message in batch.each() {
        let attempts = message.attempts().unwrap_or(1);
        let text = message.text();
        let fate = match &config {
            Ok(config) if is_dead => rescue(env, config, text.as_deref()).await,
            Ok(config) => bring(env, config, text.as_deref(), &mut failing).await,
            Err(_) => Fate::Later,
        };
        match fate {
            Fate::Done => message.ack(),
            Fate::Later => message.retry(detour::delay(attempts)),
            Fate::Poison => message.retry(0),
        }
    }
}

/// Brings a message's parcel to its objects.
async fn bring(
    env: &Env,
    config: &Config,
    text: Option<&str>,
    failing: &mut BTreeSet<String>,
) -> Fate {
    let parcel = match text.map_or(Err(Unreadable::Wrong), Parcel::parse) {
        Ok(parcel) => parcel,
        Err(why) => {
            worker::console_error!("queue: a message {}", why.reason());
            return if why == Unreadable::Newer { Fate::Later } else { Fate::Poison };
        }
    };
    if failing.contains(parcel.object()) {
        return Fate::Later;
    }
    match deliver(env, config, &parcel).await {
        Ok(refused) => {
            bury(env, config, &parcel, &refused).await;
            Fate::Done
        }
        Err(Failure::Wrong) => {
            worker::console_error!("queue: a message {}", Unreadable::Wrong.reason());
            Fate::Poison
        }
        Err(Failure::Later(error)) => {
            worker::console_error!("queue: outbox {}: {error:?}", parcel.object());
            failing.insert(parcel.object().to_owned());
            Fate::Later
        }
    }
}

/// Saves what the queue has had enough of before it is forgotten: into the bucket, for the clock to bring
/// back or for somebody to look at; without a bucket into the queue once more.
async fn rescue(env: &Env, config: &Config, text: Option<&str>) -> Fate {
    let written = text.unwrap_or_default();
    if let Some(bucket) = Bucket::of(env, PATIENCE) {
        let saved = match text.map_or(Err(Unreadable::Wrong), Parcel::parse) {
            Ok(parcel) => bucket.put(&waiting_key(parcel.object()), written, "").await,
            Err(Unreadable::Newer) => bucket.put(&waiting_key(""), written, "").await,
            Err(why) => bucket.put(&dead_key("", &chance()), written, why.reason()).await,
        };
        match saved {
            Ok(()) => return Fate::Done,
            Err(error) => worker::console_error!("bucket: {error}"),
        }
    }
    let Some(queue) = Queue::of(env) else { return Fate::Later };
    match queue.send(written, config.outbox.patience).await {
        Ok(()) => Fate::Done,
        Err(error) => {
            worker::console_error!("queue: {error}");
            Fate::Later
        }
    }
}

/// Brings back what waits in the bucket, oldest first, as far as the requests of one run go, and forgets
/// what has been dead for long.
pub(crate) async fn restore(env: &Env) {
    let Ok(config) = load_config(env) else { return };
    let Some(bucket) = Bucket::of(env, PATIENCE) else { return };
    if let Err(error) = forget(&bucket).await {
        worker::console_error!("bucket: {error}");
    }
    let used = config.senders().saturating_add(SPARE_REQUESTS);
    let most = (config.outbox.subrequests.saturating_sub(used) / A_PARCEL).clamp(1, A_RUN);
    let keys = match bucket.keys(WAITING, A_RUN).await {
        Ok(keys) => keys,
        Err(error) => return worker::console_error!("bucket: {error}"),
    };
    let mut tried = 0;
    let mut failures: BTreeMap<String, u32> = BTreeMap::new();
    for key in keys {
        let object = detour::key_object(&key).to_owned();
        if tried == most || failures.get(&object).is_some_and(|count| *count >= MOST_FAILURES) {
            continue;
        }
        tried += 1;
        if let Err(error) = restore_one(env, &config, &bucket, &key).await {
            worker::console_error!("bucket: outbox {object}: {error:?}");
            *failures.entry(object).or_default() += 1;
        }
    }
}

/// Brings one parcel back. It goes from the bucket only when it is somewhere else.
async fn restore_one(env: &Env, config: &Config, bucket: &Bucket, key: &str) -> Result<(), Error> {
    let Some(written) = bucket.get(key).await? else { return Ok(()) };
    let is_old = now().saturating_sub(detour::key_time(key)) > WAITS_FOR;
    let outcome = match Parcel::parse(&written) {
        Ok(parcel) => match deliver(env, config, &parcel).await {
            Ok(refused) => {
                bury(env, config, &parcel, &refused).await;
                Ok(())
            }
            Err(Failure::Wrong) => Err(Unreadable::Wrong.reason()),
            Err(Failure::Later(_)) if is_old => Err("no object took it in seven days"),
            Err(Failure::Later(error)) => return Err(error),
        },
        // It may be read again when that version is.
        Err(Unreadable::Newer) if !is_old => return Ok(()),
        Err(why) => Err(why.reason()),
    };
    if let Err(reason) = outcome {
        worker::console_error!("bucket: a parcel is dead: {reason}");
        bucket.put(&detour::moved(key, DEAD), &written, reason).await?;
    }
    Ok(bucket.remove(key).await?)
}

/// Removes what has been dead for as long as it is kept.
async fn forget(bucket: &Bucket) -> worker::Result<()> {
    for key in bucket.keys(DEAD, SPARE_REQUESTS / 2).await? {
        if now().saturating_sub(detour::key_time(&key)) > detour::DEAD_FOR {
            bucket.remove(&key).await?;
        }
    }
    Ok(())
}

/// Why a parcel is not with its objects.
enum Failure {
    /// What it holds is not what it says.
    Wrong,
    /// They did not answer, or not well.
    Later(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Later(error)
    }
}

/// What the page was told is accepted, and an object refuses: the rules of another version.
struct Refused {
    id: String,
    code: String,
    /// A parcel of it alone.
    parcel: String,
}

/// Hands a parcel to the objects that its visitors belong to now: there may be another number of shards
/// than when it was made. A part that was stored before is known by its message ids.
async fn deliver(env: &Env, config: &Config, parcel: &Parcel) -> Result<Vec<Refused>, Failure> {
    if parcel.what() == What::Event {
        let event: IngestRest = serde_json::from_str(parcel.body()).map_err(|_| Failure::Wrong)?;
        let object = config.outbox.object_of(&event.site, &event.web_id);
        let answer = ask(env, &object, What::Event, parcel.body(), PATIENCE).await?;
        let alone = |_| Some(parcel.to_text());
        return Ok(refusals(&answer, alone)?);
    }
    let batch: Ingest = serde_json::from_str(parcel.body()).map_err(|_| Failure::Wrong)?;
    let mut parts: Vec<(String, Vec<Box<RawValue>>)> = Vec::new();
    for record in &batch.records {
        let (_, web_id) = routes::addressed(record, batch.sc.as_deref());
        let Some(web_id) = web_id else { return Err(Failure::Wrong) };
        let object = config.outbox.object_of(&batch.site, web_id.as_str());
        match parts.iter_mut().find(|(part, _)| *part == object) {
            Some((_, records)) => records.push(record.clone()),
            None => parts.push((object, vec![record.clone()])),
        }
    }
    let part = |records: Vec<Box<RawValue>>| Ingest {
        site: batch.site.clone(),
        agent: batch.agent.clone(),
        sc: batch.sc.clone(),
        records,
        ..batch
    };
    let mut refused = Vec::new();
    for (object, records) in parts {
        let body = text(&part(records.clone()))?;
        let answer = ask(env, &object, What::Records, &body, PATIENCE).await?;
        let alone = |index: usize| {
            let body = text(&part(vec![records.get(index)?.clone()])).ok()?;
            Some(Parcel::new(&object, What::Records, body)?.to_text())
        };
        refused.extend(refusals(&answer, alone)?);
    }
    Ok(refused)
}

/// What an answer refuses; `alone` makes a parcel of one of the records.
fn refusals(answer: &str, alone: impl Fn(usize) -> Option<String>) -> Result<Vec<Refused>, Error> {
    #[derive(Deserialize)]
    struct Told {
        #[serde(default)]
        id: String,
        verdict: String,
        #[serde(default)]
        code: String,
    }
    let results = routes::results_of(answer)?;
    let told = results.iter().enumerate().filter_map(|(index, result)| {
        let Told { id, verdict, code } = serde_json::from_str(result.get()).ok()?;
        let is_refused = verdict == "refused";
        is_refused.then(|| alone(index)).flatten().map(|parcel| Refused { id, code, parcel })
    });
    Ok(told.collect())
}

/// Keeps what was accepted and is refused now, so that it is listed.
async fn bury(env: &Env, config: &Config, parcel: &Parcel, refused: &[Refused]) {
    let bucket = Bucket::of(env, config.outbox.patience);
    for Refused { id, code, parcel: text } in refused {
        worker::console_error!("outbox {}: an accepted event is refused: {code}", parcel.object());
        if let Some(bucket) = &bucket
            && let Err(error) = bucket.put(&dead_key(parcel.object(), id), text, code).await
        {
            worker::console_error!("bucket: {error}");
        }
    }
}

fn dead_key(object: &str, end: &str) -> String {
    detour::key(DEAD, now(), object, end)
}
