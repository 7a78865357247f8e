//! Several pages of one shop without a browser: a store and locks that they share, a clock, and a
//! Worker that answers or does not. The host of `www/tracker.js`, with every wait under control.

use std::collections::{BTreeMap, BTreeSet};

use esputnik_kit::tracker::Tracker;
use serde_json::{Value, json};

/// A Worker's answer to a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    /// A verdict on every record; a whole refusal if one of them cannot be read.
    Takes,
    /// No answer; whether the batch arrived all the same.
    Silence { arrived: bool },
    /// Not now, and the wait that is asked for, in milliseconds.
    Later(Option<u64>),
    /// A success from somebody in between.
    Stranger,
}

/// What a call is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    /// An event that the platform takes.
    Sound,
    /// An event that it would refuse.
    Refusable,
    /// A record that the Worker cannot read.
    Unreadable,
}

/// Something that happens to one of the pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    Call(Call),
    /// The Worker answers the batch, if one is under way.
    Answer(Reply),
    /// The store answers the search, if one is under way.
    Found,
    /// Milliseconds pass, for all pages.
    Elapse(u64),
    Hide,
    Show,
    Online,
    /// The page is closed and another one opened in its place.
    Close,
    Forget,
    /// The store is emptied, by the visitor or by the page's own code.
    Wipe,
    /// From now on the store can, or cannot, be had; what it holds stays.
    Deny(bool),
    /// Somebody writes something under a message id that is no record of it.
    Break,
}

impl Op {
    /// The page and the step that four bytes stand for.
    pub(crate) fn from_bytes([kind, a, b, c]: [u8; 4]) -> (usize, Self) {
        let number = u64::from(u16::from_be_bytes([a, b]));
        let op = match kind % 16 {
            0..=2 => Self::Call(match a % 8 {
                0 => Call::Refusable,
                1 => Call::Unreadable,
                _ => Call::Sound,
            }),
            3..=5 => Self::Answer(Reply::Takes),
            6 => Self::Answer(match a % 4 {
                0 => Reply::Silence { arrived: false },
                1 => Reply::Silence { arrived: true },
                2 => Reply::Stranger,
                _ => Reply::Later((b % 2 == 1).then(|| u64::from(c) * 1000)),
            }),
            7 | 8 => Self::Found,
            9 | 10 => Self::Elapse(number),
            11 => Self::Elapse(number % 100),
            12 => [Self::Hide, Self::Show][usize::from(a % 2)],
            13 | 14 => Self::Online,
            _ if a % 8 == 7 => Self::Forget,
            _ if a % 8 == 6 => Self::Wipe,
            _ if a % 8 == 5 => Self::Deny(b % 2 == 1),
            _ if a % 8 == 4 => Self::Break,
            _ => Self::Close,
        };
        (usize::from(c % 3), op)
    }
}

#[derive(Debug)]
pub(crate) struct Page {
    tracker: Tracker,
    /// Which of all pages it is; the ids of its records end with it.
    life: u64,
    hidden: Option<u64>,
    /// Whether it holds what it has made.
    pub(crate) holds: bool,
    /// What the host has been asked for and has not answered: bodies, and a number of records.
    pub(crate) send: Option<String>,
    pub(crate) search: Option<(usize, usize)>,
    /// Whether the search was called off while it waited for the lock.
    called_off: bool,
    pub(crate) timer: Option<u64>,
    /// What the page was told, oldest first.
    pub(crate) reports: Vec<(String, Value)>,
}

#[derive(Debug)]
pub(crate) struct World {
    pub(crate) now: u64,
    pub(crate) pages: Vec<Page>,
    /// What is stored, by message id.
    pub(crate) store: BTreeMap<String, String>,
    /// The page that may deliver what others left.
    pub(crate) lock: Option<usize>,
    unreadable: BTreeSet<String>,
    pub(crate) arrived: BTreeSet<String>,
    /// Refusals that pages were told of: message id and code.
    pub(crate) refused: BTreeMap<String, String>,
    forgotten: BTreeSet<String>,
    pub(crate) denied: bool,
    made: u64,
    lives: u64,
    /// Pages that were told of none of the others yet that let go.
    let_go: bool,
    random: u32,
}

/// What the ids of a page's records end with.
fn tail(life: u64) -> String {
    format!("-{life:012x}")
}

impl World {
    pub(crate) fn new(pages: usize) -> Self {
        let mut world = Self {
            now: 1_579_622_183_208,
            pages: Vec::new(),
            store: BTreeMap::new(),
            lock: None,
            unreadable: BTreeSet::new(),
            arrived: BTreeSet::new(),
            refused: BTreeMap::new(),
            forgotten: BTreeSet::new(),
            denied: false,
            made: 0,
            lives: 0,
            let_go: false,
            random: 1,
        };
        for place in 0..pages {
            world.open(place, "visible");
        }
        world
    }

    /// Opens a page.
    pub(crate) fn open(&mut self, place: usize, visibility: &str) {
        self.lives += 1;
        let page = Page {
            tracker: Tracker::new(),
            life: self.lives,
            holds: false,
            hidden: (visibility == "hidden").then_some(self.now),
            send: None,
            search: None,
            called_off: false,
            timer: None,
            reports: Vec::new(),
        };
        match self.pages.get_mut(place) {
            Some(old) => {
                self.let_go |= old.holds;
                *old = page;
            }
            None => self.pages.push(page),
        }
        let tail = tail(self.lives);
        self.tell(place, json!([0, "https://shop.example/k/", "main", visibility, 0, "W", tail]));
        self.notify();
    }

    /// Pages hear that another one has let go, or is gone.
    fn notify(&mut self) {
        while std::mem::take(&mut self.let_go) {
            for place in 0..self.pages.len() {
                if self.pages[place].holds {
                    self.tell(place, json!([8]));
                }
            }
        }
    }

    pub(crate) fn handle(&mut self, place: usize, op: Op) {
        let place = place % self.pages.len();
        match op {
            Op::Call(call) => drop(self.call(place, call)),
            Op::Answer(reply) => self.answer(place, reply),
            Op::Found => self.found(place),
            Op::Elapse(time) => self.elapse(time),
            Op::Hide => {
                self.pages[place].hidden.get_or_insert(self.now);
                self.tell(place, json!([2, "hidden"]));
            }
            Op::Show => {
                self.pages[place].hidden = None;
                self.tell(place, json!([2, "visible"]));
            }
            Op::Online => self.tell(place, json!([2])),
            Op::Close => {
                if self.lock == Some(place) {
                    self.lock = None;
                }
                self.open(place, "visible");
                // The loader hands over whatever waits, of whichever page, where it is a record.
                let stored = if self.denied { BTreeMap::new() } else { self.store.clone() };
                let is_record = |(id, record): &(String, String)| {
                    serde_json::from_str::<Value>(record).is_ok_and(|record| record["id"] == **id)
                };
                for (id, record) in stored.into_iter().filter(is_record) {
                    self.tell(place, json!([1, id, record, "W"]));
                }
            }
            Op::Forget => self.tell(place, json!([4])),
            Op::Wipe => self.store.clear(),
            Op::Deny(denied) => self.denied = denied,
            Op::Break => {
                let broken = ["", "{", "7", "null", "[]", "{}", r#"{"id":"other"}"#];
                let id = self.id(place);
                let text = broken[usize::try_from(self.made).unwrap() % broken.len()];
                self.unreadable.insert(id.clone());
                self.store.insert(id, text.to_owned());
            }
        }
        self.notify();
    }

    /// A message id of this moment and page.
    fn id(&mut self, place: usize) -> String {
        let (high, low) = (self.now >> 16, self.now & 0xffff);
        self.made += 1;
        let (more, made) = (self.made >> 12, self.made & 0xfff);
        let tail = tail(self.pages[place].life);
        format!("{high:08x}-{low:04x}-7{more:03x}-8{made:03x}{tail}")
    }

    /// The loader's part of a call: it stores the record and hands it over.
    pub(crate) fn call(&mut self, place: usize, call: Call) -> String {
        let id = self.id(place);
        let product = if call == Call::Refusable { json!({}) } else { json!({"productKey": "7"}) };
        let call_of = json!(["sendEvent", "ProductPage", {"ProductPage": product}]);
        let record =
            json!({"v": 1, "id": id, "at": self.now, "call": call_of, "sc": "W"}).to_string();
        if call == Call::Unreadable {
            self.unreadable.insert(id.clone());
        }
        if !self.denied {
            self.store.insert(id.clone(), record.clone());
        }
        self.tell(place, json!([1, id, record, "W"]));
        id
    }

    /// Hands a message over and does what comes back.
    #[expect(clippy::needless_pass_by_value, reason = "callers write json!(…) in place")]
    pub(crate) fn tell(&mut self, place: usize, message: Value) {
        self.random = self.random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let page = &mut self.pages[place];
        let effects = page.tracker.handle(&message.to_string(), self.now, self.random);
        let effects: Vec<(String, Value)> = serde_json::from_str(&effects).unwrap();
        for (name, detail) in effects {
            self.perform(place, &name, detail);
        }
        let page = &self.pages[place];
        let leaves = page.hidden.is_some_and(|since| self.now - since < 5000);
        let is_idle = leaves && page.send.is_none();
        assert!(!is_idle || self.lock != Some(place), "a page that may be frozen holds the lock");
    }

    /// The ids of the batch that a page has under way.
    pub(crate) fn under_way(&self, place: usize) -> Vec<String> {
        let body = self.pages[place].send.as_deref().unwrap_or(r#"{"records":[]}"#);
        let body: Value = serde_json::from_str(body).unwrap();
        let records = body["records"].as_array().unwrap();
        records.iter().map(|record| record["id"].as_str().unwrap().to_owned()).collect()
    }

    /// No two pages that live have the same event under way.
    fn check_alone(&self) {
        let mut seen = BTreeSet::new();
        for id in (0..self.pages.len()).flat_map(|place| self.under_way(place)) {
            assert!(seen.insert(id.clone()), "two pages send {id}");
        }
    }

    fn perform(&mut self, place: usize, name: &str, detail: Value) {
        let now = self.now;
        let page = &mut self.pages[place];
        match name {
            "send" => {
                let body = detail.as_str().unwrap().to_owned();
                assert!(page.send.replace(body).is_none(), "two batches under way");
                self.check_alone();
            }
            "hold" => {
                assert_eq!(detail, json!(tail(page.life)));
                assert!(!std::mem::replace(&mut page.holds, true), "held twice");
            }
            "free" => {
                assert!(std::mem::take(&mut page.holds), "let go of nothing");
                self.let_go = true;
            }
            "search" => {
                let bounds = serde_json::from_value(detail).unwrap();
                assert!(page.search.replace(bounds).is_none(), "two searches under way");
            }
            "release" => {
                if self.lock == Some(place) {
                    self.lock = None;
                }
                page.called_off = page.search.is_some();
            }
            "remove" => {
                for id in detail.as_array().unwrap() {
                    let id = id.as_str().unwrap();
                    let settled = self.arrived.contains(id) || self.refused.contains_key(id);
                    assert!(settled || self.forgotten.contains(id), "a record was lost");
                    if !self.denied {
                        self.store.remove(id);
                    }
                }
            }
            "clear" if self.denied => {}
            "clear" => self.forgotten.extend(std::mem::take(&mut self.store).into_keys()),
            "wait" => {
                let wait = detail.as_u64().unwrap();
                assert!(wait > 0, "a timer that is due at once");
                page.timer = Some(now + wait);
            }
            _ => {
                if name == "done" && detail["verdict"] == "refused" {
                    let text = |name: &str| detail[name].as_str().unwrap().to_owned();
                    self.refused.insert(text("id"), text("code"));
                }
                page.reports.push((name.to_owned(), detail));
            }
        }
    }

    fn answer(&mut self, place: usize, reply: Reply) {
        let Some(body) = self.pages[place].send.take() else { return };
        let body: Value = serde_json::from_str(&body).unwrap();
        let records = body["records"].as_array().unwrap();
        let ids: Vec<_> = records.iter().map(|record| record["id"].as_str().unwrap()).collect();
        let poisoned = ids.iter().any(|id| self.unreadable.contains(*id));
        if !poisoned && matches!(reply, Reply::Takes | Reply::Silence { arrived: true }) {
            self.arrived.extend(ids.iter().map(ToString::to_string));
        }
        let answer = match reply {
            Reply::Takes if poisoned => json!([6, 400, null, {"code": "invalid_body"}]),
            Reply::Takes => {
                let result = |id: &&str| json!({"id": id, "verdict": "accepted"});
                let results: Vec<_> = ids.iter().map(result).collect();
                json!([6, 202, null, {"v": 1, "results": results}])
            }
            Reply::Silence { .. } => json!([6]),
            Reply::Later(wait) => json!([6, 503, wait]),
            Reply::Stranger => json!([6, 200, null, {"welcome": "to the hotel's network"}]),
        };
        self.tell(place, answer);
    }

    fn found(&mut self, place: usize) {
        let page = &mut self.pages[place];
        let Some((most, room)) = page.search else { return };
        if std::mem::take(&mut page.called_off) {
            page.search = None;
            return self.tell(place, json!([7]));
        }
        if self.lock.is_some() {
            return;
        }
        page.search = None;
        self.lock = Some(place);
        let others = self.pages.iter().enumerate().filter(|(other, _)| *other != place);
        let holders = others.filter(|(_, page)| page.holds);
        let held: Vec<_> = holders.map(|(_, page)| tail(page.life)).collect();
        if self.denied {
            return self.tell(place, json!([7, null, null, null, held]));
        }
        let ids: Vec<_> = self.store.keys().collect();
        let is_free = |id: &String| !held.iter().any(|tail| id.ends_with(tail));
        let free = self.store.iter().filter(|(id, _)| is_free(id));
        let records: Vec<_> = free.map(|(_, record)| record).take(most).collect();
        let sizes = self.store.values().rev().scan(0, |sum, record| {
            *sum += 2 * record.len();
            Some(*sum)
        });
        let fitting = (ids.len() > most).then(|| sizes.take_while(|sum| *sum <= room).count());
        let answer = json!([7, ids, records, fitting, held]);
        self.tell(place, answer);
    }

    fn elapse(&mut self, time: u64) {
        let end = self.now + time;
        loop {
            let timers = self.pages.iter().enumerate();
            let due = timers.filter_map(|(place, page)| Some((page.timer?, place))).min();
            let Some((timer, place)) = due.filter(|(timer, _)| *timer <= end) else { break };
            self.now = self.now.max(timer);
            self.pages[place].timer = None;
            self.tell(place, json!([9]));
            self.notify();
        }
        self.now = end;
    }

    /// Everything works, every page is looked at, and time passes until nothing is stored.
    pub(crate) fn recover(&mut self) {
        self.denied = false;
        for place in 0..self.pages.len() {
            self.handle(place, Op::Show);
        }
        for _ in 0..30 * (self.store.len() + 5) {
            self.elapse(15_000);
            for place in 0..self.pages.len() {
                self.handle(place, Op::Answer(Reply::Takes));
                self.handle(place, Op::Found);
            }
        }
        assert!(self.store.is_empty(), "left behind: {:?}", self.store.keys());
        assert_eq!(self.lock, None, "a lock held for nothing");
        for (id, code) in &self.refused {
            let known = matches!(code.as_str(), "missing_field" | "invalid_body");
            assert!(known, "{id} was refused as {code}");
            assert!(code != "invalid_body" || self.unreadable.contains(id), "{id} could be read");
        }
        for page in &self.pages {
            assert!(page.send.is_none() && page.search.is_none());
        }
    }
}

/// Runs the steps, then lets everything recover.
pub(crate) fn run(ops: impl IntoIterator<Item = (usize, Op)>) {
    let mut world = World::new(3);
    for (place, op) in ops {
        world.handle(place, op);
    }
    world.recover();
}
