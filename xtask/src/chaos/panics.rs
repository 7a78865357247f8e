//! What a panic costs: where the Worker unwinds, the request that panicked and nothing else; where it does
//! not, as it is deployed, other requests too.

use std::{
    collections::BTreeSet,
    fmt, fs,
    path::Path,
    sync::{Barrier, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};

use super::{http::Client, make, now, ways};
use crate::{
    build, process, progress, project,
    stack::{self, Cloud, Plan, Stack},
    tools::{Nightly, Toolbox},
};

/// Pages that send at the same time; where they do it again and again, one of them brings what panics.
const PAGES: u64 = 8;
const ROUNDS: u64 = 40;

/// Events of a batch.
const EVENTS: u64 = 5;

/// Where a request of a page panics: before anything is done with it; in its object, before anything is
/// stored, while it is, and when it is stored and not answered.
const PLACES: [&str; 4] = ["handler", "object", "write", "answer"];

/// What every place begins with, in what makes the Worker panic.
const MARK: &str = "panic-in-";

/// What the Worker says then, which nobody outside may read.
const TEXT: &str = "as it was told";

/// How long something may take that must come.
const PATIENCE: Duration = Duration::from_mins(1);

/// How long one that panicked is waited for while others are held, which must not last as long as those are
/// waited for.
const PROMPT: Duration = Duration::from_secs(5);

/// The platform's answers to so many events take so long, in milliseconds.
const SLOW: (u64, u64) = (4, 3000);

/// Shows it: while others wait, where requests are written together, and where events are passed on; and what
/// the Worker that does not unwind makes of the first.
pub(super) fn run(toolbox: &Toolbox) -> Result<()> {
    let nightly = Nightly::prepare()?;
    let unwinding = build::build_panicking(toolbox, Some(&nightly))?;
    let aborting = build::build_panicking(toolbox, None)?;
    let [_, _, deployed] = build::worker_outputs();
    for folder in [&unwinding, &aborting] {
        ensure!(mentions(&folder.join("index_bg.wasm"))?, "{} never panics", folder.display());
    }
    ensure!(!mentions(&deployed)?, "what is deployed panics when it is told to");

    let folder = project::kit().join("panics");
    progress::step("panics while other requests wait");
    let waited = while_others_wait(&unwinding, &folder.join("wait"), &PLACES.repeat(4))?;
    progress::note(&waited);
    waited.check()?;
    let (written, panics) = where_requests_are_written(&unwinding, &folder.join("write"))?;
    progress::note(format_args!("{panics} panics among {written} batches that were accepted"));
    let resent = where_events_are_passed_on(&unwinding, &folder.join("drain"))?;
    progress::note(format_args!("{resent} events reached the platform after a panic with them"));
    progress::step("to compare with: one panic where the Worker does not unwind");
    for place in PLACES {
        let waited = while_others_wait(&aborting, &folder.join("abort"), &[place])?;
        progress::note(&waited);
    }
    stack::clear(&folder)
}

/// Whether a module can be told to panic.
fn mentions(module: &Path) -> Result<bool> {
    let bytes = fs::read(module).with_context(|| format!("cannot read {}", module.display()))?;
    Ok(bytes.windows(MARK.len()).any(|part| part == MARK.as_bytes()))
}

fn start(worker: &Path, folder: &Path, cloud: Cloud) -> Result<Stack> {
    stack::clear(folder)?;
    let folder = fs::canonicalize(make(folder)?)?;
    // In the place of the Worker that the stack would take.
    std::os::unix::fs::symlink(worker, folder.join("worker"))?;
    Stack::start(&Plan {
        outbox: json!({ "shards": 1, "patience": 10_000 }),
        cloud,
        ..Plan::new(folder, json!({ "consent": "granted" }))
    })
}

/// What became of requests that waited while others panicked.
#[derive(Debug, Default)]
struct Waited {
    held: u64,
    answered: u64,
    panics: u64,
    /// Of those, answered as the Worker answers what it cannot do.
    told: u64,
    /// What those got who were not.
    otherwise: BTreeSet<String>,
    /// Events of all of them, those that came more than once, and those that never did.
    events: u64,
    twice: u64,
    missing: u64,
    /// Passed on again, since nobody knew whether they had arrived.
    resent: u64,
    /// Nothing in memory was lost: the object has counted all of it.
    remembers: bool,
    /// Whether a batch that came again was taken for what it is: new, or stored before the panic.
    knows: bool,
}

impl fmt::Display for Waited {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { held, answered, panics, told, events, twice, missing, resent, .. } = self;
        write!(
            out,
            "{answered} of {held} waiting requests answered, {told} of {panics} panics told; "
        )?;
        write!(out, "of {events} events {missing} missing, {twice} twice; ")?;
        if self.remembers {
            write!(out, "nothing in memory lost, {resent} events resent")?;
        } else {
            write!(out, "what was in memory lost")?;
        }
        self.otherwise.iter().try_for_each(|answer| write!(out, "; answered otherwise: {answer}"))
    }
}

impl Waited {
    fn check(&self) -> Result<()> {
        let is_right = self.answered == self.held
            && self.told == self.panics
            && self.twice + self.missing + self.resent == 0;
        ensure!(is_right && self.remembers && self.knows, "not as promised: {self:?}");
        Ok(())
    }
}

/// Holds requests before and after their object has stored them, and events on their way to the platform.
/// Meanwhile others panic, one after the other in these `places`. Then those go on that were held, and
/// whoever has no answer sends its batch again, as pages do.
fn while_others_wait(worker: &Path, folder: &Path, places: &[&'static str]) -> Result<Waited> {
    let stack = start(worker, folder, Cloud { faults: true, ..Cloud::default() })?;
    let memory = memory(&stack.kit)?;
    let (slow, millis) = SLOW;
    ways::put(&stack.platform, "/faults", &json!([{ "delay_ms": millis, "count": slow }]))?;
    let holds = json!([
        { "do": "hold_after", "path": "/ingest", "count": PAGES },
        { "do": "hold", "path": "/ingest", "count": PAGES },
    ]);
    ways::put(&stack.kit, "/__objects", &holds)?;
    let mut found = Waited { held: 2 * PAGES, panics: count(places)?, ..Waited::default() };
    let mut expected = BTreeSet::new();
    let mut unanswered = Vec::new();
    let mut store = |batch: &Batch| expected.extend(batch.keys());
    thread::scope(|scope| -> Result<()> {
        let stack = &stack;
        let page = |page| move || Batch::of(page).send(&mut Client::new(&stack.kit), &stack.shop);
        let held: Vec<_> = (0..found.held).map(|own| scope.spawn(page(own))).collect();
        until("all wait that are to", || {
            let holds = get(&stack.kit, "/__objects")?;
            let slowed = get(&stack.platform, "/faults")?["faults"][0]["applied"].as_u64();
            let is_stored = outbox(&stack.kit)?["since_start"]["accepted"] == PAGES * EVENTS;
            Ok(holds[0]["count"] == 0
                && holds[1]["count"] == 0
                && is_stored
                && slowed == Some(slow))
        })?;
        for (page, place) in (found.held..).zip(places.iter().copied()) {
            let batch = Batch { panics: Some(place), ..Batch::of(page) };
            let told = batch.send(&mut Client::within(&stack.kit, PROMPT), &stack.shop);
            match told.map_or_else(|_| "no answer".to_owned(), |told| told.panicked(place)) {
                right if right.is_empty() => found.told += 1,
                other => drop(found.otherwise.insert([place, ": ", &other].concat())),
            }
            let is_stored = place == "answer";
            store(&Batch { panics: batch.panics.filter(|_| is_stored), ..batch });
            unanswered.push((Batch { panics: None, ..batch }, Some(is_stored)));
        }
        ways::put(&stack.kit, "/__objects", &json!([]))?;
        for (own, thread) in (0..).zip(held) {
            let told = thread.join().ok().context("a page panicked")?;
            store(&Batch::of(own));
            if told.as_ref().is_ok_and(|told| told.status == 202 && told.accepted == EVENTS) {
                found.answered += 1;
            } else {
                let other = told.map_or("no answer".to_owned(), |told| told.text);
                found.otherwise.insert(["waiting: ", &other].concat());
                unanswered.push((Batch::of(own), None));
            }
        }
        Ok(())
    })?;
    found.knows = true;
    for (batch, is_stored) in unanswered {
        let mut told = Told::default();
        until("a batch is taken that comes again", || {
            let answer = batch.send(&mut Client::new(&stack.kit), &stack.shop);
            told = answer.unwrap_or_default();
            Ok(told.accepted + told.duplicates == EVENTS)
        })?;
        found.knows &= is_stored.is_none_or(|is| is == (told.duplicates == EVENTS));
    }
    let counters = drained(&stack.kit)?;
    found.events = u64::try_from(expected.len())?;
    found.resent = counters["resent_unknown"].as_u64().context("the outbox counts")?;
    found.remembers = self::memory(&stack.kit)? == memory && counters["accepted"] == found.events;
    (found.missing, found.twice) = compare(&stack, &expected)?;
    Ok(found)
}

/// Batches that come together are written together. How many were accepted, and how many panicked.
fn where_requests_are_written(worker: &Path, folder: &Path) -> Result<(u64, u64)> {
    progress::step("panics in writes that several requests share");
    let stack = start(worker, folder, Cloud::default())?;
    let memory = memory(&stack.kit)?;
    let (together, wrong) = (Barrier::new(usize::try_from(PAGES)?), Mutex::new(Vec::new()));
    let batch = |page, round| {
        let panics = (round % PAGES == page).then_some("write");
        Batch { page, round, panics }
    };
    let page = |page: u64| -> Result<()> {
        let mut client = Client::new(&stack.kit);
        for round in 0..ROUNDS {
            together.wait();
            let batch = batch(page, round);
            let told = batch.send(&mut client, &stack.shop);
            let is_right = told.as_ref().is_ok_and(|told| match batch.panics {
                Some(place) => told.panicked(place).is_empty(),
                None => told.status == 202 && told.accepted == EVENTS,
            });
            if !is_right {
                let text = format!("round {round}, page {page}: {told:?}");
                wrong.lock().unwrap_or_else(PoisonError::into_inner).push(text);
            }
        }
        Ok(())
    };
    thread::scope(|scope| {
        let page = &page;
        let threads: Vec<_> = (0..PAGES).map(|own| scope.spawn(move || page(own))).collect();
        threads.into_iter().try_for_each(|thread| match thread.join() {
            Ok(done) => done,
            Err(_) => bail!("a page panicked"),
        })
    })?;
    let wrong = wrong.into_inner().unwrap_or_else(PoisonError::into_inner);
    ensure!(wrong.is_empty(), "not as promised: {}", wrong.join("; "));
    let batches = (0..ROUNDS).flat_map(|round| (0..PAGES).map(move |page| batch(page, round)));
    let expected = batches.filter(|batch| batch.panics.is_none()).flat_map(Batch::keys);
    let expected: BTreeSet<_> = expected.collect();
    let counters = drained(&stack.kit)?;
    // The object was not started anew, so it remembers all of it.
    ensure!(counters["accepted"] == expected.len(), "{counters} for {}", expected.len());
    ensure!(self::memory(&stack.kit)? == memory, "the memory was lost");
    complete(&stack, &expected)?;
    Ok((ROUNDS * (PAGES - 1), ROUNDS))
}

/// A panic over the platform's answer: what was under way is sent again. How many events arrived.
fn where_events_are_passed_on(worker: &Path, folder: &Path) -> Result<u64> {
    progress::step("a panic while events are passed on");
    let stack = start(worker, folder, Cloud::default())?;
    let memory = memory(&stack.kit)?;
    let mut client = Client::new(&stack.kit);
    let mut expected = BTreeSet::new();
    for page in 0..PAGES {
        let panics = (page == PAGES / 2).then_some("drain");
        let batch = Batch { panics, ..Batch::of(page) };
        let told = batch.send(&mut client, &stack.shop)?;
        ensure!(told.status == 202 && told.accepted == EVENTS, "not accepted: {told:?}");
        expected.extend(batch.keys());
    }
    drained(&stack.kit)?;
    let log = fs::read_to_string(folder.join("worker.log"))?;
    ensure!(log.contains(TEXT), "nothing has panicked");
    ensure!(self::memory(&stack.kit)? == memory, "the memory was lost");
    complete(&stack, &expected)?;
    Ok(PAGES * EVENTS)
}

/// A batch of a page.
#[derive(Clone, Copy, Debug)]
struct Batch {
    page: u64,
    round: u64,
    /// Where it makes the Worker panic.
    panics: Option<&'static str>,
}

/// What a page is told of its batch.
#[derive(Debug, Default)]
struct Told {
    status: u16,
    /// Of an error.
    code: String,
    accepted: u64,
    duplicates: u64,
    text: String,
}

impl Told {
    /// What is wrong with the answer to what panicked there, if anything: where the Worker itself does, that
    /// is an error of its own, and of an object the page is told to come again.
    fn panicked(&self, place: &str) -> String {
        let right = if place == "handler" { (500, "internal") } else { (503, "unavailable") };
        let is_right = (self.status, self.code.as_str()) == right;
        let is_open = self.text.contains(TEXT) || self.text.contains(MARK);
        if is_right && !is_open { String::new() } else { format!("{} {}", self.status, self.text) }
    }
}

impl Batch {
    fn of(page: u64) -> Self {
        Self { page, round: 0, panics: None }
    }

    /// What its events are known by at the platform.
    fn keys(self) -> impl Iterator<Item = String> {
        let Self { page, round, panics } = self;
        let mark = panics.map_or(String::new(), |place| [MARK, place].concat());
        (round * EVENTS..(round + 1) * EVENTS).map(move |number| format!("{mark}p{page}-{number}"))
    }

    fn send(self, client: &mut Client, origin: &str) -> Result<Told> {
        let Self { page, round, panics } = self;
        let at = process::unix_millis();
        let record = |(number, product): (u64, String)| {
            json!({
                "v": 1,
                "id": format!("01890a5d-ac96-7{number:03x}-8000-{page:012x}"),
                "at": at,
                "call": ["sendEvent", "ProductPage", { "ProductPage": { "productKey": product } }],
                "page": { "url": "https://shop.example/", "lang": "uk" },
                "consent": ["tracking"],
            })
        };
        let records: Vec<Value> = (round * EVENTS..).zip(self.keys()).map(record).collect();
        let web_id = format!("{page:08X}-5A3C-4E1B-9D70-6F2B8C4D1E90");
        let body =
            json!({ "v": 1, "site": "main", "sc": web_id, "sentAt": at, "records": records });
        let headers = [("origin", origin), ("content-type", "text/plain;charset=UTF-8")];
        let mark = panics.filter(|place| *place == "handler").map_or("", |_| "?panic-in-handler");
        let start = ["POST /k/b", mark].concat();
        let answer = client.ask(&start, &headers, body.to_string().as_bytes(), || {})?;
        let text = answer.text();
        let told: Value = serde_json::from_str(&text).unwrap_or_default();
        let results = told["results"].as_array().map_or(&[][..], Vec::as_slice);
        let verdicts = |name| count(results.iter().filter(|one| one["verdict"] == name));
        Ok(Told {
            status: answer.status()?,
            code: told["error"]["code"].as_str().unwrap_or_default().to_owned(),
            accepted: verdicts("accepted")?,
            duplicates: verdicts("duplicate")?,
            text,
        })
    }
}

fn count<T>(some: impl IntoIterator<Item = T>) -> Result<u64> {
    Ok(u64::try_from(some.into_iter().count())?)
}

fn get(address: &str, path: &str) -> Result<Value> {
    let answer = Client::new(address).ask(&["GET ", path].concat(), &[], b"", || {})?;
    Ok(serde_json::from_str(&answer.text())?)
}

/// What stays the same for as long as nothing in the Worker's memory is lost.
fn memory(kit: &str) -> Result<u64> {
    get(kit, "/k/memory")?["memory"].as_u64().context("the Worker shows its memory")
}

/// What the object says of itself.
fn outbox(kit: &str) -> Result<Value> {
    Ok(get(kit, "/k/health")?["sites"]["main"]["outbox"][0].take())
}

/// Waits until it is so.
fn until(what: &str, mut is: impl FnMut() -> Result<bool>) -> Result<()> {
    let deadline: Instant = now() + PATIENCE;
    while !is()? {
        ensure!(now() < deadline, "in vain waited until {what}");
        thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

/// Waits until nothing waits any more. What the object has counted since it was started.
fn drained(kit: &str) -> Result<Value> {
    let mut last = Value::Null;
    until("all events are passed on", || {
        last = outbox(kit)?;
        Ok(last["pending"] == 0)
    })?;
    Ok(last["since_start"].take())
}

/// How many events the platform lacks, and how many it has more than once.
fn compare(stack: &Stack, expected: &BTreeSet<String>) -> Result<(u64, u64)> {
    let arrived = get(&stack.platform, "/events?limit=100000")?;
    let arrived = arrived.as_array().context("the platform lists its events")?;
    let mut missing: BTreeSet<&str> = expected.iter().map(String::as_str).collect();
    let mut twice = 0;
    for event in arrived {
        let key = event.pointer("/body/ProductPage/Product/productKey").and_then(Value::as_str);
        let key = key.with_context(|| format!("no product in {event}"))?;
        ensure!(expected.contains(key), "nobody was to send {key}");
        twice += u64::from(!missing.remove(key));
    }
    Ok((count(missing)?, twice))
}

fn complete(stack: &Stack, expected: &BTreeSet<String>) -> Result<()> {
    let (missing, twice) = compare(stack, expected)?;
    ensure!(missing + twice == 0, "of {} {missing} are missing, {twice} twice", expected.len());
    Ok(())
}
