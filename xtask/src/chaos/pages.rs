//! Pages, made up: each keeps its records until it is told what became of them, as the tracker does, on
//! the tracker's own core.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    fs,
    io::{BufWriter, Write as _},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use anyhow::{Result, bail};
use esputnik_kit::{
    delivery::{Delivery, Output},
    wire::message_time,
};
use serde_json::{Value, json};

use super::{
    http::Client,
    points::{Point, Points},
    random::Random,
    ways::Detours,
};
use crate::process::unix_millis;

/// Pages that are open at a time, and the threads that they share.
const THREADS: usize = 4;
const PAGES: usize = 25;

/// Most records that a page holds; then it waits until some are taken.
const MOST_HELD: usize = 200;

/// Batches that a page may repeat, long after.
const MOST_KEPT: usize = 3;

/// How long an erasure may fail, in attempts of a tenth of a second.
const ATTEMPTS: u32 = 600;

/// What all pages share.
#[derive(Debug)]
pub(super) struct Shop {
    pub(super) kit: String,
    pub(super) origin: String,
    pub(super) points: Arc<Points>,
    pub(super) seed: u64,
    /// How many batches in a million are followed by the erasure of their visitor.
    erasures: u64,
    /// Events that may be made by now.
    pub(super) allowed: AtomicU64,
    pub(super) made: AtomicU64,
    /// Nothing is repeated, erased or closed any more; what waits is sent.
    pub(super) is_calm: AtomicBool,
    /// Records that wait, as each thread last saw it.
    pub(super) waiting: [AtomicU64; THREADS],
    pub(super) is_over: Arc<AtomicBool>,
}

/// What is known of an event.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is known by itself, at its own time")]
pub(super) struct Event {
    /// The Worker has said that it has it.
    pub(super) is_accepted: bool,
    pub(super) is_refused: bool,
    /// The platform refuses it for good.
    pub(super) is_doomed: bool,
    /// Its visitor was erased after it was made.
    pub(super) is_erased: bool,
}

/// What the pages came to.
#[derive(Debug, Default)]
pub(super) struct Sent {
    /// By the key of the event: the visitor, and which of theirs it is.
    pub(super) events: BTreeMap<(u64, u64), Event>,
    /// Message ids and their keys.
    pub(super) keys: HashMap<String, (u64, u64)>,
    pub(super) repeated: u64,
    pub(super) reordered: u64,
    pub(super) reloads: u64,
    pub(super) erasures: u64,
    /// Batches that were answered with something else than verdicts, and not at all.
    pub(super) put_off: u64,
    pub(super) unanswered: u64,
}

struct Page {
    visitor: u64,
    delivery: Delivery,
    made: u64,
    /// What it has in its store, in the order of the calls.
    stored: VecDeque<(String, String)>,
    kept: VecDeque<String>,
}

fn web_id(visitor: u64) -> String {
    format!("{visitor:08X}-5A3C-4E1B-9D70-6F2B8C4D1E90")
}

fn delivery(visitor: u64) -> Delivery {
    let mut delivery = Delivery::new("main".to_owned());
    delivery.handle_web_id(&web_id(visitor));
    delivery
}

impl Page {
    fn open(visitor: u64) -> Self {
        let (stored, kept) = (VecDeque::new(), VecDeque::new());
        Self { visitor, delivery: delivery(visitor), made: 0, stored, kept }
    }

    /// One event in fifty is refused by the platform for good, one in a hundred by the Worker.
    fn call(&mut self, sent: &mut Sent, random: &mut Random) {
        let (now, number) = (unix_millis(), self.made);
        self.made += 1;
        let id = format!(
            "{:08x}-{:04x}-7{:03x}-8000-{:012x}",
            now >> 16 & 0xffff_ffff,
            now & 0xffff,
            number & 0xfff,
            self.visitor << 24 | number
        );
        let (is_doomed, is_refused) = (random.below(50) == 0, random.below(100) == 0);
        let name = if is_doomed { super::DOOMED } else { "ProductPage" };
        let product =
            json!({ "productKey": key(self.visitor, number), "price": "153", "isInStock": 1 });
        let mut record = json!({
            "v": 1,
            "id": id,
            "at": now,
            "call": ["sendEvent", name, { name: product }],
            "page": { "url": "https://shop.example/tents?utm_source=search", "lang": "uk" },
        });
        if !is_refused {
            record["consent"] = json!(["tracking"]);
        }
        let key = (self.visitor, number);
        sent.events.insert(key, Event { is_doomed, ..Event::default() });
        sent.keys.insert(id.clone(), key);
        let record = record.to_string();
        self.delivery.handle_record(&id, record.clone(), message_time(&id), now);
        self.stored.push_back((id, record));
    }

    /// The page goes, and another one finds what it has stored.
    fn reload(&mut self) {
        self.delivery = delivery(self.visitor);
        let now = unix_millis();
        for (id, record) in &self.stored {
            self.delivery.handle_record(id, record.clone(), message_time(id), now);
        }
    }

    /// Drops from the store what has a verdict.
    fn settle(&mut self, ids: &[String]) {
        self.stored.retain(|(known, _)| !ids.contains(known));
    }
}

impl Sent {
    /// Writes down what is known of each event, a line of JSON each, for whoever counts for themselves.
    pub(super) fn write(&self, path: &Path, detours: &Detours) -> Result<()> {
        let mut file = BufWriter::new(fs::File::create(path)?);
        let mut ids: Vec<_> = self.keys.iter().map(|(id, key)| (*key, id)).collect();
        ids.sort_unstable();
        for ((visitor, number), id) in ids {
            let key = key(visitor, number);
            let Some(event) = self.events.get(&(visitor, number)) else { continue };
            let detour = detours.get(&key).copied().unwrap_or_default();
            let line = json!({
                "key": key,
                "id": id,
                "accepted": event.is_accepted,
                "refused": event.is_refused,
                "made_to_die": event.is_doomed,
                "erased": event.is_erased,
                "queue": detour.queue,
                "bucket": detour.bucket,
            });
            writeln!(file, "{line}")?;
        }
        Ok(file.flush()?)
    }

    /// Notes the verdicts of an answer, whether a page hears of them or not; returns whose they are.
    fn note(&mut self, answer: &Value) -> Vec<String> {
        let mut ids = Vec::new();
        for result in answer["results"].as_array().into_iter().flatten() {
            let Some(id) = result["id"].as_str() else { continue };
            ids.push(id.to_owned());
            let key = self.keys.get(id);
            let Some(event) = key.and_then(|key| self.events.get_mut(key)) else { continue };
            if result["verdict"] == "refused" {
                event.is_refused = true;
            } else {
                event.is_accepted = true;
            }
        }
        ids
    }
}

/// The key under which the platform has an event.
pub(super) fn key(visitor: u64, number: u64) -> String {
    format!("v{visitor}-{number}")
}

impl Shop {
    pub(super) fn new(stack: (&str, &str), points: &Arc<Points>, seed: u64, events: u64) -> Self {
        let (kit, origin) = stack;
        Self {
            kit: kit.to_owned(),
            origin: origin.to_owned(),
            points: Arc::clone(points),
            seed,
            // Some in the shortest run, and some dozen events out of a thousand in the longest.
            erasures: (100_000_000 / events.max(1)).clamp(1000, 100_000),
            allowed: AtomicU64::new(0),
            made: AtomicU64::new(0),
            is_calm: AtomicBool::new(false),
            waiting: Default::default(),
            is_over: Arc::default(),
        }
    }

    /// Opens the pages; each thread returns what its own came to once it is told that it is over.
    pub(super) fn open(self: &Arc<Self>) -> Vec<thread::JoinHandle<Result<Sent>>> {
        let run = |thread: usize| {
            let shop = Arc::clone(self);
            thread::spawn(move || shop.run(thread))
        };
        (0..THREADS).map(run).collect()
    }

    /// Records that pages hold.
    pub(super) fn waiting(&self) -> u64 {
        self.waiting.iter().map(|count| count.load(Ordering::Relaxed)).sum()
    }

    fn run(&self, thread: usize) -> Result<Sent> {
        let number = u64::try_from(thread)?;
        let mut random = Random::new(self.seed, 10 + number);
        let mut client = Client::new(&self.kit);
        let mut sent = Sent::default();
        let step = u64::try_from(THREADS)?;
        let mut visitors = (0..).map(|round| 1 + number + step * round);
        let mut pages: Vec<Page> = visitors.by_ref().take(PAGES).map(Page::open).collect();
        let mut was_calm = false;
        while !self.is_over.load(Ordering::Relaxed) {
            let is_calm = self.is_calm.load(Ordering::Relaxed);
            let mut is_idle = true;
            for page in &mut pages {
                if is_calm && !was_calm {
                    page.delivery.handle_online();
                }
                if page.stored.len() < MOST_HELD {
                    for _ in 0..random.below(40) {
                        if !self.may_call() {
                            break;
                        }
                        page.call(&mut sent, &mut random);
                    }
                }
                if !self.send(page, &mut client, &mut sent, &mut random) {
                    continue;
                }
                is_idle = false;
                if is_calm {
                    continue;
                }
                if random.below(50) == 0 {
                    sent.reloads += 1;
                    page.reload();
                }
                if random.happens(self.erasures) {
                    self.erase(page, &mut client, &mut sent)?;
                    let Some(next) = visitors.next() else { bail!("there are no more visitors") };
                    *page = Page::open(next);
                }
            }
            was_calm = is_calm;
            let waiting: usize = pages.iter().map(|page| page.stored.len()).sum();
            self.waiting[thread].store(u64::try_from(waiting)?, Ordering::Relaxed);
            if is_idle {
                thread::sleep(Duration::from_millis(5));
            }
        }
        Ok(sent)
    }

    /// Whether one more event may be made now.
    fn may_call(&self) -> bool {
        let allowed = self.allowed.load(Ordering::Relaxed);
        let made = self.made.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |made| {
            (made < allowed).then_some(made + 1)
        });
        made.is_ok()
    }

    /// Sends what a page has to send now, if it has. One in thirty comes twice, one in thirty once more
    /// after later ones.
    fn send(
        &self,
        page: &mut Page,
        client: &mut Client,
        sent: &mut Sent,
        random: &mut Random,
    ) -> bool {
        let now = unix_millis();
        let Output::Send { body, .. } = page.delivery.poll_output(now) else { return false };
        let is_calm = self.is_calm.load(Ordering::Relaxed);
        if !is_calm && random.below(30) == 0 {
            sent.repeated += 1;
            // Whatever is answered, the page never hears of it.
            if let Ok((_, _, answer)) = self.post(client, "/k/b", &body) {
                sent.note(&answer);
            }
        }
        let answer = self.post(client, "/k/b", &body);
        let (status, wait, settled) = if let Ok((status, wait, answer)) = &answer {
            let settled = sent.note(answer);
            sent.put_off += u64::from(settled.is_empty());
            (Some(*status), *wait, settled)
        } else {
            sent.unanswered += 1;
            (None, None, Vec::new())
        };
        page.settle(&settled);
        let chance = u32::try_from(random.below(u64::from(u32::MAX))).unwrap_or(0);
        page.delivery.handle_answer(status, &settled, wait, unix_millis(), chance);
        if status.is_none() {
            // A page does not wait as long for a Worker that is killed every second.
            page.delivery.handle_online();
            thread::sleep(Duration::from_millis(20));
        }
        if !is_calm {
            if random.below(30) == 0
                && let Some(old) = page.kept.pop_front()
            {
                sent.reordered += 1;
                if let Ok((_, _, answer)) = self.post(client, "/k/b", &old) {
                    sent.note(&answer);
                }
            }
            page.kept.push_back(body);
            page.kept.truncate(MOST_KEPT);
        }
        true
    }

    /// Erases a visitor, as long as it takes.
    fn erase(&self, page: &Page, client: &mut Client, sent: &mut Sent) -> Result<()> {
        let body = json!({ "sc": web_id(page.visitor) }).to_string();
        for _ in 0..ATTEMPTS {
            if let Ok((200, ..)) = self.post(client, "/k/f", &body) {
                sent.erasures += 1;
                let own = sent.events.range_mut((page.visitor, 0)..(page.visitor + 1, 0));
                for (_, event) in own {
                    event.is_erased = true;
                }
                return Ok(());
            }
            thread::sleep(Duration::from_millis(100));
        }
        bail!("a visitor cannot be erased")
    }

    fn post(
        &self,
        client: &mut Client,
        path: &str,
        body: &str,
    ) -> Result<(u16, Option<u64>, Value)> {
        let agent = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/147.0.0.0";
        let headers = [
            ("origin", self.origin.as_str()),
            ("user-agent", agent),
            ("content-type", "text/plain;charset=UTF-8"),
        ];
        let sent = || self.points.reach(Point::BatchSent);
        let answer = client.ask(&format!("POST {path}"), &headers, body.as_bytes(), sent)?;
        self.points.reach(Point::BatchTaken);
        let wait = answer.header("retry-after").and_then(|text| text.parse::<u64>().ok());
        let json = serde_json::from_str(&answer.text()).unwrap_or_default();
        Ok((answer.status()?, wait.map(|seconds| seconds * 1000), json))
    }
}
