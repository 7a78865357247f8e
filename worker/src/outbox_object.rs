//! The Durable Object that stores events and drains them to the platform.
//!
//! A request is answered only when what it brought is on disk: the runtime holds the answer until
//! the writes before it are durable.

mod drain;

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeSet, HashMap},
    rc::Rc,
};

use esputnik_kit::{
    config::Site,
    event::{Event, MAX_RECORD},
    json,
    outbox::Outbox,
    problem::{Code, Problem},
    value::Value,
    visitor::{Context, Outcome, Times, Visitor},
    wire::{Record, result_value},
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use worker::{DurableObject, Env, Method, Request, Response, Result, State, durable_object};

use crate::{
    assets,
    handover::{self, Handover},
    objects::{self, now, random},
    routes,
    settings::load_config,
    store::{Message, NewBatch, Progress, Store},
};

/// When an object that could not even find out what is to be done tries again, in milliseconds.
const RETRY_ALARM: i64 = 10_000;

/// Dead events that are listed, and sent again, at a time.
const DEAD_PAGE: u32 = 100;
const REPLAYED: u32 = 1000;

/// Visitors whose events' times are kept in memory, as many as an object has at a time and more.
const MAX_TIMED: usize = 1000;

/// What the Worker hands over of a batch.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Ingest {
    pub(crate) site: String,
    pub(crate) received: u64,
    pub(crate) sent_at: u64,
    pub(crate) agent: String,
    /// The web id of records that name none.
    #[serde(default)]
    pub(crate) sc: Option<String>,
    pub(crate) records: Vec<Box<RawValue>>,
}

/// What the Worker hands over of a server's event.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct IngestRest {
    pub(crate) site: String,
    pub(crate) received: u64,
    pub(crate) id: String,
    pub(crate) web_id: String,
    pub(crate) agent: String,
    pub(crate) body: Box<RawValue>,
}

/// A question for the state of events, or an order to erase.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct About {
    pub(crate) web_id: String,
    #[serde(default)]
    pub(crate) ids: Vec<String>,
}

/// One shard of a site's events.
#[durable_object]
#[expect(unnameable_types, reason = "the runtime makes it; nobody names it")]
#[expect(missing_debug_implementations, reason = "its state and environment have none")]
pub struct OutboxObject {
    state: State,
    env: Env,
    inner: RefCell<Option<Inner>>,
    draining: Cell<bool>,
    armed: Cell<Option<u64>>,
    cleaned: Cell<u64>,
    /// Somebody of a newer generation has asked, who may know of it before this object does.
    succeeded: Cell<bool>,
}

struct Inner {
    store: Rc<Store>,
    outbox: Outbox,
    /// What is stored of rows that are being sent.
    progress: Progress,
    /// The times given to the latest events, by visitor.
    times: HashMap<String, Times>,
    salt: String,
    counters: Counters,
}

/// What happened since the object was started.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Counters {
    accepted: u64,
    duplicates: u64,
    refused: u64,
    delivered: u64,
    dead: u64,
    resent_unknown: u64,
    rows_written: u64,
}

impl DurableObject for OutboxObject {
    fn new(state: State, env: Env) -> Self {
        Self {
            state,
            env,
            inner: RefCell::default(),
            draining: Cell::new(false),
            armed: Cell::new(None),
            cleaned: Cell::new(0),
            succeeded: Cell::new(false),
        }
    }

    async fn fetch(&self, mut request: Request) -> Result<Response> {
        self.open()?;
        let path = request.path();
        let text =
            if request.method() == Method::Post { request.text().await? } else { String::new() };
        let answer = match path.as_str() {
            // A page keeps what is not taken, and finds the new object with the next attempt.
            "/ingest" | "/ingest-rest" if self.is_retired()? => return Response::error("", 503),
            "/ingest" => {
                let batch: Ingest = serde_json::from_str(&text)?;
                self.take_over(&batch.site, handover::web_ids(&batch)).await?;
                self.ingest(&batch)?
            }
            "/ingest-rest" => {
                let request: IngestRest = serde_json::from_str(&text)?;
                self.take_over(&request.site, [request.web_id.clone()].into()).await?;
                self.ingest_rest(&request)?
            }
            "/handover" => self.hand_over(&serde_json::from_str(&text)?)?,
            "/states" => self.states(&serde_json::from_str(&text)?)?,
            "/erase" => self.erase(&serde_json::from_str(&text)?)?,
            "/dead" => self.dead(&request)?,
            "/replay" => self.replay()?,
            "/stats" => self.stats()?,
            "/wake" => "{}".to_owned(),
            _ => return Response::error("", 404),
        };
        self.arm().await?;
        Ok(objects::respond(answer))
    }

    async fn alarm(&self) -> Result<Response> {
        self.armed.set(None);
        // An alarm that fails is tried six times and then never again, so nothing may leave here.
        if let Err(error) = self.drain().await {
            worker::console_error!("drain: {error}");
            // What was under way is in doubt now, and the store knows which events those are.
            self.inner.take();
        }
        self.draining.set(false);
        if let Err(error) = self.rearm().await {
            worker::console_error!("alarm: {error}");
            self.state.storage().set_alarm(RETRY_ALARM).await?;
        }
        Response::ok("")
    }
}

impl OutboxObject {
    fn open(&self) -> Result<()> {
        if self.inner.borrow().is_some() {
            return Ok(());
        }
        let store = Rc::new(Store::open(self.state.storage().sql())?);
        let config = load_config(&self.env).map_err(|_| "the settings cannot be read")?;
        let limit = config.outbox.tracker_per_second;
        let mut outbox = match config.senders() {
            1 => Outbox::new(limit),
            senders => Outbox::shared(limit, senders),
        };
        let progress = store.progress()?;
        for row in store.open_rows(&progress)? {
            outbox.handle_row(row);
        }
        let salt = store.salt(&random_hex())?;
        let counters = Counters::default();
        let times = HashMap::new();
        *self.inner.borrow_mut() = Some(Inner { store, outbox, progress, times, salt, counters });
        Ok(())
    }

    async fn rearm(&self) -> Result<()> {
        self.open()?;
        self.arm().await
    }

    fn with<T>(&self, use_it: impl FnOnce(&mut Inner) -> Result<T>) -> Result<T> {
        let mut inner = self.inner.borrow_mut();
        use_it(inner.as_mut().ok_or("the object is not open")?)
    }

    fn site(&self, name: &str) -> Result<Site> {
        let config = load_config(&self.env).map_err(|_| "the settings cannot be read")?;
        config.sites.get(name).cloned().ok_or_else(|| "no such site".into())
    }

    fn ingest(&self, batch: &Ingest) -> Result<String> {
        let site = self.site(&batch.site)?;
        let context = Context {
            site_id: &site.site_id,
            etm_term: site.etm_term,
            received: batch.received,
            sent_at: batch.sent_at,
        };
        self.with(|inner| {
            let mut intake = Intake::new(batch.received, &batch.agent);
            let mut results = Vec::new();
            for raw in &batch.records {
                let text = raw.get();
                let read = if text.len() > MAX_RECORD {
                    Err(Problem::new(Code::TooLong, "", "a record may have 32,768 bytes"))
                } else {
                    json::parse(text)
                        .and_then(|value| Record::from_value(&value, batch.sc.as_deref()))
                };
                let (id, outcome) = match read {
                    Ok(record) => {
                        let web_id = record.web_id.as_str();
                        let mut times = inner.times.remove(web_id).unwrap_or_default();
                        let apply =
                            |visitor: &mut Visitor| visitor.apply(&record, &context, &mut times);
                        let taken =
                            (record.id.clone(), intake.take(inner, web_id, &record.id, apply)?);
                        inner.times.insert(web_id.to_owned(), times);
                        taken
                    }
                    Err(problem) => (raw_id(text), Outcome::refused(problem, Vec::new())),
                };
                let warnings = &outcome.warnings;
                let result = result_value(&id, outcome.verdict, outcome.reason.as_ref(), warnings);
                results.push(result);
            }
            if inner.times.len() > MAX_TIMED {
                inner.times.clear();
            }
            intake.store(inner)?;
            Ok(results_text(results))
        })
    }

    fn ingest_rest(&self, request: &IngestRest) -> Result<String> {
        let site = self.site(&request.site)?;
        let context = Context {
            site_id: &site.site_id,
            etm_term: site.etm_term,
            received: request.received,
            sent_at: request.received,
        };
        self.with(|inner| {
            let mut intake = Intake::new(request.received, &request.agent);
            let read = json::parse(request.body.get())
                .map_err(|problem| vec![problem])
                .and_then(|value| Event::from_rest(&value));
            let outcome = match read {
                Ok(reading) => {
                    let origin = reading.event.origin.web_id.clone();
                    // Product updates belong to no visitor; they share a lane of their own.
                    let web_id = origin.unwrap_or_else(|| "-".to_owned());
                    intake.take(inner, &web_id, &request.id, |visitor| {
                        visitor.apply_rest(reading, &request.id, &context)
                    })?
                }
                Err(mut errors) => Outcome::refused(errors.remove(0), Vec::new()),
            };
            intake.store(inner)?;
            let reason = outcome.reason.as_ref();
            let result = result_value(&request.id, outcome.verdict, reason, &outcome.warnings);
            Ok(results_text(vec![result]))
        })
    }

    /// Whether new events belong to an object of a newer generation.
    fn is_retired(&self) -> Result<bool> {
        let config = load_config(&self.env).map_err(|_| "the settings cannot be read")?;
        let name = self.state.id().name().unwrap_or_default();
        Ok(self.succeeded.get() || config.outbox.is_retired(&name))
    }

    /// Brings over what the generation before knows of visitors who are new here.
    async fn take_over(&self, site: &str, web_ids: BTreeSet<String>) -> Result<()> {
        let config = load_config(&self.env).map_err(|_| "the settings cannot be read")?;
        for web_id in web_ids {
            let Some(object) = config.outbox.previous_object_of(site, &web_id) else { continue };
            let is_new = || self.with(|inner| Ok(inner.store.visitor(&web_id)?.is_none()));
            if !is_new()? {
                continue;
            }
            let handover = handover::ask(&self.env, &object, &web_id).await?;
            // Another request may have brought it meanwhile.
            if is_new()? {
                self.with(|inner| handover.store(&inner.store, &inner.salt, &web_id, now()))?;
            }
        }
        Ok(())
    }

    fn hand_over(&self, about: &About) -> Result<String> {
        self.succeeded.set(true);
        let handover = self.with(|inner| Handover::load(&inner.store, &about.web_id, now()))?;
        Ok(serde_json::to_string(&handover)?)
    }

    fn states(&self, about: &About) -> Result<String> {
        self.with(|inner| {
            let mut results = Vec::new();
            for id in &about.ids {
                let mut members = vec![("id".to_owned(), Value::text(id))];
                let waits = |message: &Message| match inner.outbox.position_of(message.row) {
                    Some(position) => message.place >= position,
                    None => !message.is_done,
                };
                let state = match inner.store.message(&about.web_id, id)? {
                    None => "unknown",
                    Some(message) if waits(&message) => "accepted",
                    Some(_) => match inner.store.refusal(id)? {
                        Some(reason) => {
                            members.push(("message".into(), Value::text(reason)));
                            "dead"
                        }
                        None => "delivered",
                    },
                };
                members.push(("state".into(), Value::text(state)));
                results.push(Value::Object(members));
            }
            Ok(results_text(results))
        })
    }

    fn erase(&self, about: &About) -> Result<String> {
        self.with(|inner| {
            inner.store.erase(&about.web_id)?;
            inner.outbox.forget(&about.web_id);
            let Inner { outbox, progress, store, .. } = inner;
            progress.retain(|row, _| outbox.position_of(*row).is_some());
            store.put_progress(progress)?;
            Ok("{}".to_owned())
        })
    }

    fn dead(&self, request: &Request) -> Result<String> {
        let url = request.inner().url();
        let after = routes::query(&url, "after").and_then(|text| text.parse().ok()).unwrap_or(0);
        self.with(|inner| {
            let page = inner.store.dead(after, DEAD_PAGE)?;
            // Where the next page begins, if there is one.
            let full = page.len() == DEAD_PAGE as usize;
            let last = page.last().filter(|_| full).map(|row| row.id.unsigned_abs());
            let rows = page.into_iter().map(|row| {
                let text = |name: &str, text: String| (name.to_owned(), Value::Text(text));
                Value::Object(vec![
                    text("id", row.message_id),
                    ("at".into(), Value::whole(row.at)),
                    ("status".into(), Value::whole(row.status.into())),
                    text("reason", row.reason),
                    ("body".into(), json::parse(&row.body).unwrap_or_default()),
                ])
            });
            let mut members = vec![("dead".into(), Value::List(rows.collect()))];
            members.push(("total".into(), Value::whole(inner.store.count_dead()?)));
            members.extend(last.map(|last| ("after".into(), Value::whole(last))));
            Ok(Value::Object(members).to_json())
        })
    }

    /// Puts what the platform refused back into the queue, as it was.
    fn replay(&self) -> Result<String> {
        self.with(|inner| {
            let rows = inner.store.dead(0, REPLAYED)?;
            let count = rows.len() as u64;
            for row in rows {
                let batch = NewBatch {
                    web_id: row.web_id,
                    received: now(),
                    agent: row.agent,
                    ids: vec![row.message_id],
                    bodies: vec![row.body],
                };
                inner.store.exhume(row.id)?;
                let (row, _) = inner.store.add(&batch)?;
                inner.outbox.handle_row(row);
            }
            let left = inner.store.count_dead()?;
            let members = [("replayed", count), ("left", left)];
            let members = members.map(|(name, number)| (name.to_owned(), Value::whole(number)));
            Ok(Value::Object(members.into()).to_json())
        })
    }

    fn stats(&self) -> Result<String> {
        self.with(|inner| {
            let (pending, dead) = (inner.outbox.pending(), inner.store.count_dead()?);
            let counters = serde_json::to_string(&inner.counters)?;
            Ok(format!("{{\"pending\":{pending},\"dead\":{dead},\"since_start\":{counters}}}"))
        })
    }

    /// Sees to it that an alarm comes when there is something to do.
    async fn arm(&self) -> Result<()> {
        let due = {
            let mut inner = self.inner.borrow_mut();
            let Some(inner) = inner.as_mut() else { return Ok(()) };
            if self.draining.get() { None } else { inner.outbox.next_due(now()) }
        };
        let Some(due) = due else { return self.keep_house().await };
        // Setting an alarm is a row written, so one that comes soon enough stays.
        if self.armed.get().is_some_and(|armed| armed <= due && armed + 1000 > now()) {
            return Ok(());
        }
        self.armed.set(Some(due));
        let wait = i64::try_from(due.saturating_sub(now())).unwrap_or(i64::MAX);
        self.state.storage().set_alarm(wait).await
    }

    /// No event comes to a retired object any more, so it wakes itself to drop what has expired.
    async fn keep_house(&self) -> Result<()> {
        let storage = self.state.storage();
        if self.draining.get() || !self.is_retired()? || storage.get_alarm().await?.is_some() {
            return Ok(());
        }
        storage.set_alarm(handover::HOUSEKEEPING).await
    }
}

impl Inner {
    /// Stores what has changed: rows that are done or failed in their own, the others in one.
    fn save(&mut self) -> Result<()> {
        let before = self.progress.clone();
        let mut written = 0;
        for row in self.outbox.take_updates() {
            if row.position < row.count && row.attempts == 0 {
                self.progress.insert(row.id, (row.position, row.unknown));
            } else {
                self.progress.remove(&row.id);
                written += self.store.update(&row)?;
            }
        }
        if self.progress != before {
            written += self.store.put_progress(&self.progress)?;
        }
        self.counters.rows_written += written as u64;
        Ok(())
    }
}

/// What one request brings, until it is stored.
struct Intake {
    received: u64,
    agent: String,
    visitors: HashMap<String, Visitor>,
    batches: Vec<NewBatch>,
    /// Ids without a body, by visitor; they come behind the ids of the bodies.
    silent: Vec<(String, String)>,
}

impl Intake {
    fn new(received: u64, agent: &str) -> Self {
        Self {
            received,
            agent: agent.to_owned(),
            visitors: HashMap::new(),
            batches: Vec::new(),
            silent: Vec::new(),
        }
    }

    fn take(
        &mut self,
        inner: &mut Inner,
        web_id: &str,
        id: &str,
        apply: impl FnOnce(&mut Visitor) -> Outcome,
    ) -> Result<Outcome> {
        let fresh = |batch: &NewBatch| batch.ids.iter().any(|known| known == id);
        let repeated = self.batches.iter().any(fresh)
            || self.silent.iter().any(|(_, known)| known == id)
            || inner.store.message(web_id, id)?.is_some();
        if repeated {
            inner.counters.duplicates += 1;
            return Ok(Outcome::known_message(id));
        }
        if !self.visitors.contains_key(web_id) {
            let known = inner.store.visitor(web_id)?.unwrap_or_default();
            self.visitors.insert(web_id.to_owned(), known);
        }
        let Some(visitor) = self.visitors.get_mut(web_id) else {
            return Err("just inserted".into());
        };
        let outcome = apply(visitor);
        match outcome.verdict {
            esputnik_kit::wire::Verdict::Accepted => inner.counters.accepted += 1,
            esputnik_kit::wire::Verdict::Duplicate => inner.counters.duplicates += 1,
            _ => {
                inner.counters.refused += 1;
                return Ok(outcome);
            }
        }
        let Some(body) = &outcome.body else {
            self.silent.push((web_id.to_owned(), id.to_owned()));
            return Ok(outcome);
        };
        let batch = self.batch(web_id);
        batch.ids.push(id.to_owned());
        batch.bodies.push(body.to_json());
        Ok(outcome)
    }

    /// What goes into the row of this visitor.
    fn batch(&mut self, web_id: &str) -> &mut NewBatch {
        let known = self.batches.iter().position(|batch| batch.web_id == web_id);
        let place = known.unwrap_or(self.batches.len());
        if known.is_none() {
            self.batches.push(NewBatch {
                web_id: web_id.to_owned(),
                received: self.received,
                agent: self.agent.clone(),
                ids: Vec::new(),
                bodies: Vec::new(),
            });
        }
        &mut self.batches[place]
    }

    /// Writes everything without a pause between, which makes it one transaction.
    fn store(mut self, inner: &mut Inner) -> Result<()> {
        let mut written = 0;
        for (web_id, id) in std::mem::take(&mut self.silent) {
            self.batch(&web_id).ids.push(id);
        }
        for batch in &self.batches {
            let (row, rows) = inner.store.add(batch)?;
            written += rows;
            if row.count > 0 {
                inner.outbox.handle_row(row);
            }
        }
        for (web_id, visitor) in &self.visitors {
            let before = inner.store.visitor(web_id)?.unwrap_or_default();
            if before == *visitor {
                continue;
            }
            written += inner.store.put_visitor(web_id, visitor, self.received)?;
            for key in visitor.contact_keys() {
                if !before.contact_keys().any(|known| known == key) {
                    written += inner.store.put_contact(&contact_hash(&inner.salt, key), web_id)?;
                }
            }
        }
        inner.counters.rows_written += written as u64;
        Ok(())
    }
}

fn results_text(results: Vec<Value>) -> String {
    Value::Object(vec![("results".into(), Value::List(results))]).to_json()
}

/// The id of a record that cannot be read, as far as it can.
fn raw_id(text: &str) -> String {
    #[derive(Deserialize)]
    struct Named {
        id: String,
    }
    serde_json::from_str::<Named>(text).map(|named| named.id).unwrap_or_default()
}

/// Under which a contact key is found again, without being readable.
pub(crate) fn contact_hash(salt: &str, key: &str) -> String {
    let digest = Sha256::new().chain_update(salt).chain_update(key.to_lowercase()).finalize();
    assets::hex(&digest)
}

fn random_hex() -> String {
    assets::hex(&[random(), random(), random(), random()].map(u32::to_be_bytes).concat())
}
