//! The Durable Object that stores events and drains them to the platform.
//!
//! A request is answered only when what it brought is on disk: the runtime holds the answer until
//! the writes before it are durable.

mod dead;
mod drain;
mod erase;
mod group;
mod intake;

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeSet, HashMap},
    panic::{AssertUnwindSafe, catch_unwind},
    rc::Rc,
};

use esputnik_kit::{
    config::Site,
    ledger::{Hour, hour_of},
    outbox::{Outbox, Row},
    value::Value,
    visitor::Times,
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use worker::{DurableObject, Env, Method, Request, Response, Result, State, durable_object};

pub(crate) use self::{
    dead::Chosen,
    erase::{Found, Person},
    intake::read_record,
};
use self::{
    dead::chosen,
    group::{Group, Turn},
    intake::{Stored, Work, Written},
};
use crate::{
    assets,
    handover::{self, Handover},
    host,
    objects::{self, now, numbers, random},
    pace,
    settings::load_config,
    store::{Books, Message, Progress, Store},
};

/// When an object that could not even find out what is to be done tries again, in milliseconds.
const RETRY_ALARM: i64 = 10_000;

/// How long those are waited for who come at the same time, in milliseconds: where requests come one by
/// one, nobody is.
const GATHER: u64 = 2;

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
    /// What is to be written together.
    group: Group<Work, Result<String>>,
    /// Requests that will bring something.
    coming: Cell<u32>,
    /// Somebody of a newer generation has asked, who may know of it before this object does.
    succeeded: Cell<bool>,
}

struct Inner {
    store: Rc<Store>,
    outbox: Outbox,
    /// What is stored of rows that are being sent.
    progress: Progress,
    /// What has become of bodies of rows since that was stored, by row.
    settled: HashMap<u64, Hour>,
    /// The hours of rows that were received before they were stored.
    hours: HashMap<u64, u64>,
    /// Visitors as they are stored.
    visitors: HashMap<String, Stored>,
    /// The times given to the latest events, by visitor.
    times: HashMap<String, Times>,
    salt: String,
    /// When somebody was last erased: what came before may be theirs, and have been elsewhere meanwhile.
    erased_until: u64,
    counters: Counters,
    /// What was bought and is not told to the catalogue yet.
    sold: Vec<(String, u64)>,
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
    rows_read: u64,
    rows_written: u64,
}

impl Counters {
    fn add(&mut self, more: &Self) {
        self.accepted += more.accepted;
        self.duplicates += more.duplicates;
        self.refused += more.refused;
        self.delivered += more.delivered;
        self.dead += more.dead;
        self.resent_unknown += more.resent_unknown;
        self.rows_written += more.rows_written;
    }
}

/// Counts a request that is on its way to what is written together, for as long as it is.
struct Coming<'a>(&'a Cell<u32>);

impl<'a> Coming<'a> {
    fn new(count: &'a Cell<u32>) -> Self {
        count.set(count.get() + 1);
        Self(count)
    }
}

impl Drop for Coming<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get().saturating_sub(1));
    }
}

/// A time of passing on, which may end by a panic too.
struct Drain<'a> {
    object: &'a OutboxObject,
    has_ended: bool,
}

impl Drop for Drain<'_> {
    fn drop(&mut self) {
        self.object.draining.set(false);
        if !self.has_ended {
            // What was under way is in doubt now, and the store knows which events those are.
            self.object.inner.take();
        }
    }
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
            group: Group::new(),
            coming: Cell::new(0),
            succeeded: Cell::new(false),
        }
    }

    async fn fetch(&self, mut request: Request) -> Result<Response> {
        self.open()?;
        let path = request.path();
        let coming = path.starts_with("/ingest").then(|| Coming::new(&self.coming));
        let text =
            if request.method() == Method::Post { request.text().await? } else { String::new() };
        #[cfg(feature = "panics")]
        crate::panics::at("object", &text);
        let answer = match path.as_str() {
            // A page keeps what is not taken, and finds the new object with the next attempt.
            "/ingest" | "/ingest-rest" if self.is_retired()? => return Response::error("", 503),
            "/ingest" => {
                let batch: Ingest = serde_json::from_str(&text)?;
                self.take_over(&batch.site, || handover::web_ids(&batch)).await?;
                drop(coming);
                self.store(Work::Batch(batch)).await?
            }
            "/ingest-rest" => {
                let request: IngestRest = serde_json::from_str(&text)?;
                self.take_over(&request.site, || [request.web_id.clone()].into()).await?;
                drop(coming);
                self.store(Work::Event(request)).await?
            }
            "/handover" => self.hand_over(&serde_json::from_str(&text)?)?,
            "/received" => self.received(&serde_json::from_str(&text)?)?,
            "/states" => self.states(&serde_json::from_str(&text)?)?,
            "/erase" => self.erase(&serde_json::from_str::<About>(&text)?.web_id).await?,
            "/erase-contact" => self.erase_contact(&serde_json::from_str(&text)?).await?,
            "/dead" => self.dead(&request)?,
            "/erase-dead" => self.erase_dead(&chosen(&text)?).await?,
            "/replay" => self.replay(&chosen(&text)?)?,
            "/ledger" => self.ledger()?,
            "/alarm" => self.keep_alarm(&text)?,
            "/stats" => self.stats()?,
            "/wake" => "{}".to_owned(),
            _ => return Response::error("", 404),
        };
        self.arm().await?;
        #[cfg(feature = "panics")]
        crate::panics::at("answer", &text);
        Ok(objects::respond(answer))
    }

    async fn alarm(&self) -> Result<Response> {
        self.armed.set(None);
        let mut drain = Drain { object: self, has_ended: false };
        // An alarm that fails is tried six times and then never again, so nothing may leave here.
        match self.drain().await {
            Ok(()) => drain.has_ended = true,
            Err(error) => worker::console_error!("drain: {error}"),
        }
        drop(drain);
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
        let store = Rc::new(Store::open(self.state.storage())?);
        let config = load_config(&self.env).map_err(|_| "the settings cannot be read")?;
        let limit = config.outbox.tracker_per_second;
        let mut outbox = match config.senders() {
            1 => Outbox::new(limit),
            senders => Outbox::shared(limit, senders),
        };
        let progress = store.progress()?;
        let (rows, hours) = store.open_rows(&progress)?;
        for row in rows {
            outbox.handle_row(row);
        }
        let settled = HashMap::new();
        let salt = store.salt(&random_hex())?;
        let erased_until = store.last_erased()?;
        let counters = Counters::default();
        let (visitors, times) = (HashMap::new(), HashMap::new());
        let sold = Vec::new();
        *self.inner.borrow_mut() = Some(Inner {
            store,
            outbox,
            progress,
            settled,
            hours,
            visitors,
            times,
            salt,
            erased_until,
            counters,
            sold,
        });
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

    /// When messages first came, the first of them.
    fn received(&self, about: &About) -> Result<String> {
        let ids = about.ids.iter();
        let times = self.with(|inner| {
            ids.map(|id| inner.store.received(&about.web_id, id)).collect::<Result<Vec<_>>>()
        })?;
        Ok(numbers([("received", times.into_iter().flatten().min().unwrap_or(0))]).to_json())
    }

    fn site(&self, name: &str) -> Result<Site> {
        let config = load_config(&self.env).map_err(|_| "the settings cannot be read")?;
        config.sites.get(name).cloned().ok_or_else(|| "no such site".into())
    }

    /// Stores what a request brings, together with what others bring meanwhile; when it answers, that is
    /// on disk.
    async fn store(&self, work: Work) -> Result<String> {
        let member = self.group.join(work);
        loop {
            let mut lead = match member.turn().await {
                Turn::Answered(Some(answer)) => return answer,
                Turn::Answered(None) => return Err("what came together could not be stored".into()),
                Turn::Write(lead) => lead,
            };
            if self.group.is_busy() || self.coming.get() > 0 {
                pace::sleep(GATHER).await;
            }
            let works = lead.take();
            let answers = self.write(&works)?;
            // A part of the same transaction.
            self.arm().await?;
            if let Err(error) = self.state.storage().sync().await {
                // What of it is on disk, only that knows now.
                self.inner.take();
                return Err(error);
            }
            for ((number, _), answer) in works.iter().zip(answers) {
                lead.answer(*number, answer);
            }
        }
    }

    /// Writes what requests bring in one transaction; if one of them cannot be, each in its own.
    fn write(&self, works: &[(u64, Work)]) -> Result<Vec<Result<String>>> {
        let config = load_config(&self.env).map_err(|_| "the settings cannot be read")?;
        let storage = self.state.storage();
        let write = |inner: &mut Inner, works: &[(u64, Work)]| {
            let (answers, written) = host::transact(&storage, || {
                let mut written = Written::default();
                let mut answers = Vec::new();
                for (_, work) in works {
                    let attempt = || inner.write(&config, work, &mut written);
                    // Where the build unwinds, a panic over one request is an error of that one alone.
                    let answer = catch_unwind(AssertUnwindSafe(attempt));
                    answers.push(answer.unwrap_or_else(|_| Err("a panic".into()))?);
                }
                written.count(&inner.store)?;
                Ok((answers, written))
            })?;
            inner.settle(written);
            Ok(answers)
        };
        self.with(|inner| {
            let together = write(inner, works);
            Ok(match together {
                Ok(answers) => answers.into_iter().map(Ok).collect(),
                Err(error) if works.len() == 1 => vec![Err(error)],
                Err(_) => {
                    let alone = |work| {
                        let answers = write(inner, std::slice::from_ref(work))?;
                        answers.into_iter().next().ok_or_else(|| "no answer".into())
                    };
                    works.iter().map(alone).collect()
                }
            })
        })
    }

    /// Whether new events belong to an object of a newer generation.
    fn is_retired(&self) -> Result<bool> {
        let config = load_config(&self.env).map_err(|_| "the settings cannot be read")?;
        let name = self.state.id().name().unwrap_or_default();
        Ok(self.succeeded.get() || config.outbox.is_retired(&name))
    }

    /// Brings over what the generation before knows of visitors who are new here.
    async fn take_over(
        &self,
        site: &str,
        web_ids: impl FnOnce() -> BTreeSet<String>,
    ) -> Result<()> {
        let config = load_config(&self.env).map_err(|_| "the settings cannot be read")?;
        if config.outbox.previous_object_of(site, "").is_none() {
            return Ok(());
        }
        for web_id in web_ids() {
            let Some(object) = config.outbox.previous_object_of(site, &web_id) else { continue };
            let is_new = || self.with(|inner| Ok(inner.store.visitor(&web_id)?.is_none()));
            if !is_new()? {
                continue;
            }
            let handover = handover::ask(&self.env, &object, &web_id).await?;
            // Another request may have brought it meanwhile.
            if is_new()? {
                self.with(|inner| {
                    inner.visitors.remove(&web_id);
                    handover.store(&inner.store, &inner.salt, &web_id, now())
                })?;
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

    fn stats(&self) -> Result<String> {
        self.with(|inner| {
            let (pending, dead) = (inner.outbox.pending(), inner.store.count_dead()?);
            inner.counters.rows_read = inner.store.rows_read();
            let counters = serde_json::to_string(&inner.counters)?;
            Ok(format!("{{\"pending\":{pending},\"dead\":{dead},\"since_start\":{counters}}}"))
        })
    }

    fn ledger(&self) -> Result<String> {
        self.with(|inner| {
            let mut sheet = inner.store.sheet()?;
            sheet.closed_until = inner.outbox.closed_until(now());
            Ok(serde_json::to_string(&sheet)?)
        })
    }

    /// What the owner of the deployment has been told of the site, and with a body what they know now.
    fn keep_alarm(&self, text: &str) -> Result<String> {
        self.with(|inner| {
            if !text.is_empty() {
                inner.store.put_meta("alarm", text)?;
            }
            Ok(inner.store.meta("alarm")?.unwrap_or_else(|| "{}".to_owned()))
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
        self.with(|inner| {
            inner.counters.rows_written += 1;
            Ok(())
        })?;
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
    /// Stores what has changed: rows that are done or failed in their own, the others in one; and with
    /// it, what that means for the ledger.
    fn save(&mut self) -> Result<()> {
        self.save_with(None)
    }

    /// The same, with how far a row is although that would have time.
    fn save_with(&mut self, row: Option<u64>) -> Result<()> {
        let mut updates = self.outbox.take_updates();
        let row = row.filter(|id| updates.iter().all(|row| row.id != *id));
        updates.extend(row.and_then(|id| self.outbox.row(id).cloned()));
        if updates.is_empty() {
            return Ok(());
        }
        let before = self.progress.clone();
        let mut books = Books::new();
        let mut own = Vec::new();
        for row in updates {
            if let Some(settled) = self.settled.remove(&row.id) {
                books.entry(self.hour_of(&row)).or_default().add(&settled);
            }
            if row.position < row.count && row.attempts == 0 {
                self.progress.insert(row.id, (row.position, row.unknown));
            } else {
                self.progress.remove(&row.id);
                own.push(row);
            }
        }
        let Self { store, progress, hours, .. } = self;
        let written = store.transact(|| {
            let mut written = store.count(&books)?;
            for row in &own {
                written += store.update(row)?;
            }
            if *progress != before {
                written += store.put_progress(progress)?;
            }
            Ok(written)
        })?;
        for row in own.iter().filter(|row| row.position >= row.count) {
            hours.remove(&row.id);
        }
        self.counters.rows_written += written as u64;
        Ok(())
    }

    /// The hour in which what a row holds was received.
    fn hour_of(&self, row: &Row) -> u64 {
        self.hours.get(&row.id).copied().unwrap_or_else(|| hour_of(row.received))
    }
}

fn results_text(results: Vec<Value>) -> String {
    Value::Object(vec![("results".into(), Value::List(results))]).to_json()
}

/// Under which a contact key is found again, without being readable.
pub(crate) fn contact_hash(salt: &str, key: &str) -> String {
    let digest = Sha256::new().chain_update(salt).chain_update(key.to_lowercase()).finalize();
    assets::hex(&digest)
}

fn random_hex() -> String {
    assets::hex(&[random(), random(), random(), random()].map(u32::to_be_bytes).concat())
}
