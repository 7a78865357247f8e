//! The tracker: what the dedicated worker of a page decides, as a state machine.
//!
//! The host (`www/tracker.js`) passes each message in as JSON text and performs the effects that
//! come back. Storage, network, lock and timer are its business, what they are used for is decided
//! here.
//!
//! | message | says |
//! |---|---|
//! | `[0, base, site, visibility, wait?, sc?, tail?]` | the settings, how long the Worker wants to be left alone, the web id, what the ids of this page's records end with |
//! | `[1, id, record, sc]` | a record of this page, and the web id |
//! | `[2, visibility?]` | the page was shown or hidden, or the network is back |
//! | `[4]` | forget everything |
//! | `[6, status?, wait?, answer?]` | what became of `send` |
//! | `[7, ids?, records?, fitting?, held?]` | what `search` found: all ids; the first records that no other page holds; if there are more, how many of the newest have room; the ends of ids that other pages hold. No ids if it was called off or nothing can be stored |
//! | `[8]` | a page has let go of what it held |
//! | `[9]` | the time of `wait` has come |
//!
//! | effect | asks to |
//! |---|---|
//! | `["send", body]` | post the batch; answer with 6 |
//! | `["search", [most, room]]` | wait for the lock and read the store, oldest first, `most` records; `room` is for how many bytes of them; answer with 7 |
//! | `["release"]` | give the lock back, or call the wait for it off |
//! | `["hold", tail]` | hold what this page has made, until `free`, and say 8 when another page lets go |
//! | `["free"]` | let go of it |
//! | `["remove", ids]` | remove records from the store |
//! | `["clear"]` | empty the store |
//! | `["wait", milliseconds]` | answer with 9 after this time, and no more at the time asked before |
//!
//! Any other effect is a report to the page.

mod read;

use self::read::{check, is_record, member, results, texts};
use crate::{
    delivery::{Delivery, MAX_PENDING, Output},
    problem::{Code, Problem},
    retry::LONGEST_RETRY_AFTER,
    value::Value,
    wire::{MAX_BATCH_RECORDS, Verdict, message_time, result_value},
};

/// Age from which a record that no page holds is taken over, in milliseconds. Younger ones are
/// probably on their way from a page that is about to go.
const ORPHAN_AGE: u64 = 3000;

/// Age from which a page that may be leaving holds its records, in milliseconds. In good days none gets
/// as old, and browsers do not keep a page that holds something for the way back.
const HOLD_AGE: u64 = 2000;

/// How long a page that was hidden may be leaving, in milliseconds. One that still runs after that is a
/// tab behind another one.
const LEAVING: u64 = 5000;

/// How often the store is searched for records that others left, in milliseconds; pages that let go
/// of something are noticed at once.
const SEARCH: u64 = 30_000;

/// The same where nobody looks at the page.
const HIDDEN_SEARCH: u64 = 3_600_000;

/// Most records in the store. A page that is offline for days must not fill the disk.
pub const MAX_STORED: usize = 5000;

/// Most bytes of records in the store, two for each unit of text: as many events of common size as
/// [`MAX_STORED`], far fewer of the longest.
pub const MAX_STORED_BYTES: usize = 10_000_000;

/// Most leftovers that are taken over at a time: what goes into one batch.
const MOST_TAKEN: u64 = MAX_BATCH_RECORDS as u64;

const TOO_MANY: &str = "too many records waited; the oldest go first";

const UNREADABLE: &str = "the record cannot be read";

/// Verdicts that are remembered: the loader may hand a record over again while the news of its
/// verdict is on the way.
const MAX_RECENT: usize = 100;

/// Where the search for leftovers stands. Only one page searches and sends them at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Search {
    /// Begins at this time, if the page is not leaving.
    At(u64),
    /// The host was asked, and waits for the lock: when its holder goes, this page is next.
    Asked,
    /// The search was called off; its answer is still to come.
    Stale,
    /// Leftovers are being delivered, under the lock; the next search begins at this time.
    Delivering(u64),
}

/// Decides what is sent and searched.
#[derive(Debug)]
pub struct Tracker {
    delivery: Delivery,
    search: Search,
    /// Since when the page is, Unix milliseconds.
    hidden: Option<u64>,
    /// What the ids of this page's records end with; nothing where the loader does not say it.
    tail: String,
    /// Whether other pages leave this page's records alone.
    holds: bool,
    /// Whether records have only memory: the store cannot be had.
    unstored: bool,
    /// Records of other pages that the loader has found; of use where the store does not have them.
    found: Vec<(String, String)>,
    /// Whether a page has let go since the last search: what it wrote last may not be there yet.
    gone: bool,
    /// Records of other pages that are being delivered.
    leftovers: Vec<String>,
    /// The last records that got their verdict.
    recent: Vec<String>,
    /// The effects of the present message, as the beginning of a JSON list.
    effects: String,
    /// The time of the last message.
    seen: u64,
}

impl Default for Tracker {
    fn default() -> Self {
        Self::new()
    }
}

impl Tracker {
    /// A tracker that waits for its settings.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            delivery: Delivery::new(String::new()),
            search: Search::Stale,
            hidden: None,
            tail: String::new(),
            holds: false,
            unstored: false,
            found: Vec::new(),
            gone: false,
            leftovers: Vec::new(),
            recent: Vec::new(),
            effects: String::new(),
            seen: 0,
        }
    }

    /// Takes a message and says what to do, both as JSON text.
    ///
    /// `random` is anything evenly spread; only pauses depend on it.
    #[must_use]
    pub fn handle(&mut self, message: &str, now: u64, random: u32) -> String {
        self.effects.push('[');
        // A clock that is set back puts nothing off.
        let back = self.seen.saturating_sub(now);
        if let Search::At(time) | Search::Delivering(time) = &mut self.search {
            *time = time.saturating_sub(back);
        }
        if let Some(since) = &mut self.hidden {
            *since = since.saturating_sub(back);
        }
        self.seen = now;
        let message = Value::from_json(message).unwrap_or_default();
        let items = message.as_list().unwrap_or_default();
        let item = |index: usize| items.get(index).unwrap_or(&Value::Null);
        let text = |index: usize| item(index).as_text().unwrap_or_default();
        match item(0).as_whole() {
            Some(0) => {
                self.delivery = Delivery::new(text(2).to_owned());
                let wait = item(4).as_whole().unwrap_or(0);
                self.delivery.handle_wait(wait.min(LONGEST_RETRY_AFTER), now);
                self.delivery.handle_web_id(text(5));
                text(6).clone_into(&mut self.tail);
                self.search = Search::At(now);
                self.show(text(3), now);
            }
            Some(1) => {
                self.delivery.handle_web_id(text(3));
                self.add(text(1), text(2), now);
            }
            Some(2) => {
                self.delivery.handle_online();
                self.show(text(1), now);
            }
            Some(4) => self.clear(now),
            Some(6) => {
                let status = item(1).as_whole().and_then(|status| u16::try_from(status).ok());
                self.answered(status, item(2).as_whole(), results(item(3)), now, random);
            }
            Some(7) => self.found(item(1).as_list(), items.get(2..).unwrap_or_default(), now),
            Some(8) => {
                self.gone = true;
                self.hurry(now);
            }
            // A newer loader may say more; what it says is not needed to deliver.
            _ => {}
        }
        self.poll(now);
        self.effects.push(']');
        std::mem::take(&mut self.effects)
    }

    /// Takes a record of this page.
    fn add(&mut self, id: &str, record: &str, now: u64) {
        if self.recent.iter().any(|known| known == id) {
            return;
        }
        if !id.ends_with(&self.tail) {
            // The search knows whether its page is still there.
            if !self.delivery.knows(id) && !self.found.iter().any(|(known, _)| known == id) {
                self.found.push((id.to_owned(), record.to_owned()));
            }
            return;
        }
        if let Some(problem) = check(record) {
            return self.refused(id, &problem);
        }
        self.delivery.handle_record(id, record.to_owned(), message_time(id), now);
        if self.unstored {
            self.make_room();
        }
    }

    /// Drops the oldest records that wait, so that memory has room for one more.
    fn make_room(&mut self) {
        while self.delivery.len() >= MAX_PENDING || self.delivery.bytes() > MAX_STORED_BYTES {
            let Some(id) = self.delivery.take_oldest() else { return };
            self.refuse(&id, Code::Expired, TOO_MANY);
        }
    }

    /// The page says whether it is visible.
    ///
    /// A page that is hidden may be about to be frozen, so it gives the lock back, once no batch is under
    /// way: it would keep others from delivering, and the browser from keeping the page for the way back.
    fn show(&mut self, visibility: &str, now: u64) {
        match visibility {
            "hidden" if self.hidden.is_none() => {
                self.hidden = Some(now);
                self.drop_leftovers(now);
            }
            "visible" => {
                self.hidden = None;
                self.hurry(now);
            }
            _ => {}
        }
    }

    /// Has the next search begin as soon as it can.
    const fn hurry(&mut self, now: u64) {
        if let Search::At(time) | Search::Delivering(time) = &mut self.search {
            *time = now;
        }
    }

    fn clear(&mut self, now: u64) {
        self.delivery.clear();
        self.found.clear();
        self.effect("clear", &Value::Null);
        self.drop_leftovers(now + SEARCH);
    }

    /// Leaves what other pages left to others, until `again`; what is in flight once it has its answer.
    fn drop_leftovers(&mut self, again: u64) {
        let delivery = &mut self.delivery;
        self.leftovers.retain(|id| !delivery.handle_settled(id));
        match self.search {
            Search::Asked => {
                self.search = Search::Stale;
                self.effect("release", &Value::Null);
            }
            Search::Delivering(_) if self.leftovers.is_empty() => self.release(again),
            Search::Delivering(_) => self.search = Search::Delivering(again),
            _ => {}
        }
    }

    fn release(&mut self, again: u64) {
        self.search = Search::At(again);
        self.effect("release", &Value::Null);
    }

    /// Takes what the store holds: all ids; the first records that nobody holds, how many of the newest
    /// have room, and what others hold.
    fn found(&mut self, ids: Option<&[Value]>, rest: &[Value], now: u64) {
        if self.search == Search::Stale {
            return self.release(now);
        }
        self.unstored = ids.is_none();
        let ids = ids.unwrap_or_default();
        let item = |index: usize| rest.get(index).unwrap_or(&Value::Null);
        let list = |index: usize| item(index).as_list().unwrap_or_default();
        let mut records = list(0).iter();
        let held: Vec<&str> = list(2).iter().filter_map(Value::as_text).collect();
        let is_held = |id: &str| held.iter().any(|tail| id.ends_with(tail));
        let mut again = now + if self.hidden.is_some() { HIDDEN_SEARCH } else { SEARCH };
        let room = item(1).as_whole().and_then(|room| usize::try_from(room).ok());
        let room = room.unwrap_or(MAX_STORED);
        let excess = ids.len().saturating_sub(room.min(MAX_STORED));
        for (index, id) in ids.iter().enumerate() {
            let Some(id) = id.as_text() else { continue };
            let record = if is_held(id) { None } else { records.next() };
            if index < excess {
                if self.delivery.handle_settled(id) {
                    self.refuse(id, Code::Expired, TOO_MANY);
                    again = now + ORPHAN_AGE;
                }
                continue;
            }
            if is_held(id) {
                continue;
            }
            let made = message_time(id);
            // What seems to be made later was made before the clock was set back.
            let age = now.abs_diff(made);
            if age < ORPHAN_AGE {
                // Message ids sort by time, so the rest is younger still.
                again = now + ORPHAN_AGE - age;
                break;
            }
            let Some(record) = record else {
                if !self.leftovers.is_empty() {
                    again = now;
                }
                break;
            };
            let Some(record) = record.as_text().filter(|record| is_record(record, id)) else {
                // It would have the whole batch refused, and stand in front of others for good. What
                // this page has in memory is as it was made.
                if !self.delivery.knows(id) {
                    self.refuse(id, Code::InvalidBody, UNREADABLE);
                    again = now + ORPHAN_AGE;
                }
                continue;
            };
            if self.delivery.handle_record(id, record.to_owned(), made, now) {
                self.leftovers.push(id.to_owned());
            }
        }
        if std::mem::take(&mut self.gone) {
            again = again.min(now + ORPHAN_AGE);
        }
        // Where what the loader has found is not in the store, it cannot be had from there.
        let mut found = std::mem::take(&mut self.found);
        found.retain(|(id, record)| {
            if ids.iter().any(|known| known.as_text() == Some(id)) {
                return false;
            }
            if is_held(id) {
                // Its page has it, or has its verdict.
                return self.unstored;
            }
            let made = message_time(id);
            let age = now.abs_diff(made);
            if age < ORPHAN_AGE {
                again = again.min(now + ORPHAN_AGE - age);
                return true;
            }
            let is_taken = self.delivery.handle_record(id, record.clone(), made, now);
            if is_taken {
                self.leftovers.push(id.clone());
            }
            !is_taken
        });
        self.found = found;
        self.search = Search::Delivering(again);
        self.settle(&[]);
    }

    /// The Worker's answer to the batch in flight.
    fn answered(
        &mut self,
        status: Option<u16>,
        wait: Option<u64>,
        results: &[Value],
        now: u64,
        random: u32,
    ) {
        let mut settled: Vec<String> = Vec::new();
        for result in results {
            let Some(id) = member(result, "id") else { continue };
            settled.push(id.to_owned());
            self.effect("done", result);
        }
        let wait = wait.map(|wait| wait.min(LONGEST_RETRY_AFTER));
        let refused = self.delivery.handle_answer(status, &settled, wait, now, random);
        self.settle(&settled);
        if let Some(id) = refused {
            self.refuse(&id, Code::InvalidBody, UNREADABLE);
        }
        if self.hidden.is_some() && !self.leftovers.is_empty() {
            // It may be frozen while it waits for the next attempt.
            self.drop_leftovers(self.delivery.resumes().max(now + SEARCH));
        }
    }

    /// Sends and searches what is due, and says when the next thing will be.
    fn poll(&mut self, now: u64) {
        let mut next = loop {
            match self.delivery.poll_output(now) {
                Output::Send { ids, body } => {
                    self.effect("sent", &Value::Object(vec![("ids".into(), texts(&ids))]));
                    self.effect("send", &Value::Text(body));
                }
                Output::Expired(id) => {
                    self.refuse(&id, Code::Expired, "the record waited for more than seven days");
                }
                Output::Wait(until) => break until.unwrap_or(u64::MAX),
            }
        };
        next = next.min(self.hold(now));
        if let Search::At(at) = self.search
            && self.leaves(now).is_none()
        {
            if at <= now {
                self.search = Search::Asked;
                let detail = vec![Value::whole(MOST_TAKEN), Value::whole(MAX_STORED_BYTES as u64)];
                self.effect("search", &Value::List(detail));
            } else {
                next = next.min(at);
            }
        }
        if next < u64::MAX {
            self.effect("wait", &Value::whole(next.saturating_sub(now)));
        }
    }

    /// Until when the page may be leaving.
    fn leaves(&self, now: u64) -> Option<u64> {
        self.hidden.map(|since| since + LEAVING).filter(|until| *until > now)
    }

    /// Holds this page's records, or lets go of them. Says when a page that may be leaving has to look
    /// again.
    fn hold(&mut self, now: u64) -> u64 {
        let leaves = self.leaves(now);
        let made = self.delivery.oldest(&self.tail).filter(|_| leaves.is_some());
        let age = made.map(|made| now.abs_diff(made));
        let is_old = age.is_some_and(|age| age >= HOLD_AGE);
        let holds = (leaves.is_none() || is_old) && !self.tail.is_empty();
        if holds != self.holds {
            self.holds = holds;
            if holds {
                // Nobody has told it who let go meanwhile.
                self.hurry(now);
            }
            let tail = Value::text(&self.tail);
            self.effect(if holds { "hold" } else { "free" }, &tail);
        }
        let old = age.filter(|_| !is_old).map_or(u64::MAX, |age| now + HOLD_AGE - age);
        leaves.unwrap_or(u64::MAX).min(old)
    }

    /// Tells the page that a record is not taken, and why.
    fn refuse(&mut self, id: &str, code: Code, fix: &'static str) {
        self.refused(id, &Problem::new(code, "", fix));
    }

    fn refused(&mut self, id: &str, problem: &Problem) {
        self.effect("done", &result_value(id, Verdict::Refused, Some(problem), &[]));
        self.settle(&[id.to_owned()]);
    }

    /// Records that have their verdict need no store, and no lock once all leftovers have theirs.
    fn settle(&mut self, ids: &[String]) {
        if !ids.is_empty() {
            self.leftovers.retain(|known| !ids.contains(known));
            self.found.retain(|(known, _)| !ids.contains(known));
            self.recent.extend_from_slice(ids);
            let excess = self.recent.len().saturating_sub(MAX_RECENT);
            self.recent.drain(..excess);
            self.effect("remove", &texts(ids));
        }
        if let Search::Delivering(again) = self.search
            && self.leftovers.is_empty()
        {
            self.release(again);
        }
    }

    fn effect(&mut self, name: &str, detail: &Value) {
        let effects = &mut self.effects;
        effects.push_str(if effects.len() == 1 { "[\"" } else { ",[\"" });
        effects.push_str(name);
        effects.push_str("\",");
        detail.write_json(effects);
        effects.push(']');
    }
}
