//! The tracker: what the dedicated worker of a page decides, as a state machine.
//!
//! The host (`www/tracker.js`) passes each message in as JSON text and performs the effects that
//! come back. Storage, network, lock and timer are its business, what they are used for is decided
//! here.
//!
//! | message | says |
//! |---|---|
//! | `[0, base, site, visibility, wait?, sc?]` | the settings, how long the Worker wants to be left alone, the web id |
//! | `[1, id, record, sc]` | a record of this page, and the web id |
//! | `[2, visibility?]` | the page was shown or hidden, or the network is back |
//! | `[4]` | forget everything |
//! | `[6, status?, wait?, answer?]` | what became of `send` |
//! | `[7, ids?, records?]` | what `search` found: all ids, the first records; nothing if it was called off |
//! | `[9]` | the time of `wait` has come |
//!
//! | effect | asks to |
//! |---|---|
//! | `["send", body]` | post the batch; answer with 6 |
//! | `["search", most]` | wait for the lock and read the store, oldest first; answer with 7 |
//! | `["release"]` | give the lock back, or call the wait for it off |
//! | `["remove", ids]` | remove records from the store |
//! | `["clear"]` | empty the store |
//! | `["wait", milliseconds]` | answer with 9 after this time, and no more at the time asked before |
//!
//! Any other effect is a report to the page.

use crate::{
    delivery::{Delivery, Output},
    event::Event,
    problem::{Code, Problem},
    retry::LONGEST_RETRY_AFTER,
    value::Value,
    wire::{MAX_BATCH_RECORDS, Verdict, message_time, result_value},
};

/// Age from which a record that this page did not make is taken over, in milliseconds. Younger
/// ones are probably on their way from another tab.
const ORPHAN_AGE: u64 = 3000;

/// How often the store is searched for records that others left, in milliseconds.
const SEARCH: u64 = 30_000;

/// Most records in the store. A page that is offline for days must not fill the disk.
pub const MAX_STORED: usize = 5000;

/// Most leftovers that are taken over at a time: what goes into one batch.
const MOST_TAKEN: u64 = MAX_BATCH_RECORDS as u64;

/// Verdicts that are remembered: the loader may hand a record over again while the news of its
/// verdict is on the way.
const MAX_RECENT: usize = 100;

/// Where the search for leftovers stands. Only one page searches and sends them at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Search {
    /// Begins at this time, if the page is visible.
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
    hidden: bool,
    /// Records of other pages that are being delivered.
    leftovers: Vec<String>,
    /// The last records that got their verdict.
    recent: Vec<String>,
    /// The effects of the present message, as the beginning of a JSON list.
    effects: String,
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
            hidden: false,
            leftovers: Vec::new(),
            recent: Vec::new(),
            effects: String::new(),
        }
    }

    /// Takes a message and says what to do, both as JSON text.
    ///
    /// `random` is anything evenly spread; only pauses depend on it.
    #[must_use]
    pub fn handle(&mut self, message: &str, now: u64, random: u32) -> String {
        self.effects.push('[');
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
            Some(7) => self.found(item(1), item(2), now),
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
        match check(record) {
            Some(problem) => self.refused(id, &problem),
            None => {
                self.delivery.handle_record(id, record.to_owned(), message_time(id), now);
            }
        }
    }

    /// The page says whether it is visible.
    ///
    /// A hidden page may be frozen at any moment, so it gives the lock back: it would keep others
    /// from delivering, and the browser from keeping the page for the way back.
    fn show(&mut self, visibility: &str, now: u64) {
        match visibility {
            "hidden" => {
                self.hidden = true;
                self.drop_leftovers(now);
            }
            "visible" => {
                self.hidden = false;
                if let Search::At(_) = self.search {
                    self.search = Search::At(now);
                }
            }
            _ => {}
        }
    }

    fn clear(&mut self, now: u64) {
        self.delivery.clear();
        self.effect("clear", &Value::Null);
        self.drop_leftovers(now + SEARCH);
    }

    /// Leaves what other pages left to others, until `again`.
    fn drop_leftovers(&mut self, again: u64) {
        for id in std::mem::take(&mut self.leftovers) {
            self.delivery.handle_settled(&id);
        }
        match self.search {
            Search::Asked => {
                self.search = Search::Stale;
                self.effect("release", &Value::Null);
            }
            Search::Delivering(_) => self.release(again),
            _ => {}
        }
    }

    fn release(&mut self, again: u64) {
        self.search = Search::At(again);
        self.effect("release", &Value::Null);
    }

    /// Takes what the store holds: all ids, and the oldest records.
    fn found(&mut self, ids: &Value, records: &Value, now: u64) {
        if self.search == Search::Stale {
            return self.release(now);
        }
        let ids = ids.as_list().unwrap_or_default();
        let records = records.as_list().unwrap_or_default();
        let mut again = now + SEARCH;
        let excess = ids.len().saturating_sub(MAX_STORED);
        for (index, id) in ids.iter().enumerate() {
            let Some(id) = id.as_text() else { continue };
            if index < excess {
                if self.delivery.handle_settled(id) {
                    self.refuse(id, Code::Expired, "too many records waited; the oldest go first");
                }
                continue;
            }
            let made = message_time(id);
            if now.saturating_sub(made) < ORPHAN_AGE {
                // Message ids sort by time, so the rest is younger still.
                again = now + ORPHAN_AGE;
                break;
            }
            let Some(record) = records.get(index).and_then(Value::as_text) else {
                if !self.leftovers.is_empty() {
                    again = now;
                }
                break;
            };
            if self.delivery.handle_record(id, record.to_owned(), made, now) {
                self.leftovers.push(id.to_owned());
            }
        }
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
            self.refuse(&id, Code::InvalidBody, "the record cannot be read");
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
        if let Search::At(at) = self.search
            && !self.hidden
        {
            if at <= now {
                self.search = Search::Asked;
                self.effect("search", &Value::whole(MOST_TAKEN));
            } else {
                next = next.min(at);
            }
        }
        if next < u64::MAX {
            self.effect("wait", &Value::whole(next.saturating_sub(now)));
        }
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

/// Why the platform would not take the record.
///
/// What cannot be read goes to the Worker, which says so.
fn check(record: &str) -> Option<Problem> {
    let record = Value::from_json(record)?;
    let (command, arguments) = record.member("call")?.as_list()?.split_first()?;
    match command.as_text()? {
        "reset" | "orderSubmitted" => None,
        command => Event::check_call(command, arguments),
    }
}

/// The entries of an answer.
fn results(answer: &Value) -> &[Value] {
    answer.member("results").and_then(Value::as_list).unwrap_or_default()
}

fn member<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.member(name).and_then(Value::as_text)
}

fn texts(texts: &[String]) -> Value {
    Value::List(texts.iter().map(Value::text).collect())
}
