//! Faults of the queue and the bucket on demand.

use serde::{Deserialize, Serialize};

/// One way to misbehave, as `PUT /control/faults` takes it, in a list. The first that fits applies.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fault {
    on: On,
    #[serde(rename = "do")]
    what: Do,
    /// How often it applies; absent until cleared.
    #[serde(default)]
    count: Option<u64>,
}

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum On {
    /// The Worker writes into the queue.
    Send,
    /// The Worker gets messages.
    Deliver,
    Put,
    Get,
    List,
    Delete,
}

/// What is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Do {
    /// Not done, and answered with 500.
    Fail,
    /// Not done, and never answered.
    Hang,
    /// Done, and answered with 500.
    FailAfter,
    /// Done, and never answered.
    HangAfter,
    /// Nothing is delivered.
    Hold,
    /// What is done with comes once more.
    Twice,
    /// The newest comes first.
    Reverse,
    /// The consumer's verdicts are lost: everything comes again.
    Forget,
}

impl Fault {
    fn check(&self) -> Result<(), String> {
        let is_delivery = matches!(self.what, Do::Hold | Do::Twice | Do::Reverse | Do::Forget);
        if is_delivery == (self.on == On::Deliver) {
            return Ok(());
        }
        Err("hold, twice, reverse and forget are for deliver, and no others are".to_owned())
    }
}

/// The faults in force.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<Fault>);

impl Faults {
    /// Reads a list.
    ///
    /// # Errors
    ///
    /// Says what is wrong.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, String> {
        let faults: Vec<Fault> = serde_json::from_slice(text).map_err(|error| error.to_string())?;
        faults.iter().try_for_each(Fault::check)?;
        Ok(Self(faults))
    }

    /// What is wrong this time, counted as used.
    pub(crate) fn take(&mut self, on: On) -> Option<Do> {
        let fault = self.0.iter_mut().find(|fault| fault.on == on && fault.count != Some(0))?;
        fault.count = fault.count.map(|count| count - 1);
        Some(fault.what)
    }
}
