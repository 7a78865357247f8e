//! The Durable Object that holds a site's catalogue: what the shop's feed says of its products, what the
//! shop's server said since, and what was bought.
//!
//! The feed is read in the alarm, as it streams, while questions are answered out of the catalogue as it
//! was before; see the core's `catalogue::import` for what is promised.

use std::{
    cell::{Cell, RefCell},
    collections::{HashMap, HashSet},
    rc::Rc,
};

use esputnik_kit::{
    catalogue::{
        Index, Item,
        import::{Before, Import, Oddity},
        key_of,
        query::{MAX_FOUND, Order, Query, Recent, all, gone, rank},
        schedule::{State as Imports, Version, feed_time},
        update::{id_of, merged, updated},
    },
    config::FeedConfig,
    json,
    value::Value,
};
use worker::{DurableObject, Env, Method, Request, Response, Result, State, durable_object};

use crate::{
    catalogue::{Ids, Sold, said},
    catalogue_store::{CatalogueStore, Stored},
    host::OpenFeed,
    objects::{self, now},
    settings::load_config,
};

/// How long a feed may take, in milliseconds: two thirds of what the runtime lets an alarm.
const PATIENCE: u32 = 10 * 60 * 1000;

/// How long it may be silent, in milliseconds. Shops that make it while they send it pause.
const SILENCE: u32 = 60 * 1000;

/// Longest feed, in bytes: some 400,000 products.
const MAX_FEED: usize = 512 * 1024 * 1024;

/// After this an import that has not ended was ended by the runtime, in milliseconds.
const LOST_AFTER: u64 = 16 * 60 * 1000;

/// The pause after an error of the object's own, in milliseconds.
const RETRY_ALARM: i64 = 60_000;

/// Most products of a catalogue in which each is looked at for a value that has no list.
const MAX_SEARCHED: usize = 2000;

/// Products that are looked at at a time, and most that are read for an answer.
const PAGE: usize = 50;
const MAX_READ: usize = 1000;

/// Most ids of one question.
const MAX_IDS: usize = 100;

/// As many of one line of an order count: a wholesaler's order makes no bestseller.
const MAX_QUANTITY: u64 = 10;

/// Lines of orders that are counted at a time.
const MAX_LINES: usize = 1000;

/// A site's catalogue.
#[durable_object]
#[expect(unnameable_types, reason = "the runtime makes it; nobody names it")]
#[expect(missing_debug_implementations, reason = "its state and environment have none")]
pub struct CatalogueObject {
    state: State,
    env: Env,
    store: RefCell<Option<Rc<CatalogueStore>>>,
    index: RefCell<Option<Rc<Index>>>,
    imports: RefCell<Imports>,
    /// Since when an import is under way.
    importing: Cell<Option<u64>>,
    armed: Cell<Option<u64>>,
    /// What was bought lately, and on which day that was found out.
    sold: RefCell<Option<(u64, HashMap<u64, u64>)>>,
    /// What was found just now, until something changes.
    recent: RefCell<Recent>,
}

impl DurableObject for CatalogueObject {
    fn new(state: State, env: Env) -> Self {
        Self {
            state,
            env,
            store: RefCell::default(),
            index: RefCell::default(),
            imports: RefCell::default(),
            importing: Cell::new(None),
            armed: Cell::new(None),
            sold: RefCell::default(),
            recent: RefCell::default(),
        }
    }

    async fn fetch(&self, mut request: Request) -> Result<Response> {
        let store = self.open()?;
        let path = request.path();
        let text =
            if request.method() == Method::Post { request.text().await? } else { String::new() };
        let answer = match path.as_str() {
            "/lookup" => {
                let Ids { ids } = serde_json::from_str(&text)?;
                let items = self.lookup(&store, ids.iter().take(MAX_IDS))?;
                ["{\"items\":[", &items.join(","), "]}"].concat()
            }
            "/find" => self.find_again(&store, serde_json::from_str(&text)?)?,
            "/update" => {
                self.recent.take();
                let (at, products) = said(&text).map_err(|problem| problem.to_string())?;
                keep(&store, at, self.imports.borrow().knows_until, &products)?;
                "{}".to_owned()
            }
            "/sold" => {
                self.recent.take();
                self.count(&store, &serde_json::from_str(&text)?)?;
                "{}".to_owned()
            }
            "/import" => {
                if !self.is_importing() {
                    self.imports.borrow_mut().handle_order();
                    store.put_state(&self.imports.borrow())?;
                    self.armed.set(None);
                }
                self.report(&store)
            }
            "/wake" => {
                self.armed.set(None);
                "{}".to_owned()
            }
            "/state" => self.report(&store),
            _ => return Response::error("", 404),
        };
        self.arm().await?;
        Ok(objects::respond(answer))
    }

    async fn alarm(&self) -> Result<Response> {
        self.armed.set(None);
        // An alarm that fails is tried six times and then never again, so nothing may leave here.
        if let Err(error) = self.work().await {
            worker::console_error!("import: {error}");
            // What was done meanwhile, the store knows.
            self.store.take();
            self.index.take();
            self.recent.take();
        }
        let armed = match self.open() {
            Ok(_) => self.arm().await,
            Err(error) => Err(error),
        };
        if let Err(error) = armed {
            worker::console_error!("alarm: {error}");
            self.state.storage().set_alarm(RETRY_ALARM).await?;
        }
        Response::ok("")
    }
}

impl CatalogueObject {
    fn open(&self) -> Result<Rc<CatalogueStore>> {
        if let Some(store) = &*self.store.borrow() {
            return Ok(Rc::clone(store));
        }
        let store = Rc::new(CatalogueStore::open(self.state.storage().sql())?);
        let mut imports = store.state()?;
        if let Some(feed) = self.feed()? {
            imports.handle_settings(&feed.address, &feed.fields);
        }
        *self.imports.borrow_mut() = imports;
        *self.store.borrow_mut() = Some(Rc::clone(&store));
        Ok(store)
    }

    fn index(&self, store: &CatalogueStore) -> Result<Rc<Index>> {
        if let Some(index) = &*self.index.borrow() {
            return Ok(Rc::clone(index));
        }
        let index = Rc::new(store.index()?);
        *self.index.borrow_mut() = Some(Rc::clone(&index));
        Ok(index)
    }

    fn feed(&self) -> Result<Option<FeedConfig>> {
        let config = load_config(&self.env).map_err(|_| "the settings cannot be read")?;
        let name = self.state.id().name().unwrap_or_default();
        Ok(config.sites.get(&name).and_then(|site| site.feed.clone()))
    }

    fn is_importing(&self) -> bool {
        self.importing.get().is_some_and(|since| since + LOST_AFTER > now())
    }

    fn report(&self, store: &CatalogueStore) -> String {
        let mut report = self.imports.borrow().to_value(self.is_importing());
        if let Value::Object(members) = &mut report {
            members.push(("rows_written".into(), Value::whole(store.written())));
        }
        report.to_json()
    }

    /// Sees to it that an alarm comes when an import is due.
    async fn arm(&self) -> Result<()> {
        if self.is_importing() || self.feed()?.is_none() {
            return Ok(());
        }
        let next = self.imports.borrow().next_at;
        if self.armed.get() == Some(next) {
            return Ok(());
        }
        let storage = self.state.storage();
        // Setting an alarm is a row written, so one that comes in time stays.
        let known = storage.get_alarm().await?.and_then(|at| u64::try_from(at).ok());
        let is_set = known.is_some_and(|at| at <= next.max(now()) && at + LOST_AFTER > now());
        if !is_set {
            let wait = next.saturating_sub(now()).max(10);
            storage.set_alarm(i64::try_from(wait).unwrap_or(i64::MAX)).await?;
        }
        self.armed.set(Some(next));
        Ok(())
    }

    /// Imports the feed, if that is due.
    async fn work(&self) -> Result<()> {
        let store = self.open()?;
        let Some(feed) = self.feed()? else { return Ok(()) };
        if self.is_importing() || !self.imports.borrow().is_due(now()) {
            return Ok(());
        }
        self.imports.borrow_mut().handle_begin(now(), feed.hours);
        store.put_state(&self.imports.borrow())?;
        self.importing.set(Some(now()));
        let ended = self.import(&store, &feed).await;
        self.importing.set(None);
        let problem = match ended {
            Ok(()) => None,
            Err(Failure::Told(problem)) => Some(problem),
            Err(Failure::Own(error)) => {
                worker::console_error!("import: {error}");
                // What of it was done, the store knows.
                self.index.take();
                self.recent.take();
                Some("the import failed; the Worker's log says why".to_owned())
            }
        };
        if let Some(problem) = problem {
            self.imports.borrow_mut().handle_failure(problem);
        }
        store.put_state(&self.imports.borrow())?;
        store.clean(now())
    }

    async fn import(
        &self,
        store: &CatalogueStore,
        feed: &FeedConfig,
    ) -> std::result::Result<(), Failure> {
        let begun = now();
        let known = {
            let imports = self.imports.borrow();
            (imports.etag.clone(), imports.modified.clone())
        };
        let known = (known.0.as_deref(), known.1.as_deref());
        let source = OpenFeed::open(&feed.address, known, PATIENCE, SILENCE).await;
        let source = source.map_err(|_| told("the feed cannot be reached"))?;
        match source.feed_status() {
            200 => {}
            304 if known != (None, None) => {
                source.end_feed();
                self.imports.borrow_mut().handle_unchanged(now(), feed.hours);
                return Ok(());
            }
            status => {
                source.end_feed();
                return Err(told(&match status {
                    301..=303 | 307 | 308 => format!(
                        "the feed leads elsewhere ({status}), which is not followed: give the address \
                         where it is"
                    ),
                    status => format!("the shop answers {status} for the feed"),
                }));
            }
        }
        let mut import = Import::new(store.packs()?, feed.fields.clone());
        let (mut length, mut broke_off) = (0, false);
        loop {
            let bytes = match source.next().await {
                Ok(Some(bytes)) => bytes,
                Ok(None) => break,
                // What came of it counts, as of one that ends too soon.
                Err(_) => {
                    broke_off = true;
                    break;
                }
            };
            length += bytes.len();
            for pack in import.handle_bytes(&bytes) {
                store.put_pack(&pack)?;
            }
            if import.is_done() || length > MAX_FEED {
                source.end_feed();
                break;
            }
        }
        for pack in import.handle_end() {
            store.put_pack(&pack)?;
        }
        // From here on without a pause: what is written is one transaction.
        let index = self.index(store)?;
        let shrunk = self.imports.borrow().shrunk;
        let lists = if import.keeps(&index, shrunk) { store.lists()? } else { Vec::new() };
        let before = Before { index: Index::clone(&index), lists, shrunk };
        let after = import.finish(before);
        let after = after.map_err(|refusal| {
            if broke_off {
                return told("the feed broke off");
            }
            told(&format!("the feed cannot be read: {refusal}"))
        })?;
        self.recent.take();
        store.replace(&after)?;
        let version = Version { etag: source.etag(), modified: source.modified() };
        // What the shop's server said before the feed was written, the feed knows, if all of it is here.
        if !matches!(after.oddity, Some(Oddity::Cut | Oddity::Shrunk(..))) {
            let time = feed_time(&version, begun);
            store.drop_changes(time)?;
            self.imports.borrow_mut().knows_until = time;
        }
        self.imports.borrow_mut().handle_import(&after, version, now(), feed.hours);
        *self.index.borrow_mut() = Some(Rc::new(after.index));
        Ok(())
    }

    /// Products as JSON, `null` for those that are not known.
    fn lookup<'a>(
        &self,
        store: &CatalogueStore,
        ids: impl Iterator<Item = &'a String>,
    ) -> Result<Vec<String>> {
        let index = self.index(store)?;
        let asked: Vec<(u64, Option<u64>)> =
            ids.map(|id| key_of(id)).map(|key| (key, index.pack_of(key))).collect();
        let found = store.read(&asked)?.into_iter().map(|stored| match stored {
            Stored { body: Some(body), change: None } => body,
            stored => {
                item(&stored).map_or_else(|| "null".to_owned(), |item| item.to_value().to_json())
            }
        });
        Ok(found.collect())
    }

    /// What a query finds, or found just now.
    fn find_again(&self, store: &CatalogueStore, query: Query) -> Result<String> {
        if let Some(found) = self.recent.borrow().get(&query, now()) {
            return Ok(found.to_string());
        }
        let found = self.find(store, &query)?;
        self.recent.borrow_mut().put(query, found.as_str().into(), now());
        Ok(found)
    }

    fn find(&self, store: &CatalogueStore, query: &Query) -> Result<String> {
        let index = self.index(store)?;
        let fields = self.feed()?.map(|feed| feed.fields).unwrap_or_default();
        let has_list = |field: &String| field == "category" || fields.contains(field);
        let is_listed = !query.any && query.field.as_ref().is_none_or(has_list);
        if !is_listed && index.len() > MAX_SEARCHED {
            return Ok("{}".to_owned());
        }
        let mut keys = store.list(if is_listed { query.list() } else { all() })?;
        if query.in_stock {
            let gone = store.list(gone())?;
            if !gone.is_empty() {
                let mut gone: HashSet<u64> = gone.into_iter().collect();
                // Of these the list does not know enough.
                for key in store.changed()? {
                    gone.remove(&key);
                }
                keys.retain(|key| !gone.contains(key));
            }
        }
        if query.order == Order::Bestsellers {
            self.rank(store, &mut keys)?;
        }
        let limit = query.limit.min(MAX_FOUND);
        keys.truncate(if is_listed { MAX_READ } else { MAX_SEARCHED });
        let mut found: Vec<String> = Vec::new();
        let mut rest = keys.as_slice();
        while found.len() < limit && !rest.is_empty() {
            // Where lists say who is in, mostly as many as are wanted are enough.
            let page = if is_listed { limit - found.len() } else { PAGE };
            let (page, left) = rest.split_at(page.min(rest.len()));
            rest = left;
            let asked: Vec<_> = page.iter().map(|key| (*key, index.pack_of(*key))).collect();
            for stored in store.read(&asked)? {
                match stored {
                    Stored { body: Some(body), change: None } if is_listed => found.push(body),
                    stored => {
                        let fits = |item: &Item| {
                            (item.in_stock || !query.in_stock) && (is_listed || query.matches(item))
                        };
                        found.extend(
                            item(&stored).filter(fits).map(|item| item.to_value().to_json()),
                        );
                    }
                }
            }
        }
        found.truncate(limit);
        Ok(["{\"items\":[", &found.join(","), "]}"].concat())
    }

    /// Counts what was bought, of what there is.
    fn count(&self, store: &CatalogueStore, sold: &Sold) -> Result<()> {
        let index = self.index(store)?;
        let mut lines: Vec<(u64, u64)> = Vec::new();
        for (id, quantity) in sold.products.iter().take(MAX_LINES) {
            let (key, quantity) = (key_of(id), (*quantity).min(MAX_QUANTITY));
            if index.pack_of(key).is_some() && quantity > 0 {
                lines.push((key, quantity));
            }
        }
        if lines.is_empty() {
            return Ok(());
        }
        // Two lines of one product would be two rows.
        lines.sort_unstable();
        lines.dedup_by(|later, first| {
            let same = later.0 == first.0;
            first.1 += if same { later.1 } else { 0 };
            same
        });
        store.add_sold(sold.at, &lines)?;
        if let Some((_, known)) = &mut *self.sold.borrow_mut() {
            for (key, quantity) in lines {
                *known.entry(key).or_default() += quantity;
            }
        }
        Ok(())
    }

    /// Puts what was bought most lately in front.
    fn rank(&self, store: &CatalogueStore, keys: &mut Vec<u64>) -> Result<()> {
        const DAY: u64 = 24 * 60 * 60 * 1000;
        let today = now() / DAY;
        let mut known = self.sold.borrow_mut();
        let fresh = match known.take().filter(|(day, _)| *day == today) {
            Some(fresh) => fresh,
            None => (today, store.sold(now())?),
        };
        rank(keys, &fresh.1);
        *known = Some(fresh);
        Ok(())
    }
}

/// Keeps what the shop's server said of products at a time, unless that was before what the feed knows.
fn keep(store: &CatalogueStore, at: u64, feed: u64, updates: &[Value]) -> Result<()> {
    if at < feed {
        return Ok(());
    }
    for update in updates {
        let Some(id) = id_of(update) else { continue };
        let key = key_of(id);
        let before = store.change(key)?.and_then(|(at, text)| Some((at, json::parse(&text).ok()?)));
        // Two ids can have one key.
        let before = before.filter(|(_, before)| id_of(before) == Some(id));
        let (at, body) = match before {
            // This came before that, and comes again or late.
            Some((last, newer)) if last >= at => (last, merged(update.clone(), &newer)),
            Some((_, older)) => (at, merged(older, update)),
            None => (at, update.clone()),
        };
        store.put_change(key, body.to_json(), at)?;
    }
    Ok(())
}

/// Why an import failed.
enum Failure {
    /// For a reason that the shop is told.
    Told(String),
    /// By a fault of the object's own.
    Own(worker::Error),
}

impl From<worker::Error> for Failure {
    fn from(error: worker::Error) -> Self {
        Self::Own(error)
    }
}

fn told(problem: &str) -> Failure {
    Failure::Told(problem.to_owned())
}

/// The product that is stored.
fn item(stored: &Stored) -> Option<Item> {
    let read = |text: &String| json::parse(text).ok();
    let item = stored.body.as_ref().and_then(read).and_then(Item::from_value);
    match stored.change.as_ref().and_then(read) {
        Some(change) => updated(item, &change),
        None => item,
    }
}
