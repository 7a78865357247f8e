//! A Worker without Cloudflare: the store, the platform, and a host that can be stopped between any
//! two steps, driving [`Outbox`]. What the store has is what a crash leaves.
//!
//! Every step checks what the outbox promises, so a run that ends is a run that held. The steps
//! come from bytes, so that the fuzzer and the properties share them.

use std::collections::{BTreeMap, BTreeSet};

use esputnik_kit::outbox::{Outbox, Output, Row, Settled};

/// The platform's answer to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    /// Taken; but a body that it will never take is refused.
    Takes,
    /// No answer; whether the body arrived all the same.
    Silence { arrived: bool },
    /// A status that is no verdict, and the wait that it asks for, in milliseconds.
    Later { status: u16, retry_after: Option<u64> },
    /// "Duplicated request", under whatever status.
    Known { status: u16 },
}

/// Something that happens to an outbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    /// A page's request brings so many bodies of a visitor.
    Store { visitor: u8, count: usize },
    /// The platform answers one of the requests under way.
    Answer { which: usize, reply: Reply },
    /// Milliseconds pass.
    Elapse(u64),
    /// The host is stopped and started again: only what is stored is left.
    Crash,
    /// The host may make so many more requests before it rests.
    Allow(usize),
    /// A visitor asks to be forgotten.
    Forget { visitor: u8 },
}

impl Op {
    /// The step that four bytes stand for; all zero is the plainest one.
    pub(crate) fn from_bytes([kind, a, b, c]: [u8; 4]) -> Self {
        let number = u64::from(u16::from_be_bytes([a, b]));
        let which = usize::from(b);
        match kind % 16 {
            0..=3 => Self::Store { visitor: a % 10, count: 1 + usize::from(b % 25) },
            4..=8 => Self::Answer { which, reply: Reply::Takes },
            9 => Self::Answer { which, reply: Reply::Silence { arrived: a % 2 == 1 } },
            10 | 11 => {
                let status = [503, 429, 500, 404, 302, 401, 408][usize::from(c) % 7];
                let retry_after = (a % 2 == 1).then(|| u64::from(c) * 1000);
                Self::Answer { which, reply: Reply::Later { status, retry_after } }
            }
            12 => match c % 4 {
                0 => Self::Answer { which, reply: Reply::Known { status: 409 } },
                1 => Self::Answer { which, reply: Reply::Known { status: 503 } },
                _ => Self::Allow(usize::from(a % 32)),
            },
            13 => Self::Elapse(if c < 16 { number * 20_000 } else { number }),
            14 => Self::Elapse(number * u64::from(c % 16)),
            _ if c % 4 == 3 => Self::Forget { visitor: a % 10 },
            _ => Self::Crash,
        }
    }
}

/// The place of a body: its row, and its place in the row.
type Body = (u64, usize);

/// A request that waits for its answer.
#[derive(Clone, Debug)]
struct Request {
    body: Body,
    visitor: u8,
    /// Whether it was sent before the visitor asked to be forgotten.
    forgotten: bool,
}

#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) now: u64,
    limit: Option<u32>,
    outbox: Outbox,
    /// The rows as the store has them; done ones are gone.
    pub(crate) store: BTreeMap<u64, Row>,
    under_way: Vec<Request>,
    /// Requests that the host may still make before it rests.
    left: usize,
    alarm: Option<u64>,
    /// How far each row is in memory.
    position: BTreeMap<u64, usize>,
    visitors: BTreeMap<u64, u8>,
    counts: BTreeMap<u64, usize>,
    pub(crate) arrived: BTreeSet<Body>,
    pub(crate) dead: BTreeSet<Body>,
    forgotten: BTreeSet<u64>,
    /// Rows of which a body may have been sent without an answer having been kept.
    doubtful: BTreeSet<u64>,
    /// When each request left, over all times.
    pub(crate) sent: Vec<u64>,
    failures: u32,
    /// Not before, because the platform asked for it: for all, and by row.
    asked: u64,
    paused: BTreeMap<u64, u64>,
    /// Rows written since the host last rested, and failures that explain them.
    writes: BTreeMap<u64, u32>,
    stumbles: BTreeMap<u64, u32>,
    /// When it last rested, and how often it has written since because time had passed.
    rested: u64,
    timed: u64,
    rows: u64,
    random: u32,
}

/// A body that the platform will never take.
fn is_poison((row, position): Body) -> bool {
    (row * 7 + position as u64) % 11 == 5
}

const ROW_AGE: u64 = 7 * 24 * 60 * 60 * 1000;

impl Model {
    pub(crate) fn new(limit: Option<u32>) -> Self {
        Self {
            now: 1_579_622_183_208,
            limit,
            outbox: Outbox::new(limit),
            store: BTreeMap::new(),
            under_way: Vec::new(),
            left: 45,
            alarm: None,
            position: BTreeMap::new(),
            visitors: BTreeMap::new(),
            counts: BTreeMap::new(),
            arrived: BTreeSet::new(),
            dead: BTreeSet::new(),
            forgotten: BTreeSet::new(),
            doubtful: BTreeSet::new(),
            sent: Vec::new(),
            failures: 0,
            asked: 0,
            paused: BTreeMap::new(),
            writes: BTreeMap::new(),
            stumbles: BTreeMap::new(),
            rested: 1_579_622_183_208,
            timed: 0,
            rows: 0,
            random: 1,
        }
    }

    pub(crate) fn handle(&mut self, op: Op) {
        match op {
            Op::Store { visitor, count } => self.store(visitor, count),
            Op::Answer { which, reply } => {
                if !self.under_way.is_empty() {
                    let request = self.under_way.remove(which % self.under_way.len());
                    self.answer(&request, reply);
                }
            }
            Op::Elapse(time) => return self.elapse(time),
            Op::Crash => self.crash(),
            Op::Allow(left) => self.left = left,
            Op::Forget { visitor } => self.forget(visitor),
        }
        self.drive();
    }

    fn store(&mut self, visitor: u8, count: usize) {
        self.rows += 1;
        let row = Row {
            id: self.rows,
            web_id: visitor.to_string(),
            count,
            position: 0,
            attempts: 0,
            next_at: 0,
            unknown: false,
            received: self.now,
        };
        self.visitors.insert(row.id, visitor);
        self.counts.insert(row.id, count);
        self.position.insert(row.id, 0);
        self.store.insert(row.id, row.clone());
        self.outbox.handle_row(row);
    }

    /// One pass of the host: send what can be sent; at rest, store what has changed.
    fn drive(&mut self) {
        let mut steps = 0;
        while self.left > 0 {
            steps += 1;
            assert!(steps < 1000, "no rest");
            match self.outbox.poll_output(self.now) {
                Output::Send { row, position, resent_unknown } => {
                    self.send((row, position), resent_unknown);
                }
                waits @ (Output::Wait(_) | Output::Pause(_)) => {
                    let until = if let Output::Wait(until) = waits {
                        until
                    } else {
                        self.outbox.next_due(self.now)
                    };
                    assert!(until.is_none_or(|until| until > self.now), "due at once, yet a wait");
                    let stuck = until.is_none() && self.under_way.is_empty();
                    assert!(!stuck || self.pending() == 0, "rows wait and nothing will wake them");
                    break;
                }
                other => panic!("an output that no host knows: {other:?}"),
            }
        }
        if self.under_way.is_empty() {
            self.rest();
        }
        assert_eq!(self.outbox.pending(), self.pending(), "a body was lost");
    }

    fn rest(&mut self) {
        self.outbox.handle_rest();
        self.timed = 0;
        self.rested = self.now;
        self.save();
        self.left = 45;
        for (row, stored) in &self.store {
            assert_eq!(stored.position, self.position[row], "a rest that left something unstored");
        }
        self.writes.clear();
        self.stumbles.clear();
        self.timed = 0;
        self.alarm = self.outbox.next_due(self.now);
        assert_eq!(self.alarm.is_some(), self.pending() > 0, "no alarm for what waits");
        assert!(self.alarm.is_none_or(|alarm| alarm >= self.now), "an alarm in the past");
    }

    fn send(&mut self, body: Body, resent_unknown: bool) {
        let (row, position) = body;
        self.save();
        self.left -= 1;
        let visitor = self.visitors[&row];
        let first = |row: &&u64| self.visitors[*row] == visitor && !self.is_done(**row);
        assert_eq!(self.position.keys().find(first), Some(&row), "not the visitor's oldest row");
        assert_eq!(position, self.position[&row], "out of order, or sent again after a verdict");
        assert!(self.store[&row].position <= position, "sent again after its end was stored");
        assert!(self.store[&row].unknown, "a crash now would not be told from a rest");
        let known = self.under_way.iter().filter(|request| !request.forgotten);
        assert!(known.clone().all(|request| request.visitor != visitor), "two of one visitor");
        assert!(known.count() < 6, "more than six under way");
        if self.failures >= 5 {
            let asking = self.under_way.iter().filter(|request| !request.forgotten).count();
            assert_eq!(asking, 0, "a crowd asks whether the platform is back");
        }
        assert!(self.now >= self.asked, "the platform asked for a longer wait");
        let paused = self.paused.get(&row).copied().unwrap_or(0);
        assert!(self.now >= paused, "a failure repeated at once");
        assert!(!resent_unknown || self.doubtful.contains(&row), "counted as sent before");
        self.sent.push(self.now);
        self.under_way.push(Request { body, visitor, forgotten: false });
    }

    fn answer(&mut self, request: &Request, reply: Reply) {
        let body = request.body;
        let poison = is_poison(body);
        let (status, known, wait) = match reply {
            Reply::Takes => (Some(if poison { 400 } else { 204 }), false, None),
            Reply::Silence { arrived } => {
                self.doubtful.insert(body.0);
                if arrived && !poison {
                    self.arrived.insert(body);
                }
                (None, false, None)
            }
            Reply::Later { status, retry_after } => (Some(status), false, retry_after),
            Reply::Known { status } => (Some(status), true, None),
        };
        if status == Some(204) || known {
            self.arrived.insert(body);
        }
        self.random = self.random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let row = body.0;
        let settled = self.outbox.handle_answer(row, status, known, wait, self.now, self.random);
        if request.forgotten {
            return self.save();
        }
        let age = self.now - self.store[&row].received;
        let expected = match (status, known) {
            (_, true) | (Some(204), _) => Settled::Delivered,
            (Some(400), _) => Settled::Dead,
            _ if age > ROW_AGE => Settled::Dead,
            _ => Settled::Waits,
        };
        assert_eq!(settled, expected);
        match settled {
            Settled::Delivered => self.failures = 0,
            Settled::Dead => {
                self.failures = 0;
                self.dead.insert(body);
                // Written with its burial.
                *self.stumbles.entry(row).or_default() += 1;
            }
            _ => self.stumble(body, status, wait),
        }
        if settled != Settled::Waits {
            self.paused.remove(&row);
            *self.position.entry(row).or_default() += 1;
        }
        self.save();
    }

    /// A failure that is no verdict.
    fn stumble(&mut self, (row, _): Body, status: Option<u16>, wait: Option<u64>) {
        self.failures += 1;
        *self.stumbles.entry(row).or_default() += 1;
        self.paused.insert(row, self.now + wait.unwrap_or(0).max(500));
        if status == Some(429) {
            self.asked = self.asked.max(self.now + wait.unwrap_or(0));
        }
    }

    /// Stores what has changed. Rows that are on their way share one row of the store, which is written
    /// when one of them sets out or ends, and otherwise once a second at most.
    fn save(&mut self) {
        let (mut is_shared, mut has_reason) = (false, false);
        for row in self.outbox.take_updates() {
            let known = self.store.get(&row.id).expect("an update of a row that is gone");
            assert!(row.position >= known.position, "a row that went back");
            assert_eq!(row.position, self.position[&row.id]);
            let is_buried = row.position > 0 && self.dead.contains(&(row.id, row.position - 1));
            if row.attempts == 0 && row.position < row.count {
                is_shared = true;
                has_reason |= row.unknown && !known.unknown || is_buried;
            } else {
                has_reason = true;
                let writes = self.writes.entry(row.id).or_default();
                *writes += 1;
                let stumbles = self.stumbles.get(&row.id).copied().unwrap_or(0);
                assert!(*writes <= 2 + 2 * stumbles, "{writes} writes of a row in a pass");
            }
            if row.position >= row.count {
                self.store.remove(&row.id);
            } else {
                self.store.insert(row.id, row);
            }
        }
        if is_shared && !has_reason && self.now > self.rested {
            self.timed += 1;
            assert!(self.timed <= (self.now - self.rested) / 1000, "written too often");
        }
    }

    fn crash(&mut self) {
        let stored = |row: &u64| self.store.get(row).map(|row| row.position);
        let ahead = self.position.iter().filter(|(row, at)| stored(row).is_some_and(|s| s < **at));
        self.doubtful.extend(ahead.map(|(row, _)| *row));
        self.doubtful.extend(self.under_way.drain(..).map(|request| request.body.0));
        // Where the store cannot tell, the next body may have been on its way.
        self.doubtful.extend(self.store.values().filter(|row| row.unknown).map(|row| row.id));
        self.outbox = Outbox::new(self.limit);
        for row in self.store.values() {
            self.position.insert(row.id, row.position);
            self.outbox.handle_row(row.clone());
        }
        (self.failures, self.asked, self.left) = (0, 0, 45);
        (self.rested, self.timed) = (self.now, 0);
        self.paused = self.store.values().map(|row| (row.id, row.next_at)).collect();
        self.writes.clear();
        self.stumbles.clear();
    }

    fn forget(&mut self, visitor: u8) {
        self.outbox.forget(&visitor.to_string());
        for (row, _) in self.visitors.iter().filter(|(_, of)| **of == visitor) {
            if self.store.remove(row).is_some() {
                self.forgotten.insert(*row);
            }
        }
        for request in self.under_way.iter_mut().filter(|request| request.visitor == visitor) {
            request.forgotten = true;
        }
    }

    fn is_done(&self, row: u64) -> bool {
        self.forgotten.contains(&row) || self.position[&row] >= self.counts[&row]
    }

    fn pending(&self) -> usize {
        let open = self.position.keys().filter(|row| !self.is_done(**row));
        open.map(|row| self.counts[row] - self.position[row]).sum()
    }

    fn elapse(&mut self, time: u64) {
        let end = self.now + time;
        while let Some(alarm) = self.alarm.filter(|alarm| *alarm <= end) {
            self.now = self.now.max(alarm);
            self.alarm = None;
            let before = self.sent.len();
            let resting = self.under_way.is_empty();
            self.drive();
            let progress =
                self.sent.len() > before || self.alarm.is_some_and(|next| next > self.now);
            assert!(!resting || progress, "woken for nothing");
        }
        self.now = end;
    }

    /// The platform works again, and time passes until nothing waits.
    pub(crate) fn recover(&mut self) {
        let most = 20 * (self.pending() + 2);
        for _ in 0..most {
            if self.under_way.is_empty() {
                let Some(alarm) = self.alarm else { break };
                self.elapse(alarm - self.now.min(alarm));
            } else {
                self.handle(Op::Answer { which: 0, reply: Reply::Takes });
            }
        }
        assert!(self.store.is_empty(), "left behind: {:?}", self.store);
        assert_eq!(self.outbox.pending(), 0);
        for (row, count) in &self.counts {
            for position in 0..*count {
                let body = (*row, position);
                let reached = self.arrived.contains(&body) || self.dead.contains(&body);
                assert!(reached || self.forgotten.contains(row), "{body:?} reached nobody");
            }
        }
    }
}

/// Runs the steps, then lets everything recover.
pub(crate) fn run(limit: Option<u32>, ops: impl IntoIterator<Item = Op>) {
    let mut model = Model::new(limit);
    for op in ops {
        model.handle(op);
    }
    model.recover();
}
