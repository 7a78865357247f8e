//! A visitor's way from an object of the generation before to the present one.
//!
//! The new object asks once, when it first hears of the visitor: for the state that the rules keep,
//! and for the message ids by which a repeat is recognised. What waits in the old object is sent
//! from there.

use std::collections::BTreeSet;

use esputnik_kit::{json, value::Value, visitor::Visitor, wire::message_time};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use worker::{Env, Method, Result};

use crate::{
    outbox_object::{About, Ingest, contact_hash},
    routes,
    store::{Known, NewBatch, Store},
};

/// How often a retired object looks for what has expired, in milliseconds.
pub(crate) const HOUSEKEEPING: i64 = 6 * 60 * 60 * 1000;

/// Most rows that are handed over. Nobody visits so much within fourteen days; a shop's server
/// sends that many product updates, and of those only the newest can still be repeats.
const MOST_ROWS: u32 = 5000;

/// Message ids of one new row. Few rows are cheap to write, and short ones cheap to search.
const IDS_A_ROW: usize = 200;

/// What one object tells another of a visitor.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Handover {
    visitor: Option<Visitor>,
    known: Vec<Known>,
}

impl Handover {
    pub(crate) fn load(store: &Store, web_id: &str, now: u64) -> Result<Self> {
        let known = store.known(web_id, now, MOST_ROWS)?;
        Ok(Self { visitor: store.visitor(web_id)?, known })
    }

    /// Stores everything without a pause between, which makes it one transaction.
    ///
    /// The visitor's row is written even if nothing is known: it says that the question was asked.
    pub(crate) fn store(self, store: &Store, salt: &str, web_id: &str, now: u64) -> Result<()> {
        let visitor = self.visitor.unwrap_or_default();
        store.put_visitor(web_id, &visitor, now)?;
        for key in visitor.contact_keys() {
            store.put_contact(&contact_hash(salt, key), web_id)?;
        }
        let mut known: Vec<(String, u64)> = Vec::new();
        for Known { received, ids } in self.known {
            known.extend(ids.split(' ').map(|id| (id.to_owned(), received)));
        }
        // A row is looked for by the time span of its ids, so neighbours belong together.
        known.sort_by_key(|(id, _)| message_time(id));
        for ids in known.chunks(IDS_A_ROW) {
            store.add(&NewBatch {
                web_id: web_id.to_owned(),
                received: ids.iter().map(|(_, received)| *received).max().unwrap_or(now),
                agent: String::new(),
                ids: ids.iter().map(|(id, _)| id.clone()).collect(),
                bodies: Vec::new(),
                hour: 0,
            })?;
        }
        Ok(())
    }
}

/// Asks the visitor's old object.
pub(crate) async fn ask(env: &Env, object: &str, web_id: &str) -> Result<Handover> {
    let about = About { web_id: web_id.to_owned(), ids: Vec::new() };
    let body = serde_json::to_string(&about)?;
    let answer = routes::ask(env, object, Method::Post, "/handover", Some(body)).await;
    let answer = answer.map_err(|_| "the object of the generation before does not answer")?;
    Ok(serde_json::from_str(&answer)?)
}

/// The browsers that sent a batch's records.
pub(crate) fn web_ids(batch: &Ingest) -> BTreeSet<String> {
    #[derive(Deserialize)]
    struct Sender {
        #[serde(default)]
        sc: Option<String>,
    }
    let sender = |record: &RawValue| serde_json::from_str::<Sender>(record.get()).ok()?.sc;
    let sender = |record: &RawValue| sender(record).or_else(|| batch.sc.clone());
    batch.records.iter().filter_map(|record| sender(record)).collect()
}

/// One answer of two objects about the same events: the old one knows what became of those that
/// were handed over as ids alone.
pub(crate) fn merge_states(before: &str, now: String) -> String {
    let results = |text: &str| {
        let answer = json::parse(text).unwrap_or_default();
        answer.member("results").and_then(Value::as_list).map(<[Value]>::to_vec)
    };
    let (Some(before), Some(present)) = (results(before), results(&now)) else { return now };
    let is_known = |result: &&Value| {
        result.member("state").and_then(Value::as_text).is_some_and(|state| state != "unknown")
    };
    let id = |result: &Value| result.member("id").and_then(Value::as_text).map(str::to_owned);
    let merged = present.into_iter().map(|result| {
        let told = before.iter().filter(is_known).find(|told| id(told) == id(&result));
        told.cloned().unwrap_or(result)
    });
    Value::Object(vec![("results".into(), Value::List(merged.collect()))]).to_json()
}
