//! What requests bring: read, judged by the rules, and stored.

use std::collections::{HashMap, HashSet};

use esputnik_kit::{
    config::{Config, Site},
    event::{Event, MAX_RECORD},
    json,
    ledger::{Hour, hour_of},
    outbox::Row,
    problem::{Code, Problem},
    visitor::{Context, Outcome, Times, Visitor},
    wire::{Record, Verdict, message_time, result_value},
};
use serde::Deserialize;
use worker::Result;

use super::{Counters, Ingest, IngestRest, Inner, contact_hash, erase::NOBODY, results_text};
use crate::{
    catalogue,
    store::{Books, NewBatch, Store},
};

/// Visitors whose events' times are kept in memory, as many as an object has at a time and more.
const MAX_TIMED: usize = 1000;

/// Visitors who are kept in memory as they are stored, some kB each.
const MAX_VISITORS: usize = 500;

/// Lines of orders that wait to be told to the catalogue, which counts what is bought most.
const MAX_SOLD: usize = 1000;

/// What a request brings.
pub(super) enum Work {
    Batch(Ingest),
    Event(IngestRest),
}

/// A visitor as they are stored: who sends one batch often sends another.
pub(super) struct Stored {
    visitor: Visitor,
    /// The time of their latest message: what is later cannot be stored yet.
    latest: u64,
}

/// What is known of it once it is on disk, and not before.
#[derive(Default)]
pub(super) struct Written {
    rows: Vec<Row>,
    visitors: HashMap<String, Stored>,
    counters: Counters,
    books: Books,
    /// Products of orders.
    sold: Vec<(String, u64)>,
}

impl Written {
    /// Counts all of it, once for all requests.
    pub(super) fn count(&mut self, store: &Store) -> Result<()> {
        self.counters.rows_written += store.count(&self.books)? as u64;
        Ok(())
    }
}

impl Inner {
    /// Stores what a request brings, in the transaction that is open, and answers it. What is to be
    /// remembered of it goes into `written`, since the transaction may come to nothing.
    pub(super) fn write(
        &mut self,
        config: &Config,
        work: &Work,
        written: &mut Written,
    ) -> Result<String> {
        match work {
            Work::Batch(batch) => self.write_batch(site(config, &batch.site)?, batch, written),
            Work::Event(event) => self.write_event(site(config, &event.site)?, event, written),
        }
    }

    /// Remembers what is stored now.
    pub(super) fn settle(&mut self, written: Written) {
        for row in written.rows {
            self.outbox.handle_row(row);
        }
        if self.visitors.len() > MAX_VISITORS {
            self.visitors.clear();
        }
        self.visitors.extend(written.visitors);
        self.counters.add(&written.counters);
        self.sold.extend(written.sold);
        self.sold.truncate(MAX_SOLD);
        if self.times.len() > MAX_TIMED {
            self.times.clear();
        }
    }

    fn write_batch(
        &mut self,
        site: &Site,
        batch: &Ingest,
        written: &mut Written,
    ) -> Result<String> {
        #[cfg(feature = "panics")]
        batch.records.iter().for_each(|record| crate::panics::at("write", record.get()));
        let context = Context {
            site_id: &site.site_id,
            etm_term: site.etm_term,
            received: batch.received,
            sent_at: batch.sent_at,
        };
        let read = |text| (text, read_record(text, batch.sc.as_deref()));
        let records: Vec<_> = batch.records.iter().map(|raw| read(raw.get())).collect();
        let mut intake = Intake::new(batch.received, &batch.agent);
        let ids = records.iter().filter_map(|(_, record)| record.as_ref().ok());
        let ids = ids.map(|record| (record.web_id.as_str(), record.id.as_str()));
        intake.look_up(self, written, ids)?;
        let sent = records.iter().filter_map(|(_, record)| {
            let record = record.as_ref().ok()?;
            let mut visitor = Visitor::default();
            let _ = visitor.apply(record, &context, &mut Times::default());
            Some((record.web_id.as_str().to_owned(), visitor))
        });
        let gone = self.erased_among(batch.received, sent)?;
        let mut results = Vec::new();
        for (text, record) in &records {
            let (id, outcome) = match record {
                Ok(record) => {
                    let web_id = record.web_id.as_str();
                    if gone.contains(web_id) {
                        let outcome = intake.erase(web_id, &record.id)?;
                        results.push(result_value(&record.id, outcome.verdict, None, &[]));
                        continue;
                    }
                    let mut times = self.times.remove(web_id).unwrap_or_default();
                    let apply = |visitor: &mut Visitor| visitor.apply(record, &context, &mut times);
                    let outcome = intake.take(web_id, &record.id, apply)?;
                    self.times.insert(web_id.to_owned(), times);
                    (record.id.clone(), outcome)
                }
                Err(problem) => {
                    (raw_id(text), intake.refuse(Outcome::refused(problem.clone(), Vec::new())))
                }
            };
            let warnings = &outcome.warnings;
            results.push(result_value(&id, outcome.verdict, outcome.reason.as_ref(), warnings));
        }
        intake.store(self, written)?;
        Ok(results_text(results))
    }

    /// The visitors among these who were erased after this came: what an object did not take comes back
    /// later. With each is what their message alone says of them.
    fn erased_among(
        &self,
        received: u64,
        sent: impl Iterator<Item = (String, Visitor)>,
    ) -> Result<HashSet<String>> {
        let mut erased = HashSet::new();
        if received >= self.erased_until {
            return Ok(erased);
        }
        for (web_id, visitor) in sent {
            let own = Some(web_id.as_str()).filter(|web_id| *web_id != NOBODY);
            let mut at = 0;
            for name in visitor.contact_keys().chain(own) {
                at = at.max(self.store.erased_at(&contact_hash(&self.salt, name))?);
            }
            if at > received {
                if let Some(own) = own {
                    self.store.put_erased(&contact_hash(&self.salt, own), at)?;
                }
                erased.insert(web_id);
            }
        }
        Ok(erased)
    }

    fn write_event(
        &self,
        site: &Site,
        request: &IngestRest,
        written: &mut Written,
    ) -> Result<String> {
        let context = Context {
            site_id: &site.site_id,
            etm_term: site.etm_term,
            received: request.received,
            sent_at: request.received,
        };
        let mut intake = Intake::new(request.received, &request.agent);
        let read = json::parse(request.body.get())
            .map_err(|problem| vec![problem])
            .and_then(|value| Event::from_rest(&value));
        let outcome = match read {
            Ok(reading) => {
                let origin = reading.event.origin.web_id.clone();
                // Product updates belong to no visitor; they share a lane of their own.
                let web_id = origin.unwrap_or_else(|| NOBODY.to_owned());
                let id = (web_id.as_str(), request.id.as_str());
                intake.look_up(self, written, [id].into_iter())?;
                let sent = std::iter::once_with(|| {
                    let mut visitor = Visitor::default();
                    let _ = visitor.apply_rest(reading.clone(), &request.id, &context);
                    (web_id.clone(), visitor)
                });
                if self.erased_among(request.received, sent)?.is_empty() {
                    intake.take(&web_id, &request.id, |visitor| {
                        visitor.apply_rest(reading, &request.id, &context)
                    })?
                } else {
                    intake.erase(&web_id, &request.id)?
                }
            }
            Err(mut errors) => intake.refuse(Outcome::refused(errors.remove(0), Vec::new())),
        };
        intake.store(self, written)?;
        let reason = outcome.reason.as_ref();
        let result = result_value(&request.id, outcome.verdict, reason, &outcome.warnings);
        Ok(results_text(vec![result]))
    }
}

/// Reads a record of a batch; `web_id` is that of the batch.
pub(crate) fn read_record(
    text: &str,
    web_id: Option<&str>,
) -> std::result::Result<Record, Problem> {
    if text.len() > MAX_RECORD {
        return Err(Problem::new(Code::TooLong, "", "a record may have 32,768 bytes"));
    }
    Record::from_value(&json::parse(text)?, web_id)
}

fn site<'a>(config: &'a Config, name: &str) -> Result<&'a Site> {
    config.sites.get(name).ok_or_else(|| "no such site".into())
}

/// What is known of a visitor when a request comes, and after it.
struct Known {
    /// Message ids that are stored already, or have come before in this request.
    ids: HashSet<String>,
    before: Visitor,
    visitor: Visitor,
    latest: u64,
}

/// What one request brings, until it is stored.
struct Intake {
    received: u64,
    agent: String,
    visitors: HashMap<String, Known>,
    batches: Vec<NewBatch>,
    /// Ids without a body, by visitor; they come behind the ids of the bodies.
    silent: Vec<(String, String)>,
    /// What is counted of it.
    hour: Hour,
    sold: Vec<(String, u64)>,
}

impl Intake {
    fn new(received: u64, agent: &str) -> Self {
        Self {
            received,
            agent: agent.to_owned(),
            visitors: HashMap::new(),
            batches: Vec::new(),
            silent: Vec::new(),
            hour: Hour::default(),
            sold: Vec::new(),
        }
    }

    /// Finds out which of these messages are stored already, in one question for each visitor.
    fn look_up<'a>(
        &mut self,
        inner: &Inner,
        written: &Written,
        messages: impl Iterator<Item = (&'a str, &'a str)>,
    ) -> Result<()> {
        let mut by_visitor: HashMap<&str, HashSet<&str>> = HashMap::new();
        for (web_id, id) in messages {
            by_visitor.entry(web_id).or_default().insert(id);
        }
        for (web_id, ids) in by_visitor {
            let known = Known::find(inner, written, web_id, &ids)?;
            self.visitors.insert(web_id.to_owned(), known);
        }
        Ok(())
    }

    fn take(
        &mut self,
        web_id: &str,
        id: &str,
        apply: impl FnOnce(&mut Visitor) -> Outcome,
    ) -> Result<Outcome> {
        let Some(known) = self.visitors.get_mut(web_id) else {
            return Err("nobody has looked for this visitor".into());
        };
        if known.ids.contains(id) {
            self.hour.duplicate += 1;
            return Ok(Outcome::known_message(id));
        }
        let outcome = apply(&mut known.visitor);
        match outcome.verdict {
            Verdict::Accepted => self.hour.accepted += 1,
            Verdict::Duplicate => self.hour.duplicate += 1,
            _ => return Ok(self.refuse(outcome)),
        }
        known.ids.insert(id.to_owned());
        known.latest = known.latest.max(message_time(id));
        let Some(body) = &outcome.body else {
            // Of what only changes a visitor's state, nothing waits.
            self.hour.delivered += i64::from(outcome.verdict == Verdict::Accepted);
            self.silent.push((web_id.to_owned(), id.to_owned()));
            return Ok(outcome);
        };
        self.sold.extend(catalogue::bought(body));
        let batch = self.batch(web_id);
        batch.ids.push(id.to_owned());
        batch.bodies.push(body.to_json());
        Ok(outcome)
    }

    /// Takes a message of somebody who was erased since: nothing of it stays but its id.
    fn erase(&mut self, web_id: &str, id: &str) -> Result<Outcome> {
        let outcome = self.take(web_id, id, |_| Outcome::without_body())?;
        if outcome.verdict == Verdict::Accepted {
            self.hour.delivered -= 1;
            self.hour.erased += 1;
        }
        Ok(outcome)
    }

    /// Counts a refusal.
    fn refuse(&mut self, outcome: Outcome) -> Outcome {
        let reason = outcome.reason.as_ref().map_or("unknown", |reason| reason.code.as_str());
        *self.hour.refused.entry(reason.to_owned()).or_default() += 1;
        outcome
    }

    /// What goes into the row of this visitor.
    fn batch(&mut self, web_id: &str) -> &mut NewBatch {
        let known = self.batches.iter().position(|batch| batch.web_id == web_id);
        let place = known.unwrap_or(self.batches.len());
        if known.is_none() {
            self.batches.push(NewBatch {
                web_id: web_id.to_owned(),
                received: self.received,
                agent: self.agent.clone(),
                ids: Vec::new(),
                bodies: Vec::new(),
                hour: 0,
            });
        }
        &mut self.batches[place]
    }

    fn store(mut self, inner: &Inner, written: &mut Written) -> Result<()> {
        let mut rows_written = 0;
        for (web_id, id) in std::mem::take(&mut self.silent) {
            self.batch(&web_id).ids.push(id);
        }
        for batch in &self.batches {
            let (row, rows) = inner.store.add(batch)?;
            rows_written += rows;
            if row.count > 0 {
                written.rows.push(row);
            }
        }
        for (web_id, Known { before, visitor, latest, .. }) in self.visitors {
            if before != visitor {
                rows_written += inner.store.put_visitor(&web_id, &visitor, self.received)?;
                for key in visitor.contact_keys() {
                    if !before.contact_keys().any(|known| known == key) {
                        let hash = contact_hash(&inner.salt, key);
                        rows_written += inner.store.put_contact(&hash, &web_id)?;
                    }
                }
            }
            written.visitors.insert(web_id, Stored { visitor, latest });
        }
        let count = |count: i64| u64::try_from(count).unwrap_or(0);
        written.counters.add(&Counters {
            accepted: count(self.hour.accepted),
            duplicates: count(self.hour.duplicate),
            refused: count(self.hour.refused()),
            rows_written: rows_written as u64,
            ..Counters::default()
        });
        written.books.entry(hour_of(self.received)).or_default().add(&self.hour);
        written.sold.extend(self.sold);
        Ok(())
    }
}

impl Known {
    /// Finds out what is known of a visitor, and which of these messages of theirs are stored.
    fn find(inner: &Inner, written: &Written, web_id: &str, ids: &HashSet<&str>) -> Result<Self> {
        let stored = written.visitors.get(web_id).or_else(|| inner.visitors.get(web_id));
        let (visitor, latest) = if let Some(stored) = stored {
            (stored.visitor.clone(), stored.latest)
        } else {
            let visitor = inner.store.visitor(web_id)?.unwrap_or_default();
            (visitor, inner.store.latest(web_id)?)
        };
        let is_later = ids.iter().all(|id| message_time(id) > latest);
        let ids = if is_later { HashSet::new() } else { inner.store.known_among(web_id, ids)? };
        Ok(Self { ids, before: visitor.clone(), visitor, latest })
    }
}

/// The id of a record that cannot be read, as far as it can.
fn raw_id(text: &str) -> String {
    #[derive(Deserialize)]
    struct Named {
        id: String,
    }
    serde_json::from_str::<Named>(text).map(|named| named.id).unwrap_or_default()
}
