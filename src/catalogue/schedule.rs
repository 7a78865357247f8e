//! When an import is due, and what came of the last one.

use serde::{Deserialize, Serialize};

use super::{
    feed::Skip,
    import::{After, Oddity},
    pack::key_of,
};
use crate::{
    retry::parse_http_date,
    value::{Members, Value},
};

/// Raised when the same feed gives another catalogue, so that the next import does not find it
/// unchanged.
const FORMAT: u32 = 1;

/// The pause after a first failure, in milliseconds, and the longest.
const FIRST_PAUSE: u64 = 60_000;
const LONGEST_PAUSE: u64 = 6 * HOUR;

const HOUR: u64 = 60 * 60 * 1000;

/// What is known of a site's imports. The store keeps it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct State {
    /// What the feed's address and the attributes to find by were, as a key.
    feed: u64,
    /// How many products there are.
    pub items: u64,
    /// When an import last came to its end, and when the feed was last looked at, in milliseconds.
    pub imported_at: Option<u64>,
    checked_at: Option<u64>,
    /// When the next one is due.
    pub next_at: u64,
    /// Imports since then that did not.
    failures: u32,
    /// What the feed was when it was last read to its end: its own names for that.
    pub etag: Option<String>,
    /// The time of it, as the shop's server wrote it.
    pub modified: Option<String>,
    /// Up to when it knows what the shop's server said, in milliseconds.
    pub knows_until: u64,
    /// How often in a row the feed had less than half of the products.
    pub shrunk: u32,
    /// What the shop should know.
    problem: Option<String>,
    /// Products of the last import that were not taken, and the first of them.
    skipped: u64,
    reasons: Vec<String>,
}

/// What the answer with a feed says of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "every member must be thought of by who fills it")]
pub struct Version {
    /// `ETag`
    pub etag: Option<String>,
    /// `Last-Modified`
    pub modified: Option<String>,
}

impl State {
    /// Starts anew where the settings name another feed, or ask for other attributes.
    pub fn handle_settings(&mut self, address: &str, fields: &[String]) {
        let feed = key_of(&[address, " ", &fields.join(" "), " ", &FORMAT.to_string()].concat());
        if self.feed != feed {
            (self.feed, self.next_at, self.failures, self.shrunk) = (feed, 0, 0, 0);
            (self.etag, self.modified) = (None, None);
        }
    }

    /// Whether an import is to begin.
    #[must_use]
    pub fn is_due(&self, now: u64) -> bool {
        self.next_at <= now
    }

    /// Asks for an import at once.
    pub fn handle_order(&mut self) {
        (self.next_at, self.failures) = (0, 0);
    }

    /// An import begins. Until it has ended it counts as one that failed: whoever ends it by force says
    /// nothing more.
    pub fn handle_begin(&mut self, now: u64, hours: u32) {
        let pause = FIRST_PAUSE.saturating_mul(1 << self.failures.min(16));
        self.next_at = now + pause.min(LONGEST_PAUSE).min(u64::from(hours) * HOUR);
        self.failures = self.failures.saturating_add(1);
        self.problem = Some("the last import was ended by the runtime before its end".into());
    }

    /// The feed is the one that was imported.
    pub fn handle_unchanged(&mut self, now: u64, hours: u32) {
        self.handle_end(now, hours);
        self.problem = None;
    }

    fn handle_end(&mut self, now: u64, hours: u32) {
        self.checked_at = Some(now);
        self.failures = 0;
        self.next_at = now + u64::from(hours) * HOUR;
    }

    /// The import has failed, and why.
    pub fn handle_failure(&mut self, problem: String) {
        self.problem = Some(problem);
    }

    /// The import has come to its end.
    pub fn handle_import(&mut self, after: &After, version: Version, now: u64, hours: u32) {
        // What broke off may be whole the next time, so that comes as after a failure.
        if after.oddity != Some(Oddity::Cut) {
            self.handle_end(now, hours);
        }
        self.imported_at = Some(now);
        self.items = after.index.len() as u64;
        self.shrunk = after.shrunk;
        self.skipped = after.skipped.count;
        self.reasons = after.skipped.first.iter().map(reason).collect();
        self.problem = after.oddity.as_ref().map(ToString::to_string);
        // A feed that was not taken as it is must come again, whether it has changed or not.
        let Version { etag, modified } = version;
        let is_plain = after.oddity.is_none();
        (self.etag, self.modified) = if is_plain { (etag, modified) } else { (None, None) };
    }

    /// What the shop may know, for the Worker's health.
    #[must_use]
    pub fn to_value(&self, importing: bool) -> Value {
        let time = |time: Option<u64>| time.map_or(Value::Null, Value::whole);
        let mut members: Members = vec![
            ("items".into(), Value::whole(self.items)),
            ("imported_at".into(), time(self.imported_at)),
            ("checked_at".into(), time(self.checked_at)),
            ("next_at".into(), Value::whole(self.next_at)),
            ("importing".into(), Value::Bool(importing)),
            ("skipped".into(), Value::whole(self.skipped)),
        ];
        let reasons: Vec<Value> = self.reasons.iter().map(Value::text).collect();
        members.push(("reasons".into(), Value::List(reasons)));
        let problem = self.problem.as_ref().filter(|_| !importing);
        members.push(("problem".into(), problem.map_or(Value::Null, Value::text)));
        Value::Object(members)
    }
}

/// How old what a feed says is: as its server says, else as the moment at which it was asked.
#[must_use]
pub fn feed_time(version: &Version, begun: u64) -> u64 {
    let said = version.modified.as_deref().and_then(parse_http_date);
    said.map_or(begun, |said| said.min(begun))
}

fn reason(skip: &Skip) -> String {
    format!("product {}: {}", skip.place, skip.reason.as_str())
}
