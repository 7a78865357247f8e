//! How events are stored and sent on.

use serde::{Deserialize, Serialize};

use super::{Error, address::is_upstream};

/// How events are stored and sent on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct OutboxConfig {
    /// Objects that a site's visitors are spread over. One takes some hundred requests a second.
    pub shards: u32,
    /// Raise by one whenever `shards` changes; the old objects are then drained to their end.
    pub generation: u32,
    /// The number of shards before the last change; the old objects are found with it.
    pub previous_shards: Option<u32>,
    /// Events a second that the tracker takes from one organisation, whose shards share them;
    /// unlimited if unset, as no limit is documented.
    pub tracker_per_second: Option<u32>,
    /// Requests that one invocation of a Worker may make: 50 on the free plan, 10,000 on the paid.
    pub subrequests: u32,
    /// Milliseconds that an object has to answer before its events go another way; the queue and the
    /// bucket have as many.
    pub patience: u32,
    /// Who is told when something is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alarm: Option<AlarmConfig>,
}

/// Who is told when an event has waited for too long, or when an hour of the ledger does not balance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct AlarmConfig {
    /// Where messages are posted to, as JSON.
    #[serde(default)]
    pub address: String,
    /// How many minutes an event may wait.
    #[serde(default = "default_oldest")]
    pub oldest: u32,
}

fn default_oldest() -> u32 {
    60
}

impl Default for OutboxConfig {
    fn default() -> Self {
        Self {
            shards: 1,
            generation: 1,
            previous_shards: None,
            tracker_per_second: None,
            subrequests: 50,
            patience: 2000,
            alarm: None,
        }
    }
}

impl OutboxConfig {
    pub(super) fn errors(&self) -> Vec<Error> {
        let mut errors = Vec::new();
        let mut wrong = |setting: &str, fix: &str| {
            errors.push(Error { setting: format!("outbox.{setting}"), fix: fix.into() });
        };
        let sensible = |shards: u32| (1..=1024).contains(&shards);
        if !sensible(self.shards) {
            wrong("shards", "choose 1 to 1024");
        }
        match (self.generation, self.previous_shards) {
            (0, _) => wrong("generation", "start at 1"),
            (1, Some(_)) => {
                wrong("previous_shards", "raise `generation` by one too, or leave this out");
            }
            (1, None) => {}
            (_, None) => wrong("previous_shards", "say how many shards the generation before had"),
            (_, Some(shards)) if !sensible(shards) => wrong("previous_shards", "choose 1 to 1024"),
            _ => {}
        }
        if self.tracker_per_second == Some(0) {
            wrong("tracker_per_second", "give at least 1, or leave it out for no limit");
        }
        if self.subrequests < 10 {
            wrong("subrequests", "give at least 10; the free plan has 50");
        }
        if !(100..=10_000).contains(&self.patience) {
            wrong("patience", "choose 100 to 10000 milliseconds");
        }
        if let Some(alarm) = &self.alarm {
            let (place, query) = alarm.address.split_once('?').unwrap_or((&alarm.address, ""));
            let clean =
                |c: char| c.is_ascii_graphic() && !matches!(c, '#' | '\\' | '"' | '<' | '>');
            if !is_upstream(place) || !query.chars().all(clean) {
                let fix =
                    "give the address that takes messages: \"https://…\"; http only on loopback";
                wrong("alarm.address", fix);
            }
            if !(1..=10_080).contains(&alarm.oldest) {
                wrong("alarm.oldest", "choose 1 to 10080 minutes, which are seven days");
            }
        }
        errors
    }
}
