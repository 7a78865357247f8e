//! Batching, retry and expiry on the page, as a state machine.
//!
//! The host feeds records and answers in, asks [`Delivery::poll_output`] what to do until it says
//! to wait, and does it. Time and randomness are arguments.

use crate::{
    retry::{Fate, fate, pause},
    value::{Value, write_whole},
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
    /// The browser's. Nothing leaves before it is known.
    web_id: String,
    /// Those in flight stand in front.
    entries: Vec<Entry>,
    /// How many are in flight, as long as an answer is to come.
    in_flight: Option<usize>,
    attempts: u32,
    not_before: u64,
    /// The part of that wait which the Worker asked for.
    asked: u64,
    /// Records at the front that are sent one by one.
    alone: usize,
    /// The time when it was last told.
    seen: u64,
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
    pub const fn new(site: String) -> Self {
        Self {
            site,
            web_id: String::new(),
            entries: Vec::new(),
            in_flight: None,
            attempts: 0,
            not_before: 0,
            asked: 0,
            alone: 0,
            seen: 0,
        }
    }

    /// Takes the web id under which records leave from now on.
    pub fn handle_web_id(&mut self, web_id: &str) {
        web_id.clone_into(&mut self.web_id);
    }

    /// Takes a record: its message id, its JSON text, and when it was made.
    ///
    /// `false` if it is known already or there is no room for now.
    pub fn handle_record(&mut self, id: &str, record: String, made: u64, now: u64) -> bool {
        if self.knows(id) || self.entries.len() >= MAX_PENDING {
            return false;
        }
        self.see(now);
        self.entries.push(Entry { id: id.to_owned(), record, made, since: now });
        true
    }

    /// Takes the news that a record needs no delivery any more.
    ///
    /// `false` if it is in flight, so that a verdict on it is still to come.
    pub fn handle_settled(&mut self, id: &str) -> bool {
        let flying = self.entries.iter().take(self.in_flight.unwrap_or(0));
        let waits = !flying.into_iter().any(|entry| entry.id == id);
        if waits {
            self.remove(&[id.to_owned()]);
        }
        waits
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
        self.see(now);
        let size = self.in_flight.take()?;
        match fate(status) {
            Fate::Done => {
                let before = self.entries.len();
                self.remove(settled);
                let gone = before - self.entries.len();
                self.alone = self.alone.saturating_sub(gone);
                if gone > 0 {
                    self.attempts = 0;
                    return None;
                }
            }
            Fate::Final if size == 1 => {
                self.alone = self.alone.saturating_sub(1);
                return self.take(0);
            }
            Fate::Final => {
                self.alone = size;
                return None;
            }
            Fate::Transient => {}
        }
        // A success that names none of the records is no success either: it comes from somebody
        // between page and Worker.
        self.not_before = now + pause(self.attempts, retry_after, random);
        self.asked = now + retry_after.unwrap_or(0);
        self.attempts += 1;
        None
    }

    /// Takes a wait that the Worker asked somebody else on the page for.
    pub fn handle_wait(&mut self, wait: u64, now: u64) {
        self.see(now);
        self.asked = now + wait;
        self.not_before = self.asked;
    }

    /// Takes the news that the network is back, or that the page is about to be left: what waits
    /// for a retry does not wait longer, unless the Worker asked for the wait.
    pub fn handle_online(&mut self) {
        if self.attempts > 0 {
            self.attempts = 0;
            self.not_before = self.asked;
        }
    }

    /// Drops everything. What is in flight may still get its verdict.
    pub fn clear(&mut self) {
        self.entries.clear();
        self.in_flight = self.in_flight.and(Some(0));
    }

    /// How many records wait for a verdict.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether the record waits for a verdict.
    #[must_use]
    pub fn knows(&self, id: &str) -> bool {
        self.entries.iter().any(|entry| entry.id == id)
    }

    /// How many bytes their text has.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.entries.iter().map(|entry| entry.record.len()).sum()
    }

    /// The time before which nothing is sent.
    #[must_use]
    pub const fn resumes(&self) -> u64 {
        self.not_before
    }

    /// When the oldest record was made whose id ends with `tail`, Unix milliseconds.
    #[must_use]
    pub fn oldest(&self, tail: &str) -> Option<u64> {
        let entries = self.entries.iter().filter(|entry| entry.id.ends_with(tail));
        entries.map(|entry| entry.made).min()
    }

    /// Drops the oldest record that is not in flight, and says which.
    #[must_use]
    pub fn take_oldest(&mut self) -> Option<String> {
        self.take(self.in_flight.unwrap_or(0))
    }

    /// Whether no record waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Says what to do. Call until it says to wait.
    #[must_use]
    pub fn poll_output(&mut self, now: u64) -> Output {
        self.see(now);
        let Some(since) = self.entries.first().map(|entry| entry.since) else {
            return Output::Wait(None);
        };
        if self.in_flight.is_some() || self.web_id.is_empty() {
            return Output::Wait(None);
        }
        // What others left comes behind the page's own, and is older.
        let is_expired = |entry: &Entry| now.saturating_sub(entry.made) > TIME_TO_LIVE;
        let expired = self.entries.iter().position(is_expired);
        if let Some(id) = expired.and_then(|index| self.take(index)) {
            return Output::Expired(id);
        }
        let full = self.entries.len() >= MAX_BATCH_RECORDS;
        let due = if full { 0 } else { since + LINGER }.max(self.not_before);
        if due > now {
            return Output::Wait(Some(due));
        }
        let most = if self.alone > 0 { 1 } else { MAX_BATCH_RECORDS };
        let mut room = MAX_BATCH_BYTES - FRAME - self.site.len();
        room = room.saturating_sub(self.web_id.len());
        let mut body = String::from("{\"v\":");
        write_whole(VERSION, &mut body);
        body.push_str(",\"site\":\"");
        body.push_str(&self.site);
        body.push_str("\",\"sc\":");
        Value::text(&self.web_id).write_json(&mut body);
        body.push_str(",\"sentAt\":");
        write_whole(now, &mut body);
        body.push_str(",\"records\":[");
        let mut ids = Vec::new();
        for entry in self.entries.iter().take(most) {
            let size = entry.record.len() + 1;
            if !ids.is_empty() {
                if size > room {
                    break;
                }
                body.push(',');
            }
            room = room.saturating_sub(size);
            body.push_str(&entry.record);
            ids.push(entry.id.clone());
        }
        body.push_str("]}");
        self.in_flight = Some(ids.len());
        Output::Send { ids, body }
    }

    /// Takes the time. Where the device's clock was set back, waits end as if it had not been.
    fn see(&mut self, now: u64) {
        let back = self.seen.saturating_sub(now);
        self.seen = now;
        if back > 0 {
            let waits = self.entries.iter_mut().map(|entry| &mut entry.since);
            for time in waits.chain([&mut self.not_before, &mut self.asked]) {
                *time = time.saturating_sub(back);
            }
        }
    }

    fn take(&mut self, index: usize) -> Option<String> {
        (index < self.entries.len()).then(|| self.entries.remove(index).id)
    }

    fn remove(&mut self, ids: &[String]) {
        self.entries.retain(|entry| !ids.contains(&entry.id));
    }
}
