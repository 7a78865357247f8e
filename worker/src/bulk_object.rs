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
    bulk::{self, Import, Item, Kind, MAX_IMPORTS, MAX_REQUEST, Settled, Verdict},
    config::Config,
    json,
    promo::Wish,
    retry,
    value::Value,
};
use serde::{Deserialize, Serialize};
use worker::{Delay, DurableObject, Env, Method, Request, Response, Result, State, durable_object};

use crate::{
    answer::Error,
    api::{self, Made},
    bulk_store::{BatchRow, BulkStore, ItemRow, Known, Pile, WishRow},
    objects::{self, now, random},
    outbox_object::Person,
    pace::Denied,
    promo,
    settings::load_config,
};

/// How often the tables are cleaned, in milliseconds.
const CLEAN_EVERY: u64 = 60 * 60 * 1000;

/// The pause after an error of the object's own, in milliseconds.
const RETRY_ALARM: u64 = 10_000;

/// How often waiting callers look, in milliseconds.
const LOOK: u64 = 200;

/// So many steps of an alarm come before what they settled is handed on, if that is to be.
const ROUND: u32 = 16;

/// Requests that such a round takes: the governor's and the platform's for each step, and one more.
const ROUND_REQUESTS: u32 = 3 * ROUND + 1;

/// Most wishes that are handed on at a time.
const MOST_WISHES: u64 = 500;

/// How long one alarm works, in milliseconds: a third of what the runtime lets it.
const SHIFT: u64 = 5 * 60 * 1000;

/// After this an alarm that has not ended was ended by the runtime, in milliseconds.
const LOST_AFTER: u64 = 16 * 60 * 1000;

/// What waits that is looked at for one request: behind those who have to wait there may be others.
const LOOKED_AT: usize = 4000;

/// What the Worker hands over.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Handed {
    pub(crate) id: String,
    pub(crate) options: String,
    /// Bodies and keys, both as JSON text.
    pub(crate) items: Vec<(String, String)>,
    pub(crate) hash: String,
    pub(crate) received: u64,
    /// What the contact is to get once they are subscribed, as JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) wish: Option<String>,
}

/// A question for verdicts.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Question {
    pub(crate) ids: Vec<String>,
    /// For how many milliseconds to wait for them.
    #[serde(default)]
    pub(crate) wait: u64,
}

/// A verdict as it is stored.
#[derive(Clone, Debug, Serialize, Deserialize)]
enum Told {
    /// Done, with the contact's id where the platform told it.
    #[serde(rename = "d")]
    Done(Option<i64>),
    /// A subscription: the contact's id, what it came to for the address, whether the contact is new.
    #[serde(rename = "s")]
    Subscribed(Option<i64>, Option<String>, bool),
    /// Failed, with the reason.
    #[serde(rename = "f")]
    Failed(String),
}

/// Contacts, or orders, on their way.
#[durable_object]
#[expect(unnameable_types, reason = "the runtime makes it; nobody names it")]
#[expect(missing_debug_implementations, reason = "its state and environment have none")]
pub struct BulkObject {
    state: State,
    env: Env,
    store: RefCell<Option<Rc<BulkStore>>>,
    /// Since when an alarm works.
    working: Cell<Option<u64>>,
    armed: Cell<Option<u64>>,
    /// Before this nothing is tried, after an error of the object's own.
    rests_until: Cell<u64>,
    cleaned: Cell<u64>,
    /// What waits in each group, while nothing but more of it has come.
    piles: RefCell<Option<BTreeMap<i64, Pile>>>,
    /// Groups of which all that waits is about somebody who is on the way already.
    blocked: RefCell<HashSet<i64>>,
    /// Who is on the way, by batch.
    under_way: RefCell<Option<HashMap<i64, HashSet<String>>>>,
    /// Counts what was settled, so that those who wait need not look into the store.
    settled: Cell<u64>,
}

impl DurableObject for BulkObject {
    fn new(state: State, env: Env) -> Self {
        Self {
            state,
            env,
            store: RefCell::default(),
            working: Cell::new(None),
            armed: Cell::new(None),
            rests_until: Cell::new(0),
            cleaned: Cell::new(0),
            piles: RefCell::default(),
            blocked: RefCell::default(),
            under_way: RefCell::default(),
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
                if !self.add(&store, &handed)? {
                    return Response::error("", 409);
                }
                self.arm(&store).await?;
                "{}".to_owned()
            }
            "/verdicts" => self.answer(&store, &serde_json::from_str(&text)?).await?,
            "/erase" => {
                let person: Person = serde_json::from_str(&text)?;
                let found = store.items_with(&person.keys)?;
                found.iter().try_for_each(|seq| store.blot(*seq))?;
                self.state.storage().sync().await?;
                let failed = serde_json::to_string(&Told::Failed("erased".to_owned()))?;
                for seq in &found {
                    store.erase(*seq, &failed)?;
                }
                self.piles.take();
                self.under_way.take();
                self.blocked.borrow_mut().clear();
                self.settled.set(self.settled.get() + 1);
                format!("{{\"erased\":{}}}", found.len())
            }
            "/stats" => {
                let (waiting, sent) = store.counts()?;
                format!("{{\"waiting\":{waiting},\"under_way\":{sent}}}")
            }
            "/wake" => {
                self.armed.set(None);
                self.arm(&store).await?;
                "{}".to_owned()
            }
            _ => return Response::error("", 404),
        };
        Ok(objects::respond(answer))
    }

    async fn alarm(&self) -> Result<Response> {
        self.armed.set(None);
        let lost = |since: u64| since + LOST_AFTER < now();
        if self.working.get().is_none_or(lost) {
            self.working.set(Some(now()));
            // An alarm that fails is tried six times and then never again, so nothing may leave here.
            if let Err(error) = self.work().await {
                worker::console_error!("bulk: {error}");
                // What was done meanwhile, the store knows.
                self.piles.take();
                self.under_way.take();
                self.rests_until.set(now() + RETRY_ALARM);
            }
            self.working.set(None);
        }
        let armed = match self.open() {
            Ok(store) => self.arm(&store).await,
            Err(error) => Err(error),
        };
        if let Err(error) = armed {
            worker::console_error!("alarm: {error}");
            self.set_alarm(RETRY_ALARM).await?;
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

    async fn set_alarm(&self, wait: u64) -> Result<()> {
        self.state.storage().set_alarm(i64::try_from(wait).unwrap_or(i64::MAX)).await
    }

    /// Stores what is handed in, once for each id; `false` if something else was, under the same id.
    fn add(&self, store: &BulkStore, handed: &Handed) -> Result<bool> {
        let known = store.known(&handed.id)?.len();
        match store.handed(&handed.id)? {
            Some(hash) if hash != handed.hash => return Ok(false),
            Some(_) if known >= handed.items.len() => return Ok(true),
            Some(_) => {}
            None => store.hand_in(&handed.id, &handed.hash, handed.received)?,
        }
        let grp = store.group(&handed.options)?;
        for (part, item) in handed.items.iter().enumerate().skip(known) {
            store.add(&handed.id, part, grp, item, handed.received)?;
        }
        if let Some(wish) = &handed.wish {
            store.wish(&handed.id, wish)?;
        }
        self.blocked.borrow_mut().remove(&grp);
        if let Some(piles) = &mut *self.piles.borrow_mut() {
            let received = handed.received;
            let none = || Pile { grp, count: 0, oldest: received, newest: 0 };
            let pile = piles.entry(grp).or_insert_with(none);
            pile.count += (handed.items.len() - known) as u64;
            pile.newest = pile.newest.max(received);
        }
        Ok(true)
    }

    /// When what waits is to be sent.
    fn piles_due(&self, store: &BulkStore, kind: Kind) -> Result<Vec<(i64, u64)>> {
        let mut piles = self.piles.borrow_mut();
        if piles.is_none() {
            let found = store.piles()?.into_iter().map(|pile| (pile.grp, pile));
            *piles = Some(found.collect());
        }
        let blocked = self.blocked.borrow();
        let due = |pile: &Pile| {
            let count = usize::try_from(pile.count).unwrap_or(usize::MAX);
            (pile.grp, bulk::due(kind, count, pile.oldest, pile.newest))
        };
        let free = |pile: &&Pile| pile.count > 0 && !blocked.contains(&pile.grp);
        Ok(piles.iter().flat_map(BTreeMap::values).filter(free).map(due).collect())
    }

    async fn answer(&self, store: &BulkStore, question: &Question) -> Result<String> {
        let until = now() + question.wait;
        loop {
            let seen = self.settled.get();
            let (results, complete) = look(store, &question.ids)?;
            if complete || now() >= until {
                return Ok(Value::Object(vec![("results".into(), Value::List(results))]).to_json());
            }
            while self.settled.get() == seen && now() < until {
                Delay::from(Duration::from_millis(LOOK)).await;
            }
        }
    }

    /// Sets the alarm for what is to be done next.
    async fn arm(&self, store: &BulkStore) -> Result<()> {
        if self.working.get().is_some_and(|since| since + LOST_AFTER > now()) {
            return Ok(());
        }
        let kind = self.kind()?;
        let piles = self.piles_due(store, kind)?;
        let batch = store.open_batches()?.first().map(|batch| batch.next_at);
        // Nothing else has any.
        let wish = if kind == Kind::Subscriptions { store.next_wish()? } else { None };
        let next = piles.into_iter().map(|(_, due)| due).chain(batch).chain(wish).min();
        let Some(next) = next else { return Ok(()) };
        let next = next.max(self.rests_until.get());
        // An alarm that rings a little early costs nothing; one for each contact would.
        if self.armed.get().is_some_and(|armed| armed <= next && armed + 60_000 > now()) {
            return Ok(());
        }
        let wait = next.saturating_sub(now()).clamp(10, 60_000);
        self.set_alarm(wait).await?;
        self.armed.set(Some(now() + wait));
        Ok(())
    }

    /// Does what is due, within the requests and the time that one alarm has.
    async fn work(&self) -> Result<()> {
        let store = self.open()?;
        let begun = now();
        if begun.saturating_sub(self.cleaned.get()) > CLEAN_EVERY {
            self.cleaned.set(begun);
            store.clean(begun)?;
        }
        let kind = self.kind()?;
        let config = load_config(&self.env).map_err(|_| "the settings cannot be read")?;
        let steps = config.outbox.subrequests.saturating_mul(ROUND) / ROUND_REQUESTS;
        for step in 0..steps.max(1) {
            if step % ROUND == ROUND - 1 {
                self.hand_wishes_on(&store, &config).await?;
            }
            self.put_together(&store, kind)?;
            let due = store.open_batches()?.into_iter().next();
            let Some(batch) = due.filter(|batch| batch.next_at <= now()) else { break };
            if now() > begun + SHIFT {
                break;
            }
            match batch.state.as_str() {
                "import" => self.follow(&store, batch).await?,
                _ => self.send(&store, kind, batch).await?,
            }
        }
        self.hand_wishes_on(&store, &config).await
    }

    /// Hands on what those are to get whom the platform has subscribed.
    async fn hand_wishes_on(&self, store: &BulkStore, config: &Config) -> Result<()> {
        let rows = store.wishes(now(), MOST_WISHES)?;
        if rows.is_empty() {
            return Ok(());
        }
        let wishes: serde_json::Result<Vec<Option<Wish>>> = rows.iter().map(earned).collect();
        let handed = match wishes {
            Ok(wishes) => {
                let wishes: Vec<Wish> = wishes.into_iter().flatten().collect();
                promo::hand_over(&self.env, config, &wishes).await
            }
            Err(error) => Err(Error::Internal(error.into())),
        };
        if let Err(error) = &handed {
            worker::console_error!("promo codes: {error:?}");
        }
        for WishRow { id, .. } in &rows {
            match &handed {
                Ok(()) => store.drop_wish(id)?,
                // They stay until they are taken: a second time does nothing.
                Err(_) => store.put_wish_off(id, now() + RETRY_ALARM)?,
            }
        }
        Ok(())
    }

    /// Makes batches of what is due.
    fn put_together(&self, store: &BulkStore, kind: Kind) -> Result<()> {
        for (group, due) in self.piles_due(store, kind)? {
            if due > now() {
                continue;
            }
            self.load_under_way(store)?;
            let mut under_way = self.under_way.borrow_mut();
            let under_way = under_way.get_or_insert_default();
            // Whoever is on the way already waits, since the platform keeps no order among requests;
            // and so does whoever would overtake one who waits.
            let mut taken: HashSet<String> = HashSet::new();
            let mut waits: HashSet<String> = HashSet::new();
            let mut stretches: Vec<(i64, i64)> = Vec::new();
            let (mut count, mut size, mut joins) = (0, 0, false);
            for item in store.waiting(group, LOOKED_AT.max(kind.most()))? {
                let keys = keys_of(&item.keys);
                let held = keys.iter().any(|key| {
                    taken.contains(key)
                        || waits.contains(key)
                        || under_way.values().any(|batch| batch.contains(key))
                });
                if held {
                    waits.extend(keys);
                    joins = false;
                    continue;
                }
                if count == kind.most() || (count > 0 && size + item.size > MAX_REQUEST) {
                    break;
                }
                match stretches.last_mut().filter(|_| joins) {
                    Some((_, last)) => *last = item.seq,
                    None => stretches.push((item.seq, item.seq)),
                }
                joins = true;
                count += 1;
                size += item.size;
                taken.extend(keys);
            }
            if stretches.is_empty() {
                self.blocked.borrow_mut().insert(group);
                continue;
            }
            let batch = store.put_together(group, &stretches, now())?;
            under_way.insert(batch, taken);
            self.piles.take();
        }
        Ok(())
    }

    fn load_under_way(&self, store: &BulkStore) -> Result<()> {
        if self.under_way.borrow().is_some() {
            return Ok(());
        }
        let mut under_way = HashMap::new();
        for batch in store.open_batches()? {
            let keys = store.keys(batch.id)?.iter().flat_map(|keys| keys_of(keys)).collect();
            under_way.insert(batch.id, keys);
        }
        *self.under_way.borrow_mut() = Some(under_way);
        Ok(())
    }

    /// Makes a call; what was not made is answered as the platform would have. The second says whether
    /// it was made.
    async fn call(&self, call: &Call) -> Result<(Option<Reply>, bool)> {
        let config = load_config(&self.env).map_err(|_| "the settings cannot be read")?;
        let held = |status: u16, wait: u64| {
            let retry_after = Some(wait.div_ceil(1000).to_string());
            (Some(Reply { status, retry_after, ..Reply::default() }), false)
        };
        Ok(match api::make(&self.env, &config, call, true).await {
            Ok(Made::Answered(reply)) => (Some(reply), true),
            Ok(Made::Silent) => (None, true),
            Ok(Made::Held(Denied::Full(wait))) => held(429, wait),
            Ok(Made::Held(Denied::Failing(wait))) => held(503, wait),
            Ok(Made::Held(Denied::Key(wait))) => held(401, wait),
            Err(error) => {
                worker::console_error!("bulk: {error:?}");
                held(503, RETRY_ALARM)
            }
        })
    }

    async fn send(&self, store: &BulkStore, kind: Kind, mut batch: BatchRow) -> Result<()> {
        let (rows, items) = load(store, &batch)?;
        if rows.is_empty() {
            return self.finish(store, batch);
        }
        let options = json::parse(&store.options(batch.grp)?).unwrap_or_default();
        let (reply, was_made) = self.call(&bulk::request(kind, &options, &items)).await?;
        let mut settled = bulk::settle(kind, &items, reply.as_ref(), now());
        if let Settled::Later(_, true) = settled
            && was_made
        {
            batch.failures = batch.failures.saturating_add(1);
            settled = bulk::after_failures(batch.failures, items.len()).unwrap_or(settled);
        }
        match settled {
            Settled::All(verdicts) => {
                settle(store, &rows, verdicts.into_iter().map(Some))?;
                self.finish(store, batch)?;
            }
            Settled::Import(session, verdicts) => {
                settle(store, &rows, verdicts)?;
                "import".clone_into(&mut batch.state);
                batch.session = Some(session);
                batch.begun = now();
                (batch.asked, batch.failures) = (0, 0);
                batch.next_at = now() + bulk::import_pause(0);
                store.put(&batch)?;
            }
            Settled::Halve => {
                // Which one the platform minds, it does not always say.
                let middle = rows.get((rows.len() / 2).saturating_sub(1)).copied().unwrap_or(0);
                let second = store.split(&batch, middle, now())?;
                batch.failures = 0;
                batch.next_at = now();
                store.put(&batch)?;
                let mut under_way = self.under_way.borrow_mut();
                let under_way = under_way.get_or_insert_default();
                let keys = under_way.get(&batch.id).cloned().unwrap_or_default();
                under_way.insert(second, keys);
            }
            Settled::Later(wait, _) => {
                let status = reply.map_or(0, |reply| reply.status);
                worker::console_warn!("{} {} wait ({status})", items.len(), kind.as_str());
                batch.next_at = now() + retry::pause(batch.asked, wait, random());
                batch.asked = batch.asked.saturating_add(1);
                store.put(&batch)?;
            }
            _ => return Err("an outcome of a kind that is not known here".into()),
        }
        Ok(())
    }

    /// Asks how far an import is.
    async fn follow(&self, store: &BulkStore, mut batch: BatchRow) -> Result<()> {
        let (rows, items) = load(store, &batch)?;
        let session = batch.session.clone().unwrap_or_default();
        let (reply, _) = self.call(&bulk::import_request(&session)).await?;
        match bulk::settle_import(&items, reply.as_ref(), batch.begun, now()) {
            Import::Finished(verdicts) => {
                settle(store, &rows, verdicts.into_iter().map(Some))?;
                self.finish(store, batch)?;
            }
            Import::Failed(why) if batch.imports + 1 >= MAX_IMPORTS => {
                let failed = Verdict::Failed(why);
                settle(store, &rows, rows.iter().map(|_| Some(failed.clone())))?;
                self.finish(store, batch)?;
            }
            Import::Failed(_) => {
                worker::console_warn!("an import of {} failed", rows.len());
                batch.next_at = now() + retry::pause(batch.imports, None, random());
                batch.imports += 1;
                "ready".clone_into(&mut batch.state);
                batch.session = None;
                batch.asked = 0;
                store.put(&batch)?;
            }
            Import::UnderWay => {
                batch.asked = batch.asked.saturating_add(1);
                batch.next_at = now() + bulk::import_pause(batch.asked);
                store.put(&batch)?;
            }
            Import::Later(wait) => {
                batch.next_at = now() + retry::pause(batch.asked, wait, random());
                batch.asked = batch.asked.saturating_add(1);
                store.put(&batch)?;
            }
            _ => return Err("an outcome of a kind that is not known here".into()),
        }
        Ok(())
    }

    fn finish(&self, store: &BulkStore, mut batch: BatchRow) -> Result<()> {
        "done".clone_into(&mut batch.state);
        batch.next_at = now();
        store.put(&batch)?;
        if let Some(under_way) = &mut *self.under_way.borrow_mut() {
            under_way.remove(&batch.id);
        }
        self.blocked.borrow_mut().clear();
        self.settled.set(self.settled.get() + 1);
        Ok(())
    }
}

/// What somebody is to get, if the platform has subscribed them.
fn earned(row: &WishRow) -> serde_json::Result<Option<Wish>> {
    let wish: Wish = serde_json::from_str(&row.wish)?;
    let is_earned = match serde_json::from_str(&row.verdict)? {
        Told::Failed(_) => false,
        Told::Subscribed(_, status, _) => wish.is_earned(status.as_deref()),
        Told::Done(_) => wish.is_earned(None),
    };
    Ok(is_earned.then_some(wish))
}

/// Stores verdicts, for those who have one.
fn settle(
    store: &BulkStore,
    rows: &[i64],
    verdicts: impl IntoIterator<Item = Option<Verdict>>,
) -> Result<()> {
    for (row, verdict) in rows.iter().zip(verdicts) {
        let told = match verdict {
            Some(Verdict::Failed(why)) => Told::Failed(why),
            Some(Verdict::Done(id)) => Told::Done(id),
            Some(Verdict::Subscribed { id, status, is_new }) => {
                Told::Subscribed(id, status, is_new)
            }
            _ => continue,
        };
        store.settle(*row, &serde_json::to_string(&told)?)?;
    }
    Ok(())
}

/// What a batch holds that has no verdict, and where that is stored.
fn load(store: &BulkStore, batch: &BatchRow) -> Result<(Vec<i64>, Vec<Item>)> {
    let item = |row: ItemRow| (row.seq, Item { body: row.body, keys: keys_of(&row.keys) });
    Ok(store.items(batch.id)?.into_iter().map(item).unzip())
}

fn keys_of(text: &str) -> Vec<String> {
    serde_json::from_str(text).unwrap_or_default()
}

/// What is known of each id, and whether that is all there will be.
fn look(store: &BulkStore, ids: &[String]) -> Result<(Vec<Value>, bool)> {
    let mut complete = true;
    let mut results = Vec::new();
    for id in ids {
        let known = store.known(id)?;
        if known.is_empty() {
            results.push(result(id, "unknown", []));
        }
        for Known { verdict, batch } in known {
            let told = verdict.map(|text| serde_json::from_str::<Told>(&text)).transpose()?;
            complete &= told.is_some();
            let text = |name, text: String| Some((name, Value::Text(text)));
            let number = |id: i64| ("contact_id", Value::Number(id.to_string()));
            let (state, more) = match told {
                Some(Told::Failed(why)) => ("failed", vec![text("message", why)]),
                Some(Told::Done(id)) => ("done", vec![id.map(number)]),
                Some(Told::Subscribed(id, status, is_new)) => {
                    let status = status.and_then(|status| text("email_status", status));
                    ("done", vec![id.map(number), status, Some(("is_new", Value::Bool(is_new)))])
                }
                None if batch.is_some() => ("sent", Vec::new()),
                None => ("waiting", Vec::new()),
            };
            let more = more.into_iter().flatten();
            results.push(result(id, state, more));
        }
    }
    Ok((results, complete))
}

fn result<'a>(id: &str, state: &str, more: impl IntoIterator<Item = (&'a str, Value)>) -> Value {
    let mut members =
        vec![("id".to_owned(), Value::text(id)), ("state".to_owned(), Value::text(state))];
    members.extend(more.into_iter().map(|(name, value)| (name.to_owned(), value)));
    Value::Object(members)
}
