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
/// - Before the first body of a row is sent, [`Outbox::take_updates`] returns the row marked
///   `unknown`; store that before sending, and a crash can be told from a rest.
/// - Where several outboxes share what the tracker takes, a body is sent in a slot of the governor's,
///   or in this outbox's own part of the limit while the governor cannot be reached.
#[derive(Debug, Default)]
pub struct Outbox {
    rows: HashMap<u64, Entry>,
    /// Keys of a visitor's rows, oldest first; only the first may be sent.
    visitors: HashMap<String, VecDeque<u64>>,
    /// First rows of visitors that are not being sent, by time.
    ready: BTreeSet<(u64, u64)>,
    in_flight: usize,
    changed: BTreeSet<u64>,
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
        if queue.len() == 1 {
            self.ready.insert((row.next_at, row.id));
        }
        // Which part of a stored pause was asked for is not known any more.
        let (due, asked) = (row.next_at, row.next_at);
        self.rows.insert(row.id, Entry { stored: row.clone(), row, in_flight: false, due, asked });
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

    /// The visitor of a row that waits.
    #[must_use]
    pub fn visitor_of(&self, id: u64) -> Option<String> {
        self.rows.get(&id).map(|entry| entry.row.web_id.clone())
    }

    /// When something can be sent next, if nothing is under way.
    #[must_use]
    pub fn next_due(&self, now: u64) -> Option<u64> {
        let (next_at, _) = self.ready.first()?;
        Some((*next_at).max(self.closed_until).max(self.pace.due(now)).max(now))
    }

    /// Says what to do. Call until it says to wait.
    #[must_use]
    pub fn poll_output(&mut self, now: u64) -> Output {
        // While the platform may be down, one request asks whether it is.
        let lanes = if self.failures >= BREAKER_FAILURES { 1 } else { LANES };
        if self.in_flight >= lanes {
            return Output::Wait(None);
        }
        let Some(&(next_at, id)) = self.ready.first() else { return Output::Wait(None) };
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
        self.ready.remove(&(next_at, id));
        let Some(entry) = self.rows.get_mut(&id) else { return Output::Wait(None) };
        self.pace.take(now);
        let resent_unknown = entry.stored.unknown && entry.stored == entry.row;
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
        let (want, back) = lease.ask(lanes.min(self.ready.len()), now);
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
            entry.row.unknown = status.is_none();
            entry.asked = now + retry_after.unwrap_or(0);
            self.changed.insert(id);
            self.failures += 1;
            let is_down = self.failures >= BREAKER_FAILURES;
            // While it is down, that is no fault of the row's: its pauses do not grow, and the next
            // attempt is another's turn.
            entry.row.attempts = if is_down { 1 } else { entry.row.attempts + 1 };
            entry.due = if is_down { entry.asked } else { now + wait };
            entry.row.next_at = entry.due;
            self.ready.insert((entry.due, id));
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
        self.failures = 0;
        entry.row.position += 1;
        entry.row.attempts = 0;
        entry.row.next_at = 0;
        (entry.due, entry.asked) = (0, 0);
        if entry.row.position < entry.row.count {
            self.ready.insert((0, id));
        } else {
            entry.row.unknown = false;
            self.changed.insert(id);
            if let Some(queue) = self.visitors.get_mut(&entry.row.web_id) {
                queue.pop_front();
                match queue.front().and_then(|next| self.rows.get(next)) {
                    Some(next) => {
                        self.ready.insert((next.due, next.row.id));
                    }
                    None => {
                        self.visitors.remove(&self.rows[&id].row.web_id);
                    }
                }
            }
        }
        settled
    }

    /// Ends the pauses of rows that failed because the platform is down: who was tried often
    /// meanwhile would wait long after it is back.
    fn end_pauses(&mut self, now: u64) {
        for (due, id) in std::mem::take(&mut self.ready) {
            let Some(entry) = self.rows.get_mut(&id) else { continue };
            entry.due = due.min(now).max(entry.asked);
            entry.row.attempts = entry.row.attempts.min(1);
            self.ready.insert((entry.due, id));
        }
    }

    /// Ends a pass: what rows have come to since is to be stored, so that it is not sent again
    /// after the host was stopped.
    pub fn handle_rest(&mut self) {
        for (id, entry) in &mut self.rows {
            if !entry.in_flight && entry.row != entry.stored {
                entry.row.unknown &= entry.row.attempts > 0;
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

    /// Drops what waits of a visitor.
    pub fn forget(&mut self, web_id: &str) {
        for id in self.visitors.remove(web_id).unwrap_or_default() {
            if let Some(entry) = self.rows.remove(&id) {
                self.ready.remove(&(entry.due, id));
                self.in_flight -= usize::from(entry.in_flight);
            }
        }
    }
}
