//! A page without a browser: a virtual clock, a store that outlives the page, and a collector that
//! fails in every way there is, driving [`Delivery`]. The loop in [`Sim::drive`] is the reference
//! for the page's own driver.
//!
//! Every step checks what the page may rely on, so a run that ends is a run that held. The steps
//! come from bytes, so that the fuzzer and the properties share them.

use std::collections::{BTreeMap, BTreeSet};

use esputnik_kit::{
    delivery::{Delivery, Output},
    wire::{MAX_BATCH_BYTES, MAX_BATCH_RECORDS, TIME_TO_LIVE},
};

/// A collector's answer to a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    /// A verdict on every record; a whole refusal if one of them cannot be read.
    Takes,
    /// A verdict on some of the records, picked by the bits.
    TakesSome(u8),
    /// No answer; whether the batch arrived all the same.
    Silence { arrived: bool },
    /// A status without a verdict, and the wait that it asks for, in milliseconds.
    Later { status: u16, retry_after: Option<u64> },
    /// A success from somebody in between, who knows nothing of the records.
    Stranger,
}

/// Something that happens to a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    /// A call; its record has about this many bytes, and may be one that cannot be read.
    Call { bytes: usize, poison: bool },
    /// The collector answers, if something is under way.
    Answer(Reply),
    /// Milliseconds pass.
    Elapse(u64),
    /// The network is back, or the page was shown or hidden.
    Online,
    /// Somebody else has delivered a record that waits.
    Elsewhere(usize),
    /// The page is closed and another one opened.
    Reload,
    /// The visitor asks to be forgotten.
    Forget,
}

impl Op {
    /// The step that four bytes stand for; all zero is the plainest one.
    pub(crate) fn from_bytes([kind, a, b, c]: [u8; 4]) -> Self {
        let number = u64::from(u16::from_be_bytes([a, b]));
        match kind % 16 {
            0..=4 => Self::Call {
                bytes: if c < 200 { 100 } else { usize::from(u16::from_be_bytes([a, b])) / 2 },
                poison: c % 16 == 15,
            },
            5..=7 => Self::Answer(Reply::Takes),
            8 => Self::Answer(Reply::TakesSome(a)),
            9 => Self::Answer(Reply::Silence { arrived: a % 2 == 1 }),
            10 => Self::Answer(Reply::Later {
                status: [503, 429, 500, 404, 302, 401][usize::from(c) % 6],
                retry_after: (a % 2 == 1).then(|| u64::from(b) * 1000),
            }),
            11 => Self::Answer(Reply::Stranger),
            12 => Self::Elapse(number),
            13 => match c % 8 {
                // Long enough that what waits may expire.
                0 => Self::Elapse(number * 20_000),
                1..=3 => Self::Elapse(number * 10),
                _ => Self::Online,
            },
            14 => Self::Elsewhere(usize::from(a)),
            _ if c % 4 == 3 => Self::Forget,
            _ => Self::Reload,
        }
    }
}

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Taken,
    Refused,
    Expired,
    Elsewhere,
    Forgotten,
}

/// What the collector has.
#[derive(Debug, Default)]
struct Collector {
    poison: BTreeSet<String>,
    arrived: BTreeSet<String>,
}

#[derive(Debug)]
pub(crate) struct Sim {
    pub(crate) now: u64,
    delivery: Delivery,
    collector: Collector,
    /// What the page has stored: message id and record. Ids sort by age.
    store: BTreeMap<String, String>,
    under_way: Option<Vec<String>>,
    timer: Option<u64>,
    pub(crate) fates: BTreeMap<String, Fate>,
    /// Every batch that left, as its message ids.
    pub(crate) batches: Vec<Vec<String>>,
    made: u64,
    /// No batch may leave before, because the collector asked for it.
    asked: u64,
    /// No batch may leave before, so that a failure is not repeated at once.
    paused: u64,
    random: u32,
}

/// A delivery that knows whose records it sends.
pub(crate) fn delivery() -> Delivery {
    let mut delivery = Delivery::new("main".into());
    delivery.handle_web_id("W");
    delivery
}

impl Sim {
    pub(crate) fn new() -> Self {
        Self {
            now: 1_579_622_183_208,
            delivery: delivery(),
            collector: Collector::default(),
            store: BTreeMap::new(),
            under_way: None,
            timer: None,
            fates: BTreeMap::new(),
            batches: Vec::new(),
            made: 0,
            asked: 0,
            paused: 0,
            random: 1,
        }
    }

    /// One input → poll until `Wait` → sleep.
    pub(crate) fn handle(&mut self, op: Op) {
        match op {
            Op::Call { bytes, poison } => {
                let id = format!(
                    "{:08x}-{:04x}-7000-8000-{:012x}",
                    self.now >> 16,
                    self.now & 0xffff,
                    self.made
                );
                self.made += 1;
                let pad = "x".repeat(bytes.min(32 * 1024 - 100));
                let record = format!(r#"{{"id":"{id}","pad":"{pad}"}}"#);
                if poison {
                    self.collector.poison.insert(id.clone());
                }
                self.store.insert(id.clone(), record.clone());
                assert!(self.delivery.handle_record(&id, record, self.now, self.now));
            }
            Op::Answer(reply) => self.answer(reply),
            Op::Elapse(time) => return self.elapse(time),
            Op::Online => {
                self.delivery.handle_online();
                self.paused = 0;
            }
            Op::Elsewhere(place) => {
                if let Some(id) = self.store.keys().nth(place).cloned() {
                    let under_way = self.under_way.iter().flatten().any(|known| *known == id);
                    let taken = self.delivery.handle_settled(&id);
                    assert_eq!(taken, !under_way, "what is under way gets a verdict of its own");
                    if taken {
                        self.settle(&id, Fate::Elsewhere);
                    }
                }
            }
            Op::Forget => {
                self.delivery.clear();
                for id in std::mem::take(&mut self.store).into_keys() {
                    self.fates.insert(id, Fate::Forgotten);
                }
            }
            Op::Reload => {
                self.delivery = delivery();
                self.under_way = None;
                (self.asked, self.paused) = (0, 0);
                for (id, record) in &self.store {
                    let made = made(id);
                    assert!(self.delivery.handle_record(id, record.clone(), made, self.now));
                }
            }
        }
        self.drive();
    }

    fn drive(&mut self) {
        let most = self.store.len() + 2;
        for _ in 0..most {
            match self.delivery.poll_output(self.now) {
                Output::Send { ids, body } => self.send(ids, &body),
                Output::Expired(id) => {
                    assert_eq!(Some(&id), self.store.keys().next(), "the oldest expires first");
                    assert!(self.now - made(&id) > TIME_TO_LIVE, "lost before its time");
                    self.settle(&id, Fate::Expired);
                }
                Output::Wait(until) => {
                    assert!(
                        until.is_none_or(|until| until > self.now),
                        "a timer that is due at once"
                    );
                    let idle = self.under_way.is_none() && !self.store.is_empty();
                    assert!(until.is_some() || !idle, "records wait and nothing will wake them");
                    self.timer = until;
                    assert_eq!(self.delivery.len(), self.store.len(), "a record was lost");
                    return;
                }
                other => panic!("an output that no host knows: {other:?}"),
            }
        }
        panic!("no rest after {most} outputs");
    }

    fn send(&mut self, ids: Vec<String>, body: &str) {
        assert!(self.under_way.is_none(), "two batches under way");
        assert!(self.now >= self.asked, "the collector asked for a longer wait");
        assert!(self.now >= self.paused, "a failure repeated at once");
        assert!(!ids.is_empty() && ids.len() <= MAX_BATCH_RECORDS, "{} records", ids.len());
        assert!(body.len() <= MAX_BATCH_BYTES, "{} bytes", body.len());
        let oldest: Vec<_> = self.store.keys().take(ids.len()).cloned().collect();
        assert_eq!(ids, oldest, "sent again after a verdict, or out of order");
        let records: Vec<_> = ids.iter().map(|id| self.store[id].as_str()).collect();
        let expected = format!(
            r#"{{"v":1,"site":"main","sc":"W","sentAt":{},"records":[{}]}}"#,
            self.now,
            records.join(",")
        );
        assert_eq!(body, expected);
        self.batches.push(ids.clone());
        self.under_way = Some(ids);
    }

    fn answer(&mut self, reply: Reply) {
        let Some(ids) = self.under_way.take() else { return };
        let poisoned = ids.iter().any(|id| self.collector.poison.contains(id));
        let (status, wait, verdicts) = match reply {
            Reply::Takes | Reply::TakesSome(_) if poisoned => (Some(400), None, vec![]),
            Reply::Takes => (Some(202), None, ids.clone()),
            Reply::TakesSome(bits) => {
                let some = ids.iter().enumerate().filter(|(place, _)| bits >> (place % 8) & 1 == 1);
                (Some(202), None, some.map(|(_, id)| id.clone()).collect())
            }
            Reply::Silence { arrived } => {
                if arrived && !poisoned {
                    self.collector.arrived.extend(ids.iter().cloned());
                }
                (None, None, vec![])
            }
            Reply::Later { status, retry_after } => (Some(status), retry_after, vec![]),
            Reply::Stranger => (Some(200), None, vec![]),
        };
        self.random = self.random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let refused = self.delivery.handle_answer(status, &verdicts, wait, self.now, self.random);
        self.asked = self.asked.max(self.now + wait.unwrap_or(0));
        let waits = ids.iter().any(|id| self.store.contains_key(id));
        if waits && verdicts.is_empty() && status != Some(400) {
            self.paused = self.now + 500;
        }
        for id in &verdicts {
            self.collector.arrived.insert(id.clone());
            if self.store.contains_key(id) {
                self.settle(id, Fate::Taken);
            }
        }
        if let Some(id) = refused {
            assert!(self.collector.poison.contains(&id), "refused for another one's sake");
            self.settle(&id, Fate::Refused);
        }
    }

    fn settle(&mut self, id: &str, fate: Fate) {
        assert!(self.store.remove(id).is_some(), "settled twice");
        self.fates.insert(id.to_owned(), fate);
    }

    fn elapse(&mut self, time: u64) {
        let end = self.now + time;
        while let Some(timer) = self.timer.filter(|timer| *timer <= end) {
            self.now = timer;
            self.drive();
        }
        self.now = end;
    }

    /// Everything works again, and time passes until nothing waits.
    pub(crate) fn recover(&mut self) {
        for _ in 0..10 * (self.store.len() + 2) {
            self.handle(Op::Answer(Reply::Takes));
            let Some(timer) = self.timer else { continue };
            assert!(timer - self.now <= 5 * 60 * 1000 || timer == self.asked, "too long a wait");
            self.elapse(timer - self.now);
        }
        assert!(self.store.is_empty(), "left behind: {:?}", self.store.keys());
        assert_eq!(self.fates.len() as u64, self.made);
        for (id, fate) in &self.fates {
            match fate {
                Fate::Taken => assert!(self.collector.arrived.contains(id)),
                Fate::Refused => assert!(self.collector.poison.contains(id)),
                Fate::Expired | Fate::Elsewhere | Fate::Forgotten => {}
            }
        }
    }
}

/// When the record of a message id was made.
fn made(id: &str) -> u64 {
    esputnik_kit::wire::message_time(id)
}

/// Runs the steps, then lets everything recover.
pub(crate) fn run(ops: impl IntoIterator<Item = Op>) {
    let mut sim = Sim::new();
    for op in ops {
        sim.handle(op);
    }
    sim.recover();
}
