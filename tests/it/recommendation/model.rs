//! A host without Cloudflare: visitors, the platform, a disk, and a clock, driving [`Cache`]. Every step
//! checks what the cache promises, so a run that ends is a run that held.

use std::{collections::HashMap, rc::Rc};

use esputnik_kit::{
    config::recommendations::Source,
    identity::WebId,
    recommendation::{
        Person,
        cache::{Cache, Found, Kept, LOST_AFTER, Outcome, Output, Times},
    },
};

use super::ask;

pub(super) const TIMES: Times = Times { fresh: 60_000, stale: 600_000, budget: 300 };

/// The shortest window after a call that failed.
const AFTER_FAILURE: u64 = 5000;

/// Something that happens.
#[derive(Clone, Debug)]
pub(super) enum Op {
    /// One of the visitors asks about one of the products; a flood of one caller may not call.
    Ask { person: usize, product: usize, may_call: bool },
    /// The platform answers one of the calls under way.
    Answer { which: usize, outcome: What },
    /// Milliseconds pass.
    Elapse(u64),
    /// The host is stopped and started again: only what is on disk is left.
    Restart,
    /// A visitor wants to be forgotten.
    Forget { person: usize },
}

#[derive(Clone, Debug)]
pub(super) enum What {
    Good,
    Empty,
    Failed(Option<u64>),
    Closed(u64),
}

struct Call {
    key: String,
    ticket: u64,
}

pub(super) struct Model {
    pub(super) now: u64,
    cache: Cache<Rc<str>>,
    disk: HashMap<String, Kept<Rc<str>>>,
    calls: Vec<Call>,
    /// Who waits: for which key, and since when.
    waiting: HashMap<u64, (String, u64)>,
    /// When each key may be asked for again, by the last call's end.
    windows: HashMap<String, u64>,
    closed: u64,
    askers: u64,
    pub(super) made: usize,
    pub(super) given: Vec<Found<Rc<str>>>,
}

/// A visitor, in the words of a key.
fn start(person: &Person) -> String {
    format!("{}/", person.key().unwrap())
}

/// Writes down what is known of a key: a good answer stays until there is another.
pub(super) fn keep(disk: &mut HashMap<String, Kept<Rc<str>>>, key: &str, mut kept: Kept<Rc<str>>) {
    let before = disk.remove(key).and_then(|before| before.good);
    kept.good = kept.good.or(before);
    disk.insert(key.to_owned(), kept);
}

fn person(number: usize) -> Person {
    let web_id = |id: &str| Person::Browser(WebId::parse(id).unwrap());
    match number % 3 {
        0 => web_id("A"),
        1 => web_id("A:"),
        _ => Person::Proven("email", "A".into()),
    }
}

impl Model {
    pub(super) fn new() -> Self {
        Self {
            now: 1_000_000,
            cache: Cache::new(TIMES),
            disk: HashMap::new(),
            calls: Vec::new(),
            waiting: HashMap::new(),
            windows: HashMap::new(),
            closed: 0,
            askers: 0,
            made: 0,
            given: Vec::new(),
        }
    }

    pub(super) fn step(&mut self, op: &Op) {
        match op {
            Op::Ask { person: number, product, may_call } => {
                let about = ask(&format!(r#"{{"variantId": "r1v1", "productId": {product}}}"#));
                let person = person(*number);
                let key = about.key("r1v1", Source::Contact, &person).unwrap();
                let key = [start(&person), key].concat();
                if !self.cache.knows(&key) {
                    let kept = self.disk.get(&key).cloned();
                    self.cache.handle_kept(&key, Source::Contact, kept);
                }
                self.askers += 1;
                self.waiting.insert(self.askers, (key.clone(), self.now));
                self.cache.handle_ask(self.askers, &key, Source::Contact, *may_call, self.now);
            }
            Op::Answer { which, outcome } if !self.calls.is_empty() => {
                let Call { key, ticket } = self.calls.remove(which % self.calls.len());
                let answer: Rc<str> = format!("{key} at {ticket}").into();
                let (outcome, window) = match outcome {
                    What::Good => (Outcome::Good(answer), ticket + TIMES.fresh),
                    What::Empty => (Outcome::Empty, ticket + TIMES.fresh),
                    What::Failed(rest) => {
                        let window = self.now + rest.unwrap_or(0).max(AFTER_FAILURE);
                        (Outcome::Failed(*rest), window)
                    }
                    What::Closed(rest) => (Outcome::Closed(*rest), self.now + rest),
                };
                let is_last =
                    !self.calls.iter().any(|call| call.key == key && call.ticket > ticket);
                if let Outcome::Closed(rest) = outcome {
                    self.closed = self.closed.max(self.now + rest);
                }
                if let Some(kept) = self.cache.handle_outcome(&key, ticket, outcome, self.now) {
                    keep(&mut self.disk, &key, kept);
                    if is_last {
                        self.windows.insert(key, window);
                    }
                }
            }
            Op::Answer { .. } => {}
            Op::Elapse(millis) => {
                let end = self.now + millis;
                while let Some(deadline) = self.cache.deadline().filter(|at| *at <= end) {
                    self.now = self.now.max(deadline);
                    self.cache.handle_time(self.now);
                    self.drain();
                }
                self.now = end;
            }
            Op::Restart => {
                self.cache = Cache::new(TIMES);
                // Those who waited are gone with the host, and so are its calls.
                self.waiting.clear();
                for call in self.calls.drain(..) {
                    let window = self.windows.entry(call.key).or_default();
                    *window = (*window).max(call.ticket + LOST_AFTER);
                }
                self.closed = 0;
            }
            Op::Forget { person: number } => {
                let start = start(&person(*number));
                self.cache.forget(&start);
                self.disk.retain(|key, _| !key.starts_with(&start));
                self.windows.retain(|key, _| !key.starts_with(&start));
                self.calls.retain(|call| !call.key.starts_with(&start));
            }
        }
        self.drain();
    }

    fn drain(&mut self) {
        while let Some(output) = self.cache.poll_output() {
            match output {
                Output::Keep(key, kept) => keep(&mut self.disk, &key, kept),
                Output::Call(key, ticket) => {
                    assert_eq!(ticket, self.now);
                    let window = self.windows.get(&key).copied().unwrap_or(0);
                    assert!(self.now >= window, "{key} is asked again too soon");
                    assert!(self.now >= self.closed, "the platform takes no calls");
                    let under_way =
                        |call: &Call| call.key == key && call.ticket + LOST_AFTER > self.now;
                    assert!(!self.calls.iter().any(under_way), "{key} is asked twice at a time");
                    self.calls.push(Call { key, ticket });
                    self.made += 1;
                }
                Output::Give(asker, found) => {
                    let (key, since) = self.waiting.remove(&asker).expect("asked once, given once");
                    assert!(self.now <= since + TIMES.budget, "{key} waits too long");
                    if let Found::Fresh(answer) | Found::Last(answer) = &found {
                        let (whose, at) = answer.rsplit_once(" at ").unwrap();
                        assert_eq!(whose, key, "an answer of another key");
                        let age = self.now - at.parse::<u64>().unwrap();
                        assert!(age < TIMES.stale);
                        assert_eq!(matches!(found, Found::Fresh(_)), age < TIMES.fresh);
                    }
                    self.given.push(found);
                }
                _ => unreachable!("three kinds of output"),
            }
        }
    }

    pub(super) fn finish(&mut self) {
        self.step(&Op::Elapse(TIMES.budget));
        assert!(self.waiting.is_empty(), "somebody waits for ever");
    }

    pub(super) fn nobody_waits(&self) -> bool {
        self.waiting.is_empty()
    }
}
