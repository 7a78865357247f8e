//! The Worker's durable queue as a state machine: which row may be sent now, and what an answer
//! means for it.
//!
//! A row holds the bodies that one request brought for one visitor. The host keeps the bodies in
//! its store; here is only what decides. Time and randomness are arguments.

mod pace;

use std::collections::{BTreeSet, HashMap, VecDeque};

use self::pace::{Lease, Pace, Rate, Turn};
use crate::{
    governor::{Break, Grant, Outcome},
    retry::{Fate, fate, longest_break, pause},
};

/// Requests under way at a time; a Worker has six connections.
const LANES: usize = 6;

/// Failures in a row after which the platform counts as down.
const BREAKER_FAILURES: u32 = 5;

/// Longest time for which nothing is tried where the governor says how long that is to be, in
/// milliseconds: it is asked again then.
const LED_LONGEST: u64 = 2000;

/// Most slots that are asked for at a time.
const MOST_WANTED: usize = 100;

/// How long what has become of a row's bodies may be kept in memory alone, in milliseconds. A crash
/// then leaves so much in doubt, and the platform knows the same bytes again for one minute only.
const LONGEST_UNSTORED: u64 = 1000;

/// How long a row is tried before its events count as dead, in milliseconds: seven days.
const MAX_ROW_AGE: u64 = 7 * 24 * 60 * 60 * 1000;

/// A row as the store keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "the store must keep every member")]
pub struct Row {
    /// The row's key; a later row has a greater one.
    pub id: u64,
    /// The visitor. Their rows leave in order, one request at a time.
    pub web_id: String,
    /// How many bodies the row holds.
    pub count: usize,
    /// The next body to send; the ones before it are settled.
    pub position: usize,
    /// Attempts at the body at `position` that failed.
    pub attempts: u32,
    /// Not before this time, Unix milliseconds.
    pub next_at: u64,
    /// Whether bodies from `position` on may have been sent without an answer having been kept.
    pub unknown: bool,
    /// When the row was stored, Unix milliseconds.
    pub received: u64,
}

/// What the host must do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Output {
    /// Send the body at `position` of `row` and report with [`Outbox::handle_answer`].
    Send {
        /// The row's key.
        row: u64,
        /// The body's place in the row.
        position: usize,
        /// Whether it may have been sent before without an answer having been kept.
        resent_unknown: bool,
    },
    /// Ask the governor for so many slots of the tracker's pool and report with
    /// [`Outbox::handle_grant`].
    Lease {
        /// How many.
        want: u32,
        /// Whether it could not be reached just before.
        back: bool,
    },
    /// Nothing to send before this time, whatever comes meanwhile: if it is near, stay awake for it.
    Pause(u64),
    /// Nothing to send before this time; `None` if an answer must come first or nothing waits.
    Wait(Option<u64>),
}

/// What became of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Settled {
    /// The platform has it.
    Delivered,
    /// The platform will not take it; keep it as a dead row with the reason.
    Dead,
    /// It stays where it is and is tried again.
    Waits,
}

/// Rows on their way to the platform.
///
/// # Guarantees
///
/// - A visitor's bodies are sent in the order they came, one at a time; visitors do not wait for
///   each other.
/// - A body leaves only when the platform took it or refused it for good.
/// - Unless the platform is down, what may have arrived without an answer goes before everything else
///   that may be sent: only for a while does the platform know that it has it already.
/// - Before the first body of a row is sent, [`Outbox::take_updates`] returns the row marked
///   `unknown`; store that before sending, and a crash can be told from a rest.
/// - Where several outboxes share what the tracker takes, a body is sent in a slot of the governor's,
///   or in this outbox's own part of the limit while the governor cannot be reached.
#[derive(Debug, Default)]
pub struct Outbox {
    rows: HashMap<u64, Entry>,
    /// Keys of a visitor's rows, oldest first; only the first may be sent.
    visitors: HashMap<String, VecDeque<u64>>,
    /// First rows of visitors that are not being sent, by time: those whose next body may have arrived
    /// already, and the others.
    doubtful: BTreeSet<(u64, u64)>,
    ready: BTreeSet<(u64, u64)>,
    in_flight: usize,
    changed: BTreeSet<u64>,
    /// Rows that are further than is stored although nothing forces a write, and since when.
    moved: BTreeSet<u64>,
    moved_since: Option<u64>,
    failures: u32,
    /// Since when the platform counts as down.
    down_since: u64,
    closed_until: u64,
    pace: Pace,
}

#[derive(Debug)]
struct Entry {
    row: Row,
    in_flight: bool,
    /// What the store has.
    stored: Row,
    /// Not before this time: the row's own pause, until the platform turns out to be down.
    due: u64,
    /// Not before this time, because the platform asked for that.
    asked: u64,
    /// From here on bodies may have been sent before the host was started, if any may.
    in_doubt: Option<usize>,
    /// The body at the row's place was sent, and no answer came.
    is_silent: bool,
    /// An earlier attempt at that body may have arrived, whatever the later ones came to.
    may_be_there: bool,
}

impl Entry {
    /// Whether the next body may have been sent before the host was started, and not since.
    fn is_in_doubt(&self) -> bool {
        self.in_doubt.is_some_and(|from| from <= self.row.position)
    }

    /// Whether the next body may have arrived without an answer having been kept.
    fn is_doubtful(&self) -> bool {
        self.may_be_there || self.is_in_doubt()
    }
}

impl Outbox {
    /// An empty outbox, the only one there is, that sends at most `per_second` requests a second, if
    /// that is given.
    #[must_use]
    pub fn new(per_second: Option<u32>) -> Self {
        let pace = per_second.map_or(Pace::Free, |limit| Pace::Own(Rate::new(limit)));
        Self { pace, ..Self::default() }
    }

    /// An empty outbox, one of `senders` that together send at most `per_second` requests a second, if
    /// that is given, and that are up and down together: the governor says when.
    #[must_use]
    pub fn shared(per_second: Option<u32>, senders: u32) -> Self {
        Self { pace: Pace::Shared(Lease::new(per_second, senders)), ..Self::default() }
    }

    /// Takes a row that the store has.
    pub fn handle_row(&mut self, row: Row) {
        let queue = self.visitors.entry(row.web_id.clone()).or_default();
        queue.push_back(row.id);
        let (id, is_first) = (row.id, queue.len() == 1);
        // Which part of a stored pause was asked for is not known any more.
        let (due, asked) = (row.next_at, row.next_at);
        let in_doubt = row.unknown.then_some(row.position);
        let stored = row.clone();
        let (in_flight, is_silent, may_be_there) = (false, false, false);
        let entry = Entry { row, in_flight, stored, due, asked, in_doubt, is_silent, may_be_there };
        self.rows.insert(id, entry);
        if is_first {
            self.enqueue(id);
        }
    }

    /// Has a row wait for its turn.
    fn enqueue(&mut self, id: u64) {
        let Some(entry) = self.rows.get(&id) else { return };
        let rows = if entry.is_doubtful() { &mut self.doubtful } else { &mut self.ready };
        rows.insert((entry.due, id));
    }

    /// Whose turn is next, and when.
    fn next(&self, now: u64) -> Option<(u64, u64)> {
        let (doubtful, ready) = (self.doubtful.first(), self.ready.first());
        // While the platform is down everybody has a turn, or one that always fails would be the only
        // one to ask.
        let is_down = self.failures >= BREAKER_FAILURES;
        let first = doubtful.filter(|(due, _)| !is_down && *due <= now);
        first.or_else(|| doubtful.into_iter().chain(ready).min()).copied()
    }

    /// How many bodies wait.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.rows.values().map(|entry| entry.row.count - entry.row.position).sum()
    }

    /// The next body of a row that waits.
    #[must_use]
    pub fn position_of(&self, id: u64) -> Option<usize> {
        self.rows.get(&id).map(|entry| entry.row.position)
    }

    /// The rows of a visitor that wait.
    pub fn rows_of(&self, web_id: &str) -> impl Iterator<Item = &Row> {
        let ids = self.visitors.get(web_id).into_iter().flatten();
        ids.filter_map(|id| self.rows.get(id)).map(|entry| &entry.row)
    }

    /// A row that waits.
    #[must_use]
    pub fn row(&self, id: u64) -> Option<&Row> {
        self.rows.get(&id).map(|entry| &entry.row)
    }

    /// Until when nothing at all is sent: the platform is down, or has asked for that.
    #[must_use]
    pub fn closed_until(&self, now: u64) -> Option<u64> {
        (self.closed_until > now).then_some(self.closed_until)
    }

    /// When something can be sent next, if nothing is under way.
    #[must_use]
    pub fn next_due(&self, now: u64) -> Option<u64> {
        let (next_at, _) = self.next(now)?;
        Some(next_at.max(self.closed_until).max(self.pace.due(now)).max(now))
    }

    /// Says what to do. Call until it says to wait.
    #[must_use]
    pub fn poll_output(&mut self, now: u64) -> Output {
        if self.moved_since.is_some_and(|since| since + LONGEST_UNSTORED <= now) {
            self.changed.append(&mut self.moved);
            self.moved_since = None;
        }
        // While the platform may be down, one request asks whether it is.
        let lanes = if self.failures >= BREAKER_FAILURES { 1 } else { LANES };
        if self.in_flight >= lanes {
            return Output::Wait(None);
        }
        let Some((next_at, id)) = self.next(now) else { return Output::Wait(None) };
        let not_before = next_at.max(self.closed_until);
        if not_before > now {
            return Output::Wait(Some(not_before));
        }
        match self.pace.turn(now) {
            Turn::Now => {}
            Turn::At(time) => return Output::Pause(time),
            Turn::Ask => return self.ask(lanes - self.in_flight, now),
            Turn::Asked => return Output::Wait(None),
        }
        self.doubtful.remove(&(next_at, id));
        self.ready.remove(&(next_at, id));
        let Some(entry) = self.rows.get_mut(&id) else { return Output::Wait(None) };
        self.pace.take(now);
        // Places are stored seldom, so a crash leaves the rest of the row in doubt, each body once.
        let in_doubt = entry.is_in_doubt();
        let resent_unknown = std::mem::take(&mut entry.is_silent) || in_doubt;
        if in_doubt {
            entry.in_doubt = Some(entry.row.position + 1);
            entry.may_be_there = true;
        }
        entry.in_flight = true;
        if !entry.row.unknown {
            entry.row.unknown = true;
            self.changed.insert(id);
        }
        self.in_flight += 1;
        Output::Send { row: id, position: entry.row.position, resent_unknown }
    }

    /// Asks for what can be used: slots that are not, nobody else can have.
    fn ask(&mut self, lanes: usize, now: u64) -> Output {
        let Some(lease) = self.pace.lease() else { return Output::Wait(None) };
        let (want, back) = lease.ask(lanes.min(self.doubtful.len() + self.ready.len()), now);
        let mut waiting = 0;
        for entry in self.rows.values().filter(|entry| !entry.in_flight) {
            waiting += entry.row.count - entry.row.position;
            if waiting >= want {
                break;
            }
        }
        let want = want.min(waiting).clamp(1, MOST_WANTED);
        Output::Lease { want: u32::try_from(want).unwrap_or(1), back }
    }

    /// Takes the governor's word, `None` if it could not be reached, and whether it wants to hear of
    /// successes.
    pub fn handle_grant(&mut self, grant: Option<&Grant>, wants_successes: bool, now: u64) {
        let Some(lease) = self.pace.lease() else { return };
        lease.handle_grant(grant, wants_successes, now);
        match grant {
            Some(Grant::Broken(_, Break::Failures)) if self.failures < BREAKER_FAILURES => {
                // Others have found it to be down.
                self.failures = BREAKER_FAILURES;
                self.down_since = now;
                self.end_pauses(now);
            }
            // Or to be up.
            Some(Grant::Slots(_)) if !wants_successes => self.failures = 0,
            _ => {}
        }
    }

    /// What the governor must hear of, at once.
    #[must_use]
    pub fn take_outcomes(&mut self) -> Vec<Outcome> {
        self.pace.lease().map(Lease::take_outcomes).unwrap_or_default()
    }

    /// Takes the answer to a request: its status, `None` for silence; whether its body says that
    /// the platform has this event already; and the wait it asks for.
    pub fn handle_answer(
        &mut self,
        id: u64,
        status: Option<u16>,
        known: bool,
        retry_after: Option<u64>,
        now: u64,
        random: u32,
    ) -> Settled {
        let Some(entry) = self.rows.get_mut(&id) else { return Settled::Delivered };
        self.in_flight -= usize::from(entry.in_flight);
        entry.in_flight = false;
        let expired = now.saturating_sub(entry.row.received) > MAX_ROW_AGE;
        let (settled, outcome) = match fate(status) {
            Fate::Done => (Settled::Delivered, Outcome::Answered),
            _ if known => (Settled::Delivered, Outcome::Answered),
            Fate::Final => (Settled::Dead, Outcome::Answered),
            Fate::Transient => (
                if expired { Settled::Dead } else { Settled::Waits },
                if status == Some(429) { Outcome::Limited(retry_after) } else { Outcome::Failed },
            ),
        };
        let is_led = self.pace.is_led();
        if let Some(lease) = self.pace.lease() {
            lease.handle_outcome(outcome);
        }
        if settled == Settled::Waits {
            let wait = pause(entry.row.attempts, retry_after, random);
            entry.is_silent = status.is_none();
            entry.may_be_there |= entry.is_silent;
            entry.row.unknown = entry.may_be_there || entry.in_doubt.is_some();
            entry.asked = now + retry_after.unwrap_or(0);
            self.changed.insert(id);
            self.failures += 1;
            let is_down = self.failures >= BREAKER_FAILURES;
            // While it is down, that is no fault of the row's: its pauses do not grow, and the next
            // attempt is another's turn.
            entry.row.attempts = if is_down { 1 } else { entry.row.attempts + 1 };
            entry.due = if is_down { entry.asked } else { now + wait };
            entry.row.next_at = entry.due;
            self.enqueue(id);
            if status == Some(429) {
                // The limit is the account's, not this visitor's.
                self.closed_until = self.closed_until.max(now + wait);
            } else if is_down {
                if self.failures == BREAKER_FAILURES {
                    self.down_since = now;
                    self.end_pauses(now);
                }
                let lasted = now.saturating_sub(self.down_since);
                let longest = if is_led { LED_LONGEST } else { longest_break(lasted) };
                let wait = pause(self.failures - BREAKER_FAILURES, None, random).min(longest);
                let closed = now + wait.max(retry_after.unwrap_or(0));
                self.closed_until = self.closed_until.max(closed);
            }
            return settled;
        }
        if settled == Settled::Dead {
            // Its burial is stored at once, so its place must be too, or a crash would send and bury
            // it again.
            self.changed.insert(id);
        }
        self.failures = 0;
        entry.row.position += 1;
        entry.row.attempts = 0;
        entry.row.next_at = 0;
        entry.may_be_there = false;
        (entry.due, entry.asked) = (0, 0);
        if entry.row.position < entry.row.count {
            self.moved.insert(id);
            self.moved_since.get_or_insert(now);
            self.enqueue(id);
            return settled;
        }
        entry.row.unknown = false;
        // What others have come to is written with it: that costs no write more.
        self.changed.append(&mut self.moved);
        self.moved_since = None;
        self.changed.insert(id);
        if let Some(queue) = self.visitors.get_mut(&entry.row.web_id) {
            queue.pop_front();
            match queue.front().copied() {
                Some(next) => self.enqueue(next),
                None => {
                    self.visitors.remove(&self.rows[&id].row.web_id);
                }
            }
        }
        settled
    }

    /// Ends the pauses of rows that failed because the platform is down: who was tried often
    /// meanwhile would wait long after it is back.
    fn end_pauses(&mut self, now: u64) {
        let doubtful = std::mem::take(&mut self.doubtful);
        for (due, id) in doubtful.into_iter().chain(std::mem::take(&mut self.ready)) {
            let Some(entry) = self.rows.get_mut(&id) else { continue };
            entry.due = due.min(now).max(entry.asked);
            entry.row.attempts = entry.row.attempts.min(1);
            self.enqueue(id);
        }
    }

    /// Ends a pass: what rows have come to since is to be stored, so that it is not sent again
    /// after the host was stopped.
    pub fn handle_rest(&mut self) {
        self.moved.clear();
        self.moved_since = None;
        for (id, entry) in &mut self.rows {
            if !entry.in_flight && entry.row != entry.stored {
                entry.row.unknown &= entry.row.attempts > 0 || entry.in_doubt.is_some();
                self.changed.insert(*id);
            }
        }
    }

    /// The rows whose stored form has changed. A row whose `position` is its `count` is done: its
    /// bodies can go.
    #[must_use]
    pub fn take_updates(&mut self) -> Vec<Row> {
        let mut updates = Vec::new();
        for id in std::mem::take(&mut self.changed) {
            let Some(entry) = self.rows.get_mut(&id) else { continue };
            if entry.row != entry.stored {
                entry.stored = entry.row.clone();
                updates.push(entry.row.clone());
            }
            if entry.row.position >= entry.row.count {
                self.rows.remove(&id);
            }
        }
        updates
    }

    /// Drops a row.
    pub fn forget_row(&mut self, id: u64) {
        let Some(entry) = self.rows.remove(&id) else { return };
        self.doubtful.remove(&(entry.due, id));
        self.ready.remove(&(entry.due, id));
        self.in_flight -= usize::from(entry.in_flight);
        let Some(queue) = self.visitors.get_mut(&entry.row.web_id) else { return };
        let was_first = queue.front() == Some(&id);
        queue.retain(|own| *own != id);
        match queue.front().copied() {
            Some(next) if was_first => self.enqueue(next),
            Some(_) => {}
            None => {
                self.visitors.remove(&entry.row.web_id);
            }
        }
    }

    /// Drops what waits of a visitor.
    pub fn forget(&mut self, web_id: &str) {
        let ids: Vec<u64> = self.rows_of(web_id).map(|row| row.id).collect();
        for id in ids {
            self.forget_row(id);
        }
    }
}
