//! The second and the third way of events: objects that fail or hang so that events go to the queue, a
//! queue that does so too so that they go to the bucket, deliveries that come twice and in another order;
//! and what went which way.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use super::{http::Client, keys_of, random::Random};
use crate::stack::Stack;

/// How long an object has to take events, in milliseconds: short, since nobody lives long here.
pub(super) const PATIENCE: u64 = 700;

/// The objects of every so many lives of the Worker fail, and of every other of those the queue too.
const EVERY: u64 = 5;

/// How long such a life lasts at least: events must be given up by one and another.
const LIFE: Duration = Duration::from_millis(2 * PATIENCE);

/// What objects, queue and bucket do with events in place of what they should.
const FAULTS: [&str; 4] = ["fail", "hang", "fail_after", "hang_after"];

/// What is wrong with deliveries, and how often at most. `hold` counts looks, twenty a second.
const DELIVERIES: [(&str, u64); 4] = [("twice", 10), ("reverse", 10), ("forget", 5), ("hold", 40)];

/// How long a message waits that is to come again, in milliseconds: the consumer's own pauses are hours.
const DELAY: u64 = 500;

/// How often the bucket is looked into; in a deployment it is a quarter of an hour.
const CLOCK: Duration = Duration::from_secs(5);

/// Where an event was besides its object, or in its place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Detour {
    pub(super) queue: bool,
    pub(super) bucket: bool,
}

/// Events that were elsewhere, by key.
pub(super) type Detours = HashMap<String, Detour>;

/// What is left there.
#[derive(Debug, Default)]
pub(super) struct Left {
    /// Parcels that will come back.
    pub(super) waiting: u64,
    /// Parcels in the bucket that will not, and messages that the queue has dropped.
    pub(super) dead: u64,
    pub(super) lost: u64,
    /// All that happened to messages and objects.
    pub(super) counts: Value,
}

/// The queue, the bucket, and the objects that are to fail.
#[derive(Debug)]
pub(super) struct Ways {
    kit: String,
    cloud: String,
    random: Random,
    /// What objects were told to do, by what it is.
    pub(super) told: BTreeMap<String, u64>,
}

impl Ways {
    /// Begins, and runs the Worker's clock until `is_over`.
    pub(super) fn open(stack: &Stack, seed: u64, is_over: &Arc<AtomicBool>) -> Result<Self> {
        let cloud = stack.cloud.clone().context("the stack has a queue and a bucket")?;
        let driver = stack.driver.clone().context("the stack has a driver")?;
        let told = BTreeMap::new();
        let ways = Self { kit: stack.kit.clone(), cloud, random: Random::new(seed, 3), told };
        put(&ways.cloud, "/control/settings", &json!({ "delay_ms": DELAY }))?;
        let is_over = Arc::clone(is_over);
        thread::spawn(move || {
            while !is_over.load(Ordering::Relaxed) {
                // A Worker that is being killed does not answer; the next one will.
                let _ = Client::new(&driver).ask("POST /scheduled", &[], b"", || {});
                thread::sleep(CLOCK);
            }
        });
        Ok(ways)
    }

    /// Has the objects of this life fail, if it is one of those. Returns how long it lasts at least.
    pub(super) fn disturb(&mut self, life: u64) -> Result<Duration> {
        if life % EVERY != EVERY / 2 {
            return Ok(Duration::ZERO);
        }
        let mut objects = Vec::new();
        for _ in 0..3 {
            let (what, count) = (self.choose(), 1 + self.random.below(4));
            *self.told.entry(format!("object_{what}")).or_default() += count;
            objects.push(json!({ "do": what, "path": "/ingest", "count": count }));
        }
        if self.random.below(2) == 0 {
            *self.told.entry("alarm_lost".to_owned()).or_default() += 1;
            objects.push(json!({ "do": "drop", "path": "/alarm", "count": 1 }));
        }
        let (what, most) = DELIVERIES[usize::try_from(self.random.below(4))?];
        let count = 1 + self.random.below(most);
        let mut faults = vec![json!({ "on": "deliver", "do": what, "count": count })];
        let (queue, bucket) = (self.choose(), self.choose());
        let (messages, objects_put) = (2 + self.random.below(6), self.random.below(3));
        if life % (2 * EVERY) == EVERY / 2 + EVERY {
            *self.told.entry(format!("queue_{queue}")).or_default() += messages;
            *self.told.entry(format!("bucket_{bucket}")).or_default() += objects_put;
            faults.push(json!({ "on": "send", "do": queue, "count": messages }));
            faults.push(json!({ "on": "put", "do": bucket, "count": objects_put }));
        }
        put(&self.cloud, "/control/faults", &json!(faults))?;
        put(&self.kit, "/__objects", &json!(objects))?;
        Ok(LIFE)
    }

    fn choose(&mut self) -> &'static str {
        let choice = self.random.below(4);
        usize::try_from(choice).ok().and_then(|choice| FAULTS.get(choice)).unwrap_or(&FAULTS[0])
    }

    /// From now on everything works.
    pub(super) fn calm(&self) -> Result<()> {
        put(&self.cloud, "/control/faults", &json!([]))?;
        put(&self.kit, "/__objects", &json!([]))
    }

    pub(super) fn left(&self) -> Result<Left> {
        let state = get(&self.cloud, "/control/state")?;
        let messages = state["messages"].as_array().context("the queue tells what waits")?.len();
        let objects = state["objects"].as_array().context("the bucket tells what is there")?;
        let waits =
            |object: &&Value| object["key"].as_str().is_some_and(|key| key.starts_with("waiting/"));
        let waiting = objects.iter().filter(waits).count();
        Ok(Left {
            waiting: u64::try_from(messages + waiting)?,
            dead: u64::try_from(objects.len() - waiting)?,
            lost: state["counts"]["lost"].as_u64().context("the queue counts what it drops")?,
            counts: state["counts"].clone(),
        })
    }

    /// Which events were where, over the whole run.
    pub(super) fn detours(&self) -> Result<Detours> {
        let mut detours = Detours::new();
        let mut after = 0;
        loop {
            let taken = get(&self.cloud, &format!("/control/taken/{after}"))?;
            let taken = taken.as_array().context("what was taken is a list")?;
            let Some(last) = taken.last() else { return Ok(detours) };
            after = last["id"].as_u64().context("what was taken has a number")?;
            for parcel in taken {
                for key in keys_of(parcel["body"].as_str().unwrap_or_default()) {
                    let detour = detours.entry(key.to_owned()).or_default();
                    match parcel["in"].as_str() {
                        Some("queue") => detour.queue = true,
                        _ => detour.bucket = true,
                    }
                }
            }
        }
    }
}

/// How many of so many accepted events went which way.
pub(super) fn count(detours: &Detours, accepted: u64) -> Result<Value> {
    let with = |queue, bucket| -> Result<u64> {
        let same = |detour: &&Detour| **detour == Detour { queue, bucket };
        Ok(u64::try_from(detours.values().filter(same).count())?)
    };
    let (queue, bucket, both) = (with(true, false)?, with(false, true)?, with(true, true)?);
    Ok(json!({
        "object": accepted.saturating_sub(queue + bucket + both),
        "queue": queue,
        "bucket": bucket,
        "queue_and_bucket": both,
    }))
}

/// Sets something of a part of the stack.
pub(super) fn put(address: &str, path: &str, what: &Value) -> Result<()> {
    let kind = [("content-type", "application/json")];
    let text = what.to_string();
    let answer = Client::new(address).ask(&format!("PUT {path}"), &kind, text.as_bytes(), || {})?;
    if answer.status()? != 200 {
        bail!("{path} is not taken: {}", answer.text());
    }
    Ok(())
}

fn get(address: &str, path: &str) -> Result<Value> {
    let answer = Client::new(address).ask(&format!("GET {path}"), &[], b"", || {})?;
    Ok(serde_json::from_str(&answer.text())?)
}
