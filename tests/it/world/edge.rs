//! The Worker: a store that is durable only up to the last commit, and nothing that goes out before
//! what it rests on is.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use esputnik_kit::{
    json,
    outbox::{Outbox, Output, Row, Settled},
    value::Value,
    visitor::{Context, Times, Visitor},
    wire::{Record, Verdict},
};

use super::platform::key_of;

/// Requests that a pass may make.
const PASS: usize = 45;

/// A request to the platform.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    row: u64,
    position: usize,
    pub(crate) body: String,
    /// Which of the processes sent it.
    life: u64,
    /// Whether that process still waits for the answer.
    pub(crate) is_awaited: bool,
}

/// What became of a batch.
pub(crate) type Results = Vec<(String, Verdict)>;

/// What is held back until the store is durable.
#[derive(Debug)]
pub(crate) enum Effect<A> {
    Answer(A, Results),
    Send(Sent),
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) accepted: u64,
    pub(crate) delivered: u64,
    pub(crate) dead: u64,
    pub(crate) erased: u64,
}

#[derive(Clone, Debug)]
struct Stored {
    row: Row,
    bodies: Vec<String>,
}

/// What a crash leaves.
#[derive(Clone, Debug, Default)]
pub(crate) struct Store {
    rows: BTreeMap<u64, Stored>,
    /// Message ids and the keys of their events.
    pub(crate) known: BTreeMap<String, String>,
    /// Where each event stands: its visitor, its row and its place there.
    pub(crate) places: BTreeMap<String, (String, u64, usize)>,
    visitors: BTreeMap<String, String>,
    pub(crate) dead: BTreeSet<String>,
    pub(crate) erased: BTreeSet<String>,
    pub(crate) counts: Counts,
    last: u64,
}

#[derive(Debug)]
pub(crate) struct Edge<A> {
    durable: Store,
    store: Store,
    outbox: Outbox,
    times: HashMap<String, Times>,
    gate: Vec<Effect<A>>,
    /// Events of each row that were delivered since the row was last stored.
    fresh: BTreeMap<u64, u64>,
    life: u64,
    left: usize,
    under_way: usize,
    pub(crate) alarm: Option<u64>,
    /// How far its clock is ahead of the world's.
    pub(crate) ahead: i64,
    /// Events sent of which the store said that they may have been sent before, by key.
    pub(crate) resent_unknown: BTreeMap<String, u64>,
}

impl<A> Edge<A> {
    pub(crate) fn new() -> Self {
        Self {
            durable: Store::default(),
            store: Store::default(),
            outbox: Outbox::new(None),
            times: HashMap::new(),
            gate: Vec::new(),
            fresh: BTreeMap::new(),
            life: 0,
            left: PASS,
            under_way: 0,
            alarm: None,
            ahead: 0,
            resent_unknown: BTreeMap::new(),
        }
    }

    fn clock(&self, now: u64) -> u64 {
        now.saturating_add_signed(self.ahead)
    }

    pub(crate) fn durable(&self) -> &Store {
        &self.durable
    }

    pub(crate) fn pending(&self) -> usize {
        self.outbox.pending()
    }

    /// Takes a batch; `None` if it cannot be read.
    pub(crate) fn ingest(&mut self, body: &str, asked: A, now: u64) -> Option<()> {
        let received = self.clock(now);
        let batch = json::parse(body).ok()?;
        let web_id = batch.member("sc").and_then(Value::as_text)?;
        let context = Context {
            site_id: "8A412DC",
            etm_term: false,
            received,
            sent_at: batch.member("sentAt").and_then(Value::as_whole)?,
        };
        let stored = self.store.visitors.get(web_id);
        let mut visitor: Visitor =
            stored.map(|text| serde_json::from_str(text).expect("its own")).unwrap_or_default();
        let times = self.times.entry(web_id.to_owned()).or_default();
        let (mut results, mut bodies) = (Results::new(), Vec::new());
        for value in batch.member("records").and_then(Value::as_list)? {
            let record = Record::from_value(value, Some(web_id)).expect("a page's own record");
            if self.store.known.contains_key(&record.id) {
                results.push((record.id, Verdict::Duplicate));
                continue;
            }
            let outcome = visitor.apply(&record, &context, times);
            assert_eq!(outcome.verdict, Verdict::Accepted, "{:?}", outcome.reason);
            let body = outcome.body.expect("an event has a body").to_json();
            self.store.known.insert(record.id.clone(), key_of(&body));
            bodies.push(body);
            results.push((record.id, outcome.verdict));
        }
        let state = serde_json::to_string(&visitor).expect("a state is JSON");
        self.store.visitors.insert(web_id.to_owned(), state);
        if !bodies.is_empty() {
            self.add(web_id, bodies, received);
        }
        self.gate.push(Effect::Answer(asked, results));
        Some(())
    }

    fn add(&mut self, web_id: &str, bodies: Vec<String>, received: u64) {
        self.store.last += 1;
        let row = Row {
            id: self.store.last,
            web_id: web_id.to_owned(),
            count: bodies.len(),
            position: 0,
            attempts: 0,
            next_at: 0,
            unknown: false,
            received,
        };
        for (place, body) in bodies.iter().enumerate() {
            self.store.places.insert(key_of(body), (web_id.to_owned(), row.id, place));
        }
        self.store.counts.accepted += bodies.len() as u64;
        self.outbox.handle_row(row.clone());
        self.store.rows.insert(row.id, Stored { row, bodies });
    }

    pub(crate) fn drive(&mut self, now: u64) {
        let clock = self.clock(now);
        while self.left > 0 {
            match self.outbox.poll_output(clock) {
                Output::Send { row, position, resent_unknown } => {
                    self.left -= 1;
                    self.under_way += 1;
                    let body = self.store.rows[&row].bodies[position].clone();
                    if resent_unknown {
                        *self.resent_unknown.entry(key_of(&body)).or_default() += 1;
                    }
                    let life = self.life;
                    let sent = Sent { row, position, body, life, is_awaited: true };
                    self.gate.push(Effect::Send(sent));
                }
                Output::Wait(_) | Output::Pause(_) => break,
                other => panic!("an output that no host knows: {other:?}"),
            }
        }
        self.save();
        if self.under_way == 0 {
            self.outbox.handle_rest();
            self.save();
            self.left = PASS;
            let due = self.outbox.next_due(clock);
            self.alarm = due.map(|due| now + (due - clock));
        }
        let Counts { accepted, delivered, dead, erased } = self.store.counts;
        let fresh: u64 = self.fresh.values().sum();
        let sum = delivered + fresh + dead + erased + self.pending() as u64;
        assert_eq!(accepted, sum, "accepted = delivered + pending + dead + erased");
    }

    /// Makes everything durable, and lets out what waited for that.
    pub(crate) fn commit(&mut self) -> Vec<Effect<A>> {
        self.durable = self.store.clone();
        std::mem::take(&mut self.gate)
    }

    fn save(&mut self) {
        for row in self.outbox.take_updates() {
            self.store.counts.delivered += self.fresh.remove(&row.id).unwrap_or(0);
            if row.position >= row.count {
                self.store.rows.remove(&row.id);
            } else if let Some(stored) = self.store.rows.get_mut(&row.id) {
                stored.row = row;
            }
        }
    }

    /// The platform's answer; the process that asked may be gone.
    pub(crate) fn answer(
        &mut self,
        sent: &Sent,
        status: Option<u16>,
        known: bool,
        wait: Option<u64>,
        now: u64,
    ) {
        if sent.life != self.life {
            return;
        }
        self.under_way -= 1;
        let clock = self.clock(now);
        let random = u32::try_from(now % 4_000_000_000).unwrap_or(0);
        let is_known = self.outbox.position_of(sent.row) == Some(sent.position);
        let settled = self.outbox.handle_answer(sent.row, status, known, wait, clock, random);
        if !is_known {
            // Erased meanwhile, and counted so.
            return;
        }
        match settled {
            Settled::Delivered => *self.fresh.entry(sent.row).or_default() += 1,
            Settled::Dead => {
                // With the row's new place, or a crash would bury it twice.
                self.store.counts.dead += 1;
                self.store.dead.insert(key_of(&sent.body));
            }
            _ => {}
        }
    }

    /// Erases what is held of a visitor.
    pub(crate) fn erase(&mut self, web_id: &str) {
        let before = self.pending();
        self.outbox.forget(web_id);
        self.store.counts.erased += (before - self.pending()) as u64;
        let own = self.store.rows.values().filter(|stored| stored.row.web_id == web_id);
        for row in own.map(|stored| stored.row.id).collect::<Vec<_>>() {
            self.store.counts.delivered += self.fresh.remove(&row).unwrap_or(0);
            self.store.rows.remove(&row);
        }
        self.store.visitors.remove(web_id);
        let store = &mut self.store;
        let own = store.places.iter().filter(|(_, (whose, ..))| whose == web_id);
        store.erased.extend(own.map(|(key, _)| key.clone()));
    }

    /// The process ends, and another one begins with what is durable.
    pub(crate) fn crash(&mut self) {
        self.store = self.durable.clone();
        self.outbox = Outbox::new(None);
        for stored in self.store.rows.values() {
            self.outbox.handle_row(stored.row.clone());
        }
        self.fresh.clear();
        self.times.clear();
        self.gate.clear();
        self.life += 1;
        (self.left, self.under_way) = (PASS, 0);
    }
}
