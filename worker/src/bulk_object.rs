//! The Durable Object that puts contacts or orders together and follows them to their end.
//!
//! A request is answered only when what it brought is on disk, as with events. Everything else happens
//! in the alarm, one request of the platform after the other.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, HashMap, HashSet},
    rc::Rc,
    time::Duration,
};

use esputnik_kit::{
    api::{Reply, Request as Call},
    bulk::{self, Import, Item, Kind, MAX_IMPORTS, Settled, Verdict},
    json, retry,
    value::Value,
};
use serde::{Deserialize, Serialize};
use worker::{
    Date, Delay, DurableObject, Env, Method, Request, Response, Result, State, durable_object,
};

use crate::{
    answer::text_json,
    api::{self, Made},
    bulk_store::{BatchRow, BulkStore, ItemRow, Pile, Stage},
    pace::Denied,
    settings::load_config,
};

/// How often the tables are cleaned, in milliseconds.
const CLEAN_EVERY: u64 = 60 * 60 * 1000;

/// When an object that could not even find out what is to be done tries again, in milliseconds.
const RETRY_ALARM: i64 = 10_000;

/// How long an import may take, in milliseconds; after that nobody waits for it any more.
const LONGEST_IMPORT: u64 = 24 * 60 * 60 * 1000;

/// How often waiting callers look, in milliseconds.
const LOOK: u64 = 200;

/// Requests of one alarm that one step takes: the governor's and the platform's.
const STEP_REQUESTS: u32 = 3;

/// Batches whose verdicts are kept in memory.
const CACHED: usize = 8;

/// A verdict as it is stored.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Told {
    /// Done, with the contact's id.
    Done(i64),
    /// Failed, with the reason.
    Failed(String),
}

/// The verdicts of a batch, by the items' numbers; those that went well without more are not among them.
struct Verdicts {
    stage: Stage,
    all: HashMap<String, Told>,
}

/// What the Worker hands over.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Handed {
    pub(crate) id: String,
    pub(crate) options: String,
    /// Bodies and keys, both as JSON text.
    pub(crate) items: Vec<(String, String)>,
    pub(crate) received: u64,
}

/// A question for verdicts.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Question {
    pub(crate) ids: Vec<String>,
    /// For how many milliseconds to wait for them.
    #[serde(default)]
    pub(crate) wait: u64,
}

/// Contacts, or orders, on their way.
#[durable_object]
#[expect(unnameable_types, reason = "the runtime makes it; nobody names it")]
#[expect(missing_debug_implementations, reason = "its state and environment have none")]
pub struct BulkObject {
    state: State,
    env: Env,
    store: RefCell<Option<Rc<BulkStore>>>,
    working: Cell<bool>,
    armed: Cell<Option<u64>>,
    cleaned: Cell<u64>,
    /// What waits in each group, while nothing but more of it has come.
    piles: RefCell<Option<BTreeMap<i64, Pile>>>,
    /// Verdicts of the batches that were last asked about.
    verdicts: RefCell<BTreeMap<i64, Rc<Verdicts>>>,
    /// Counts what was settled, so that those who wait need not look into the store.
    settled: Cell<u64>,
}

impl DurableObject for BulkObject {
    fn new(state: State, env: Env) -> Self {
        Self {
            state,
            env,
            store: RefCell::default(),
            working: Cell::new(false),
            armed: Cell::new(None),
            cleaned: Cell::new(0),
            piles: RefCell::default(),
            verdicts: RefCell::default(),
            settled: Cell::new(0),
        }
    }

    async fn fetch(&self, mut request: Request) -> Result<Response> {
        let store = self.open()?;
        let path = request.path();
        let text =
            if request.method() == Method::Post { request.text().await? } else { String::new() };
        let answer = match path.as_str() {
            "/add" => {
                let handed: Handed = serde_json::from_str(&text)?;
                self.add(&store, &handed)?;
                self.arm(&store).await?;
                "{}".to_owned()
            }
            "/verdicts" => self.answer(&store, &serde_json::from_str(&text)?).await?,
            "/stats" => {
                let (waiting, sent) = store.counts()?;
                format!("{{\"waiting\":{waiting},\"under_way\":{sent}}}")
            }
            "/wake" => {
                self.arm(&store).await?;
                "{}".to_owned()
            }
            _ => return Response::error("", 404),
        };
        text_json(200, answer)
    }

    async fn alarm(&self) -> Result<Response> {
        self.armed.set(None);
        // An alarm that fails is tried six times and then never again, so nothing may leave here.
        if let Err(error) = self.work().await {
            worker::console_error!("bulk: {error}");
        }
        self.working.set(false);
        let armed = match self.open() {
            Ok(store) => self.arm(&store).await,
            Err(error) => Err(error),
        };
        if let Err(error) = armed {
            worker::console_error!("alarm: {error}");
            self.state.storage().set_alarm(RETRY_ALARM).await?;
        }
        Response::ok("")
    }
}

impl BulkObject {
    fn open(&self) -> Result<Rc<BulkStore>> {
        if let Some(store) = &*self.store.borrow() {
            return Ok(Rc::clone(store));
        }
        let store = Rc::new(BulkStore::open(self.state.storage().sql())?);
        *self.store.borrow_mut() = Some(Rc::clone(&store));
        Ok(store)
    }

    fn kind(&self) -> Result<Kind> {
        let name = self.state.id().name().unwrap_or_default();
        Kind::named(&name).ok_or_else(|| "an object of an unknown kind".into())
    }

    /// Stores what is handed in, once for each id.
    fn add(&self, store: &BulkStore, handed: &Handed) -> Result<()> {
        if store.is_known(&handed.id)? {
            return Ok(());
        }
        let grp = store.group(&handed.options)?;
        for (part, (body, keys)) in handed.items.iter().enumerate() {
            store.add(&handed.id, part, grp, body.clone(), keys.clone(), handed.received)?;
        }
        if let Some(piles) = &mut *self.piles.borrow_mut() {
            let Handed { items, received, .. } = handed;
            let none = || Pile { grp, count: 0, oldest: *received, newest: 0 };
            let pile = piles.entry(grp).or_insert_with(none);
            pile.count += items.len() as u64;
            pile.newest = pile.newest.max(*received);
        }
        Ok(())
    }

    /// When what waits is to be sent.
    fn piles_due(&self, store: &BulkStore, kind: Kind) -> Result<Option<u64>> {
        let mut piles = self.piles.borrow_mut();
        if piles.is_none() {
            let found = store.piles()?.into_iter().map(|pile| (pile.grp, pile));
            *piles = Some(found.collect());
        }
        let due = |pile: &Pile| {
            let count = usize::try_from(pile.count).unwrap_or(usize::MAX);
            bulk::due(kind, count, pile.oldest, pile.newest)
        };
        Ok(piles.iter().flat_map(BTreeMap::values).map(due).min())
    }

    async fn answer(&self, store: &BulkStore, question: &Question) -> Result<String> {
        let until = now() + question.wait;
        loop {
            let seen = self.settled.get();
            let (results, complete) = self.look(store, &question.ids)?;
            if complete || now() >= until {
                return Ok(Value::Object(vec![("results".into(), Value::List(results))]).to_json());
            }
            while self.settled.get() == seen && now() < until {
                Delay::from(Duration::from_millis(LOOK)).await;
            }
        }
    }

    /// The verdicts of a batch.
    fn verdicts_of(&self, batch: &BatchRow) -> Rc<Verdicts> {
        let mut cache = self.verdicts.borrow_mut();
        let known = cache.get(&batch.id).filter(|known| known.stage == batch.stage());
        if let Some(known) = known {
            return Rc::clone(known);
        }
        let all = serde_json::from_str(&batch.verdicts).unwrap_or_default();
        let read = Rc::new(Verdicts { stage: batch.stage(), all });
        if cache.len() >= CACHED {
            cache.pop_first();
        }
        cache.insert(batch.id, Rc::clone(&read));
        read
    }

    /// What is known of each id, and whether that is all there will be.
    fn look(&self, store: &BulkStore, ids: &[String]) -> Result<(Vec<Value>, bool)> {
        let mut complete = true;
        let mut results = Vec::new();
        for id in ids {
            let parts = store.parts(id)?;
            if parts.is_empty() {
                results.push(result(id, "unknown", None));
            }
            for part in parts {
                let batch = store.batch_of(part.grp, part.seq)?;
                let (state, more) = match &batch {
                    None => ("waiting", None),
                    Some(batch) => {
                        let verdicts = self.verdicts_of(batch);
                        match verdicts.all.get(&part.seq.to_string()) {
                            Some(Told::Failed(why)) => {
                                ("failed", Some(("message", Value::text(why.as_str()))))
                            }
                            Some(Told::Done(id)) => {
                                ("done", Some(("contact_id", Value::Number(id.to_string()))))
                            }
                            None if verdicts.stage == Stage::Done => ("done", None),
                            None => ("sent", None),
                        }
                    }
                };
                complete &= matches!(state, "done" | "failed");
                results.push(result(id, state, more));
            }
        }
        Ok((results, complete))
    }

    /// Sets the alarm for what is to be done next.
    async fn arm(&self, store: &BulkStore) -> Result<()> {
        if self.working.get() {
            return Ok(());
        }
        let kind = self.kind()?;
        let batches = store.open_batches()?;
        let pile = self.piles_due(store, kind)?;
        let next = batches.iter().map(|batch| batch.next_at).chain(pile).min();
        let Some(next) = next else { return Ok(()) };
        // An alarm that rings a little early costs nothing; one for each contact would.
        if self.armed.get().is_some_and(|armed| armed <= next && armed + 60_000 > now()) {
            return Ok(());
        }
        let wait = next.saturating_sub(now()).clamp(10, 60_000);
        self.state.storage().set_alarm(i64::try_from(wait).unwrap_or(RETRY_ALARM)).await?;
        self.armed.set(Some(now() + wait));
        Ok(())
    }

    /// Does what is due, within the requests that one invocation may make.
    async fn work(&self) -> Result<()> {
        let store = self.open()?;
        if self.working.replace(true) {
            return Ok(());
        }
        if now().saturating_sub(self.cleaned.get()) > CLEAN_EVERY {
            self.cleaned.set(now());
            store.clean(now())?;
        }
        let kind = self.kind()?;
        let config = load_config(&self.env).map_err(|_| "the settings cannot be read")?;
        let steps = (config.outbox.subrequests / STEP_REQUESTS).max(1);
        for _ in 0..steps {
            self.piles.take();
            put_together(&store, kind)?;
            let due = store.open_batches()?.into_iter().find(|batch| batch.next_at <= now());
            let Some(batch) = due else { return Ok(()) };
            match batch.stage() {
                Stage::Ready => self.send(&store, kind, batch).await?,
                Stage::Import => self.follow(&store, batch).await?,
                Stage::Done => {}
            }
        }
        Ok(())
    }

    /// Makes a call; what was not made is answered as the platform would have.
    async fn call(&self, call: &Call) -> Result<Option<Reply>> {
        let config = load_config(&self.env).map_err(|_| "the settings cannot be read")?;
        let held = |status: u16, wait: u64| Reply {
            status,
            retry_after: Some(wait.div_ceil(1000).to_string()),
            ..Reply::default()
        };
        Ok(match api::make(&self.env, &config, call, true).await {
            Ok(Made::Answered(reply)) => Some(reply),
            Ok(Made::Held(Denied::Full(wait))) => Some(held(429, wait)),
            Ok(Made::Held(Denied::Failing(wait))) => Some(held(503, wait)),
            Ok(Made::Held(Denied::Key(wait))) => Some(held(401, wait)),
            Ok(Made::Silent) => None,
            Err(error) => {
                worker::console_error!("bulk: {error:?}");
                None
            }
        })
    }

    async fn send(&self, store: &BulkStore, kind: Kind, mut batch: BatchRow) -> Result<()> {
        let (rows, items) = load(store, &batch)?;
        let options = json::parse(&store.options(batch.grp)?).unwrap_or_default();
        let bodies = items.iter().map(|item| item.body.clone()).collect();
        let reply = self.call(&bulk::request(kind, &options, bodies)).await?;
        match bulk::settle(kind, &items, reply.as_ref(), now()) {
            Settled::All(verdicts) => {
                let verdicts: Vec<_> = verdicts.into_iter().map(Some).collect();
                self.finish(store, batch, &rows, &verdicts)?;
            }
            Settled::Import(session, verdicts) => {
                batch.session = Some(session);
                batch.verdicts = verdicts_text(&batch.verdicts, &rows, &verdicts);
                batch.asked = 0;
                batch.next_at = now() + bulk::import_pause(0);
                store.put(&batch, Stage::Import)?;
            }
            Settled::Halve => {
                // Which one the platform minds, it does not always say.
                let middle = rows.get(rows.len() / 2 - 1).map_or(batch.first, |row| row.seq);
                let second = rows.get(rows.len() / 2).map_or(batch.last, |row| row.seq);
                store.put_together(batch.grp, second, batch.last, now())?;
                batch.last = middle;
                batch.next_at = now();
                store.put(&batch, Stage::Ready)?;
            }
            Settled::Later(wait, why) => {
                worker::console_warn!("{} {} wait: {why}", items.len(), kind.as_str());
                batch.next_at = now() + retry::pause(batch.asked, wait, random());
                batch.asked = batch.asked.saturating_add(1);
                store.put(&batch, Stage::Ready)?;
            }
            _ => return Err("an outcome of a kind that is not known here".into()),
        }
        Ok(())
    }

    /// Asks how far an import is.
    async fn follow(&self, store: &BulkStore, mut batch: BatchRow) -> Result<()> {
        let (rows, items) = load(store, &batch)?;
        let session = batch.session.clone().unwrap_or_default();
        let reply = self.call(&bulk::import_request(&session)).await?;
        match bulk::settle_import(&items, reply.as_ref(), now()) {
            Import::Finished(verdicts) => {
                let refused = json::parse(&batch.verdicts).unwrap_or_default();
                let verdicts: Vec<_> = rows
                    .iter()
                    .zip(verdicts)
                    .map(|(row, verdict)| {
                        refused.member(&row.seq.to_string()).is_none().then_some(verdict)
                    })
                    .collect();
                self.finish(store, batch, &rows, &verdicts)?;
            }
            Import::Failed(why) if batch.attempts + 1 >= MAX_IMPORTS => {
                let failed = vec![Some(Verdict::Failed(why)); rows.len()];
                self.finish(store, batch, &rows, &failed)?;
            }
            Import::Failed(why) => {
                worker::console_warn!("an import of {} failed: {why}", rows.len());
                batch.next_at = now() + retry::pause(batch.attempts, None, random());
                batch.attempts += 1;
                batch.session = None;
                store.put(&batch, Stage::Ready)?;
            }
            Import::UnderWay | Import::Later(_) if overdue(&batch) => {
                let why = "the platform's import did not end within a day".to_owned();
                let failed = vec![Some(Verdict::Failed(why)); rows.len()];
                self.finish(store, batch, &rows, &failed)?;
            }
            Import::UnderWay => {
                batch.asked = batch.asked.saturating_add(1);
                batch.next_at = now() + bulk::import_pause(batch.asked);
                store.put(&batch, Stage::Import)?;
            }
            Import::Later(wait) => {
                batch.next_at = now() + retry::pause(batch.asked, wait, random());
                batch.asked = batch.asked.saturating_add(1);
                store.put(&batch, Stage::Import)?;
            }
            _ => return Err("an outcome of a kind that is not known here".into()),
        }
        Ok(())
    }

    fn finish(
        &self,
        store: &BulkStore,
        mut batch: BatchRow,
        rows: &[ItemRow],
        verdicts: &[Option<Verdict>],
    ) -> Result<()> {
        batch.verdicts = verdicts_text(&batch.verdicts, rows, verdicts);
        batch.next_at = now();
        store.put(&batch, Stage::Done)?;
        self.settled.set(self.settled.get() + 1);
        Ok(())
    }
}

/// Whether an import has been followed for longer than anybody waits: its pauses are half a minute then.
fn overdue(batch: &BatchRow) -> bool {
    u64::from(batch.asked) * 30_000 > LONGEST_IMPORT
}

/// Makes batches of what is due.
fn put_together(store: &BulkStore, kind: Kind) -> Result<()> {
    let due = |count: u64, oldest, newest| {
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        bulk::due(kind, count, oldest, newest) <= now()
    };
    let piles = store.piles()?;
    if !piles.iter().any(|pile| due(pile.count, pile.oldest, pile.newest)) {
        return Ok(());
    }
    // Whoever is on the way already: what comes later about them waits, since the platform does not
    // keep the order among requests.
    let mut under_way: HashSet<String> = HashSet::new();
    for batch in store.open_batches()? {
        under_way.extend(store.items(&batch)?.iter().flat_map(keys_of));
    }
    for pile in piles {
        if !due(pile.count, pile.oldest, pile.newest) {
            continue;
        }
        let rows = store.waiting(pile.grp, kind.most())?;
        let free = |row: &&ItemRow| keys_of(row).iter().all(|key| !under_way.contains(key));
        let taken: Vec<&ItemRow> = rows.iter().take_while(free).collect();
        if let (Some(first), Some(last)) = (taken.first(), taken.last()) {
            store.put_together(pile.grp, first.seq, last.seq, now())?;
            under_way.extend(taken.iter().flat_map(|row| keys_of(row)));
        }
    }
    Ok(())
}

fn keys_of(row: &ItemRow) -> Vec<String> {
    serde_json::from_str(&row.keys).unwrap_or_default()
}

fn load(store: &BulkStore, batch: &BatchRow) -> Result<(Vec<ItemRow>, Vec<Item>)> {
    let rows = store.items(batch)?;
    let item = |row: &ItemRow| Item {
        body: json::parse(&row.body).unwrap_or_default(),
        keys: keys_of(row),
    };
    let items = rows.iter().map(item).collect();
    Ok((rows, items))
}

/// The verdicts of a batch with more of them: reasons as text, ids of contacts as numbers.
fn verdicts_text(known: &str, rows: &[ItemRow], verdicts: &[Option<Verdict>]) -> String {
    let mut all: BTreeMap<String, Told> = serde_json::from_str(known).unwrap_or_default();
    for (row, verdict) in rows.iter().zip(verdicts) {
        let told = match verdict {
            Some(Verdict::Failed(why)) => Told::Failed(why.clone()),
            Some(Verdict::Done(Some(id))) => Told::Done(*id),
            _ => continue,
        };
        all.insert(row.seq.to_string(), told);
    }
    serde_json::to_string(&all).unwrap_or_else(|_| "{}".to_owned())
}

fn result(id: &str, state: &str, more: Option<(&str, Value)>) -> Value {
    let mut members =
        vec![("id".to_owned(), Value::text(id)), ("state".to_owned(), Value::text(state))];
    members.extend(more.map(|(name, value)| (name.to_owned(), value)));
    Value::Object(members)
}

fn now() -> u64 {
    Date::now().as_millis()
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within the range")]
fn random() -> u32 {
    (js_sys::Math::random() * f64::from(u32::MAX)) as u32
}
