//! Which answer counts, when the platform is asked, and for how long somebody waits.
//!
//! A state machine with the host's clock. The host tells it who asks and what a call came to, and does
//! what it says: make a call, give somebody an answer.
//!
//! # Guarantees
//!
//! - Of one key no call is made while another is under way, and none before the window of the last one
//!   is over: `fresh` after one that the platform answered, a growing pause after one that failed, and
//!   never sooner than the platform asked for. That holds for a host that was stopped in between, too.
//! - Whoever asks is given something within the budget: a new answer, else the last good one, else
//!   nothing.
//! - What is given was an answer to the same key, and is never older than `stale`.
//! - What memory has no room for is on disk, the key's window with it.

use std::collections::{HashMap, VecDeque};

use crate::config::recommendations::{Recommendations, Source};

/// The pause after a first failure, in milliseconds: a page view or two.
const FIRST_PAUSE: u64 = 5000;

/// After this a call that has not ended never will, in milliseconds: the host gives each less.
pub const LOST_AFTER: u64 = 30_000;

/// As many keys are in memory at a time, unless more are being asked for.
const MOST_KEYS: usize = 4000;

/// As much of answers is kept in memory, in bytes; all of them are also on disk.
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// How long things last, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "what the settings say")]
pub struct Times {
    /// For how long an answer is new.
    pub fresh: u64,
    /// For how long it may be shown.
    pub stale: u64,
    /// For how long somebody waits.
    pub budget: u64,
}

impl Times {
    /// As the settings say.
    #[must_use]
    pub fn of(settings: &Recommendations) -> Self {
        Self {
            fresh: u64::from(settings.fresh) * 1000,
            stale: u64::from(settings.stale) * 1000,
            budget: u64::from(settings.budget),
        }
    }
}

/// What somebody is given.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Found<A> {
    /// A new answer.
    Fresh(A),
    /// An older one.
    Last(A),
    /// None.
    Nothing,
}

/// What a call came to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome<A> {
    /// Products.
    Good(A),
    /// No products, which is an answer too. What was good before stays the last good answer.
    Empty,
    /// None, or none that can be used; the platform asks for so many milliseconds of rest.
    Failed(Option<u64>),
    /// The platform takes no calls, of any key, for so many milliseconds.
    Closed(u64),
}

/// What the host does next.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Output<A> {
    /// It writes to disk what is known of this key.
    Keep(String, Kept<A>),
    /// It asks the platform, and tells the outcome with this ticket.
    Call(String, u64),
    /// It gives this to whoever asked under this number.
    Give(u64, Found<A>),
}

/// What of a key outlives the memory. Where there is no good answer in it, the one on disk stays.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "hosts write it to disk and read it")]
pub struct Kept<A> {
    /// The last good answer, and when its call was made.
    pub good: Option<(A, u64)>,
    /// Before this the platform is not asked.
    pub not_before: u64,
    /// How many calls failed since.
    pub failures: u32,
}

#[derive(Debug)]
struct Entry<A> {
    source: Source,
    kept: Kept<A>,
    /// When the call that is under way was made.
    calling: Option<u64>,
    /// The number of the question that was the last for it.
    asked: u64,
    /// The answer is on disk alone.
    unloaded: bool,
}

#[derive(Debug)]
struct Waiter {
    asker: u64,
    key: String,
    until: u64,
}

/// The answers of a site's recommendations.
#[derive(Debug)]
pub struct Cache<A> {
    times: Times,
    entries: HashMap<String, Entry<A>>,
    /// The length of all answers in memory.
    bytes: usize,
    /// How many questions there were.
    asked: u64,
    waiting: Vec<Waiter>,
    /// Until when the platform takes no calls, by where they go.
    closed: HashMap<Source, u64>,
    outputs: VecDeque<Output<A>>,
}

impl<A: Clone + AsRef<str>> Cache<A> {
    /// An empty one.
    #[must_use]
    pub fn new(times: Times) -> Self {
        Self {
            times,
            entries: HashMap::new(),
            bytes: 0,
            asked: 0,
            waiting: Vec::new(),
            closed: HashMap::new(),
            outputs: VecDeque::new(),
        }
    }

    /// Whether everything about a key is in memory. What is not is to be read from disk before somebody
    /// asks, and handed to [`Cache::handle_kept`], if there is any.
    #[must_use]
    pub fn knows(&self, key: &str) -> bool {
        self.entries.get(key).is_some_and(|entry| !entry.unloaded)
    }

    /// Takes what was on disk about a key that somebody asks for; nothing says that there is nothing.
    pub fn handle_kept(&mut self, key: &str, source: Source, kept: Option<Kept<A>>) {
        let kept = kept.unwrap_or_default();
        let asked = self.next();
        if let Some(entry) = self.entries.get_mut(key) {
            entry.asked = asked;
            // A call may have ended meanwhile, and what it brought is newer.
            if entry.unloaded && entry.kept.good.is_none() {
                self.bytes += length(&kept);
                entry.kept.good = kept.good;
            }
            entry.unloaded = false;
        } else {
            self.bytes += length(&kept);
            self.entries.insert(key.to_owned(), Entry { kept, ..Entry::new(source, asked) });
        }
        self.make_room(key);
    }

    /// Takes a question, under a number that no other has. Only with `may_call` the platform is asked.
    pub fn handle_ask(&mut self, asker: u64, key: &str, source: Source, may_call: bool, now: u64) {
        let times = self.times;
        let closed = self.closed.get(&source).is_some_and(|until| now < *until);
        let number = self.next();
        let entry =
            self.entries.entry(key.to_owned()).or_insert_with(|| Entry::new(source, number));
        entry.asked = number;
        if let Some(begun) = entry.calling
            && begun + LOST_AFTER <= now
        {
            entry.calling = None;
            entry.kept.failures = entry.kept.failures.saturating_add(1);
        }
        let found = entry.found(times, now);
        if matches!(found, Found::Fresh(_)) {
            self.outputs.push_back(Output::Give(asker, found));
            return;
        }
        let calls = may_call && !closed && entry.calling.is_none() && now >= entry.kept.not_before;
        if calls {
            entry.calling = Some(now);
            entry.kept.not_before = now + LOST_AFTER;
            // If the host is stopped, nobody will know what the call came to: as if it never ended.
            let failures = entry.kept.failures.saturating_add(1);
            let lost = Kept { good: None, failures, ..entry.kept };
            self.outputs.push_back(Output::Keep(key.to_owned(), lost));
            self.outputs.push_back(Output::Call(key.to_owned(), now));
        }
        match found {
            Found::Nothing if entry.calling.is_some() => {
                let until = now + times.budget;
                self.waiting.push(Waiter { asker, key: key.to_owned(), until });
            }
            found => self.outputs.push_back(Output::Give(asker, found)),
        }
    }

    /// Takes what a call came to, and gives it to those who wait for it. What is to be written to disk
    /// about the key, if anything.
    pub fn handle_outcome(
        &mut self,
        key: &str,
        ticket: u64,
        outcome: Outcome<A>,
        now: u64,
    ) -> Option<Kept<A>> {
        let times = self.times;
        // Whoever was forgotten meanwhile is asked about no more.
        let entry = self.entries.get_mut(key)?;
        let is_current = entry.calling == Some(ticket);
        if let Outcome::Closed(rest) = outcome {
            let until = self.closed.entry(entry.source).or_default();
            *until = (*until).max(now + rest);
        }
        // Of a call that was given up, only what can be shown counts.
        if !is_current && !matches!(outcome, Outcome::Good(_)) {
            return None;
        }
        if is_current {
            entry.calling = None;
        }
        let kept = &mut entry.kept;
        match outcome {
            Outcome::Good(answer) => {
                if kept.good.as_ref().is_none_or(|(_, at)| *at <= ticket) {
                    self.bytes -= length(kept);
                    self.bytes += answer.as_ref().len();
                    kept.good = Some((answer, ticket));
                    entry.unloaded = false;
                }
                kept.failures = 0;
                let window = ticket + times.fresh;
                kept.not_before = if is_current { window } else { kept.not_before.max(window) };
            }
            Outcome::Empty => {
                kept.failures = 0;
                kept.not_before = ticket + times.fresh;
            }
            Outcome::Failed(rest) => {
                let longest = times.fresh.max(FIRST_PAUSE);
                let pause = FIRST_PAUSE.saturating_mul(1 << kept.failures.min(16)).min(longest);
                kept.failures = kept.failures.saturating_add(1);
                kept.not_before = now + pause.max(rest.unwrap_or(0));
            }
            Outcome::Closed(rest) => kept.not_before = now + rest,
        }
        let kept = entry.kept.clone();
        let found = entry.found(times, now);
        let key_of = |waiter: &Waiter| waiter.key == key;
        // Those who wait for a later call go on to, unless there is something for them.
        if is_current || !matches!(found, Found::Nothing) {
            for waiter in self.waiting.extract_if(.., |waiter| key_of(waiter)) {
                self.outputs.push_back(Output::Give(waiter.asker, found.clone()));
            }
        }
        self.make_room(key);
        Some(kept)
    }

    /// Gives those something who have waited long enough.
    pub fn handle_time(&mut self, now: u64) {
        for waiter in self.waiting.extract_if(.., |waiter| waiter.until <= now) {
            let found = match self.entries.get(&waiter.key) {
                Some(entry) => entry.found(self.times, now),
                None => Found::Nothing,
            };
            self.outputs.push_back(Output::Give(waiter.asker, found));
        }
    }

    /// Forgets the keys that begin with `start`; those who wait for them are given nothing.
    pub fn forget(&mut self, start: &str) {
        for (_, entry) in self.entries.extract_if(|key, _| key.starts_with(start)) {
            self.bytes -= length(&entry.kept);
        }
        for waiter in self.waiting.extract_if(.., |waiter| waiter.key.starts_with(start)) {
            self.outputs.push_back(Output::Give(waiter.asker, Found::Nothing));
        }
    }

    /// What the host does next, until there is nothing.
    pub fn poll_output(&mut self) -> Option<Output<A>> {
        self.outputs.pop_front()
    }

    /// When somebody has waited long enough, if anybody waits.
    #[must_use]
    pub fn deadline(&self) -> Option<u64> {
        self.waiting.iter().map(|waiter| waiter.until).min()
    }

    /// The number of a question.
    fn next(&mut self) -> u64 {
        self.asked += 1;
        self.asked
    }

    /// Drops from memory what was not asked for the longest, but not what `key` has, which is being
    /// handled. More goes than must, so that this is not done each time.
    fn make_room(&mut self, key: &str) {
        let may_go = |own: &str, entry: &Entry<A>| entry.calling.is_none() && own != key;
        if self.bytes > MOST_BYTES {
            let loaded = self.entries.iter().filter(|(own, entry)| may_go(own, entry));
            let loaded = loaded.filter(|(_, entry)| entry.kept.good.is_some());
            let mut by_age: Vec<_> =
                loaded.map(|(_, entry)| (entry.asked, length(&entry.kept))).collect();
            by_age.sort_unstable();
            let (excess, mut gone) = (self.bytes - MOST_BYTES / 4 * 3, 0);
            let enough = |(_, length): &(u64, usize)| {
                gone += length;
                gone >= excess
            };
            let last = by_age.into_iter().find(enough).map_or(u64::MAX, |(asked, _)| asked);
            for (own, entry) in &mut self.entries {
                if may_go(own, entry) && entry.asked <= last && entry.kept.good.take().is_some() {
                    entry.unloaded = true;
                }
            }
            self.bytes -= gone;
        }
        if self.entries.len() > MOST_KEYS {
            let idle = self.entries.iter().filter(|(own, entry)| may_go(own, entry));
            let mut ages: Vec<u64> = idle.map(|(_, entry)| entry.asked).collect();
            let excess = ages.len().min(self.entries.len() - MOST_KEYS / 4 * 3);
            let Some(at) = excess.checked_sub(1) else { return };
            let last = *ages.select_nth_unstable(at).1;
            let old =
                |own: &String, entry: &mut Entry<A>| may_go(own, entry) && entry.asked <= last;
            // What counts of them is on disk: how calls ended, and until when none is made.
            for (_, entry) in self.entries.extract_if(old) {
                self.bytes -= length(&entry.kept);
            }
        }
    }
}

/// How long the answer in memory is.
fn length<A: AsRef<str>>(kept: &Kept<A>) -> usize {
    kept.good.as_ref().map_or(0, |(answer, _)| answer.as_ref().len())
}

impl<A> Default for Kept<A> {
    fn default() -> Self {
        Self { good: None, not_before: 0, failures: 0 }
    }
}

impl<A> Entry<A> {
    fn new(source: Source, asked: u64) -> Self {
        Self { source, kept: Kept::default(), calling: None, asked, unloaded: false }
    }
}

impl<A: Clone> Entry<A> {
    fn found(&self, times: Times, now: u64) -> Found<A> {
        match &self.kept.good {
            Some((answer, at)) if now < at + times.fresh => Found::Fresh(answer.clone()),
            Some((answer, at)) if now < at + times.stale => Found::Last(answer.clone()),
            _ => Found::Nothing,
        }
    }
}
