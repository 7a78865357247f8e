//! Batching, retry and expiry on the page, as a state machine.
//!
//! The host feeds records and answers in, asks [`Delivery::poll_output`] what to do until it says
//! to wait, and does it. Time and randomness are arguments.

use std::collections::VecDeque;

use crate::{
    retry::{Fate, fate, pause},
    wire::{MAX_BATCH_BYTES, MAX_BATCH_RECORDS, TIME_TO_LIVE, VERSION},
};

/// How long a record waits for company, in milliseconds: calls of one moment leave together.
const LINGER: u64 = 50;

/// Most records in memory. The rest waits in the page's store; no page makes as many.
pub const MAX_PENDING: usize = 1000;

/// Room for what surrounds the records of a batch.
const FRAME: usize = 200;

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    id: String,
    record: String,
    /// When the record was made, Unix milliseconds.
    made: u64,
    /// When it was handed over.
    since: u64,
}

/// Records on their way to the Worker, oldest first.
///
/// # Guarantees
///
/// - A record leaves only when the Worker gave a verdict on it, when somebody else delivered it, or
///   when it is older than [`TIME_TO_LIVE`].
/// - At most one batch is in flight, so the Worker sees records in the order of the calls.
/// - After a refusal of a whole batch its records are sent one by one: one that cannot be read does
///   not block the next.
#[derive(Debug, Default)]
pub struct Delivery {
    site: String,
    pending: VecDeque<Entry>,
    in_flight: VecDeque<Entry>,
    attempts: u32,
    not_before: u64,
    /// Records at the front that are sent one by one.
    alone: usize,
}

/// What the host must do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Output {
    /// Send this body; report with [`Delivery::handle_answer`].
    Send {
        /// The message ids in it.
        ids: Vec<String>,
        /// The body.
        body: String,
    },
    /// The record is too old to be of use; drop it from the store.
    Expired(String),
    /// Nothing to do before this time, `None` if something must come in first.
    Wait(Option<u64>),
}

impl Delivery {
    /// A delivery of records of `site`.
    #[must_use]
    pub fn new(site: String) -> Self {
        Self { site, ..Self::default() }
    }

    /// Takes a record: its message id, its JSON text, and when it was made.
    ///
    /// `false` if it is known already or there is no room for now.
    pub fn handle_record(&mut self, id: &str, record: String, made: u64, now: u64) -> bool {
        let known = self.pending.iter().chain(&self.in_flight).any(|entry| entry.id == id);
        if known || self.pending.len() + self.in_flight.len() >= MAX_PENDING {
            return false;
        }
        self.pending.push_back(Entry { id: id.to_owned(), record, made, since: now });
        true
    }

    /// Takes the news that somebody else has delivered a record.
    pub fn handle_settled(&mut self, id: &str) {
        self.pending.retain(|entry| entry.id != id);
    }

    /// Takes the answer to the batch in flight: its status, `None` for silence; the ids that got a
    /// verdict; and the wait it asks for. Returns the ids whose whole batch was refused for good.
    pub fn handle_answer(
        &mut self,
        status: Option<u16>,
        settled: &[String],
        retry_after: Option<u64>,
        now: u64,
        random: u32,
    ) -> Option<String> {
        let mut batch = std::mem::take(&mut self.in_flight);
        let size = batch.len();
        match fate(status) {
            Fate::Done => {
                batch.retain(|entry| !settled.contains(&entry.id));
                self.alone = self.alone.saturating_sub(size - batch.len());
                if batch.len() < size {
                    self.attempts = 0;
                    self.put_back(batch);
                    return None;
                }
            }
            Fate::Final if size == 1 => {
                self.alone = self.alone.saturating_sub(1);
                return batch.pop_front().map(|entry| entry.id);
            }
            Fate::Final => {
                self.alone = size;
                self.put_back(batch);
                return None;
            }
            Fate::Transient => {}
        }
        // A success that names none of the records is no success either: it comes from somebody
        // between page and Worker.
        self.not_before = now + pause(self.attempts, retry_after, random);
        self.attempts += 1;
        self.put_back(batch);
        None
    }

    /// Takes the news that the network is back, or that the page is about to be left: what waits
    /// for a retry does not wait longer, unless the Worker asked for the wait.
    pub fn handle_online(&mut self) {
        if self.attempts > 0 {
            self.attempts = 0;
            self.not_before = 0;
        }
    }

    /// Drops everything.
    pub fn clear(&mut self) {
        self.pending.clear();
        self.in_flight.clear();
    }

    /// How many records wait for a verdict.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pending.len() + self.in_flight.len()
    }

    /// Whether no record waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Says what to do. Call until it says to wait.
    #[must_use]
    pub fn poll_output(&mut self, now: u64) -> Output {
        if !self.in_flight.is_empty() {
            return Output::Wait(None);
        }
        let Some(first) = self.pending.front() else { return Output::Wait(None) };
        if now.saturating_sub(first.made) > TIME_TO_LIVE {
            let expired = self.pending.pop_front().map(|entry| entry.id);
            return expired.map_or(Output::Wait(None), Output::Expired);
        }
        let full = self.pending.len() >= MAX_BATCH_RECORDS;
        let due = if full { 0 } else { first.since + LINGER }.max(self.not_before);
        if due > now {
            return Output::Wait(Some(due));
        }
        let most = if self.alone > 0 { 1 } else { MAX_BATCH_RECORDS };
        let mut room = MAX_BATCH_BYTES - FRAME - self.site.len();
        let mut body = [
            "{\"v\":",
            &VERSION.to_string(),
            ",\"site\":\"",
            &self.site,
            "\",\"sentAt\":",
            &now.to_string(),
            ",\"records\":[",
        ]
        .concat();
        let mut ids = Vec::new();
        while let Some(entry) = self.pending.front() {
            let size = entry.record.len() + 1;
            if !ids.is_empty() && (size > room || ids.len() >= most) {
                break;
            }
            room = room.saturating_sub(size);
            if !ids.is_empty() {
                body.push(',');
            }
            body.push_str(&entry.record);
            ids.push(entry.id.clone());
            self.in_flight.extend(self.pending.pop_front());
        }
        body.push_str("]}");
        Output::Send { ids, body }
    }

    fn put_back(&mut self, mut batch: VecDeque<Entry>) {
        batch.append(&mut self.pending);
        self.pending = batch;
    }
}
