//! What the tests share: documented values, readable input, and one browser with its memory.

use std::collections::BTreeSet;

use esputnik_kit::{
    event::{Envelope, Event, Reading},
    json,
    problem::Problem,
    value::Value,
    visitor::{Context, Outcome, Times, Visitor},
    wire::Record,
};
use proptest::test_runner::{Config, RngSeed};
use serde_json::json;

/// The site id, web id and time of the documents' own REST examples.
pub(crate) const SITE: &str = "8A412DC";
pub(crate) const WEB_ID: &str = "CDA68358-94FB-4D83-9655-3FEB3C4114A3";
pub(crate) const NOW: u64 = 1_579_622_183_208;

pub(crate) const SECOND: u64 = 1000;
pub(crate) const MINUTE: u64 = 60 * SECOND;
pub(crate) const DAY: u64 = 24 * 60 * MINUTE;

/// How properties are tried: the same cases in every run, so that a red run is red again.
/// `PROPTEST_CASES` and `PROPTEST_RNG_SEED` look further.
pub(crate) fn cases(cases: u32) -> Config {
    let mut config = Config { failure_persistence: None, ..Config::default() };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = cases;
    }
    if std::env::var_os("PROPTEST_RNG_SEED").is_none() {
        config.rng_seed = RngSeed::Fixed(NOW);
    }
    config
}

/// `input` as the edge reads it: over its text.
#[expect(clippy::needless_pass_by_value, reason = "callers write json!(…) in place")]
pub(crate) fn value(input: serde_json::Value) -> Value {
    json::parse(&input.to_string()).unwrap()
}

/// A value as `serde_json` sees it, where the order of members does not count.
pub(crate) fn plain(value: &Value) -> serde_json::Value {
    serde_json::from_str(&value.to_json()).unwrap()
}

/// Reads `eS(call…)`, the command first.
pub(crate) fn read_call(call: serde_json::Value) -> Result<Reading, Vec<Problem>> {
    let call = value(call);
    let (command, arguments) = call.as_list().unwrap().split_first().unwrap();
    Event::from_call(command.as_text().unwrap(), arguments)
}

/// Reads a body as a shop's server sends it.
pub(crate) fn read_rest(body: serde_json::Value) -> Result<Reading, Vec<Problem>> {
    Event::from_rest(&value(body))
}

/// The documents' GeneralInfo for a REST event `name`.
pub(crate) fn general_info(name: &str) -> serde_json::Value {
    json!({"eventName": name, "siteId": SITE, "datetime": NOW, "cookies": {"sc": WEB_ID}})
}

/// The tracker's body for a reading, with what the event says of itself where it does.
pub(crate) fn encode(reading: &Reading) -> serde_json::Value {
    plain(&encode_value(reading))
}

/// As [`encode`], with the members in the order in which they leave.
pub(crate) fn encode_value(reading: &Reading) -> Value {
    let event = &reading.event;
    let update = event.kind.key() == "ProductUpdate";
    let web_id = event.origin.web_id.as_deref().unwrap_or(WEB_ID);
    event.encode(&Envelope {
        site_id: event.origin.site_id.as_deref().unwrap_or(SITE),
        web_id: (!update).then_some(web_id),
        datetime: (!update).then_some(event.origin.datetime.unwrap_or(NOW)),
        identity: &event.identity,
    })
}

/// Problems as the debug view would list them: code and field.
pub(crate) fn names(problems: &[Problem]) -> Vec<String> {
    problems.iter().map(name).collect()
}

fn name(problem: &Problem) -> String {
    [problem.code.as_str(), " ", &problem.field].concat().trim_end().to_owned()
}

/// A message id for the record number `number`, made at `at`.
pub(crate) fn message_id(at: u64, number: u32) -> String {
    let time = format!("{:012x}", at & 0xffff_ffff_ffff);
    let (high, low) = time.split_at(8);
    format!("{high}-{low}-7000-8000-{number:012x}")
}

/// One browser as the outbox object keeps it: the visitor's state, stored and loaded around every
/// record, and the message ids that it has.
pub(crate) struct Browser {
    state: String,
    known: BTreeSet<String>,
    times: Times,
    made: u32,
    /// The address of the page on which calls are made.
    pub(crate) address: String,
    pub(crate) consent: Vec<&'static str>,
    pub(crate) etm_term: bool,
}

impl Browser {
    pub(crate) fn new() -> Self {
        Self {
            state: "{}".into(),
            known: BTreeSet::new(),
            times: Times::default(),
            made: 0,
            address: "https://shop.example/".into(),
            consent: vec!["tracking"],
            etm_term: false,
        }
    }

    /// A call that arrives in the moment in which it is made.
    pub(crate) fn call(&mut self, at: u64, call: serde_json::Value) -> Outcome {
        self.late(at, at, call)
    }

    /// A call made at `at` that arrives at `received`.
    pub(crate) fn late(&mut self, at: u64, received: u64, call: serde_json::Value) -> Outcome {
        let record = self.record(at, call);
        self.take(&record, received, received)
    }

    /// The record of a call, as the loader makes it.
    #[expect(clippy::needless_pass_by_value, reason = "callers write json!(…) in place")]
    pub(crate) fn record(&mut self, at: u64, call: serde_json::Value) -> Record {
        self.made += 1;
        let id = message_id(at, self.made);
        let page = json!({"url": self.address});
        let consent = &self.consent;
        let record = json!({"id": id, "at": at, "call": call, "page": page, "sc": WEB_ID, "consent": consent});
        Record::from_value(&value(record), None).unwrap()
    }

    /// The outbox's rule for a record: a known message id changes nothing.
    pub(crate) fn take(&mut self, record: &Record, sent_at: u64, received: u64) -> Outcome {
        let context = Context { site_id: SITE, etm_term: self.etm_term, received, sent_at };
        if self.known.contains(&record.id) {
            return Outcome::known_message(&record.id);
        }
        let mut times = std::mem::take(&mut self.times);
        let outcome = self.with(|visitor| visitor.apply(record, &context, &mut times));
        self.times = times;
        if outcome.verdict != esputnik_kit::wire::Verdict::Refused {
            self.known.insert(record.id.clone());
        }
        outcome
    }

    /// An event from the shop's server about this browser.
    pub(crate) fn rest(&mut self, received: u64, body: serde_json::Value) -> Outcome {
        self.made += 1;
        let id = message_id(received, self.made);
        let context = Context { site_id: SITE, etm_term: false, received, sent_at: received };
        let reading = read_rest(body).unwrap();
        self.with(|visitor| visitor.apply_rest(reading, &id, &context))
    }

    /// What is stored of the visitor.
    pub(crate) fn state(&self) -> &str {
        &self.state
    }

    pub(crate) fn contact_keys(&mut self) -> Vec<String> {
        self.with(|visitor| visitor.contact_keys().map(str::to_owned).collect())
    }

    fn with<T>(&mut self, use_it: impl FnOnce(&mut Visitor) -> T) -> T {
        let mut visitor: Visitor = serde_json::from_str(&self.state).unwrap();
        let result = use_it(&mut visitor);
        self.state = serde_json::to_string(&visitor).unwrap();
        result
    }
}

/// What the body of an outcome holds at `pointer`; `null` if nothing.
pub(crate) fn at(outcome: &Outcome, pointer: &str) -> serde_json::Value {
    let body = outcome.body.as_ref().map(plain).unwrap_or_default();
    body.pointer(pointer).cloned().unwrap_or_default()
}
