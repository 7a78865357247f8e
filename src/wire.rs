//! The contract between page and Worker: routes, versions, bodies.
//!
//! A page records facts: what was called, when, on which page, by which browser, under which
//! consent. Loader and tracker send the same records, so the platform gets the same bodies
//! whichever of them delivers.

use crate::{
    consent::Consent,
    identity::WebId,
    problem::{Code, Problem},
    value::{Members, Value, find},
};

/// The version of records and batches that this build writes.
pub const VERSION: u64 = 1;

/// Most records of one batch.
pub const MAX_BATCH_RECORDS: usize = 100;

/// Longest body of a batch, in bytes: the quota that browsers give requests that outlive a page.
pub const MAX_BATCH_BYTES: usize = 64 * 1024;

/// How long a record waits on the page before it is given up, in milliseconds: seven days.
pub const TIME_TO_LIVE: u64 = 7 * 24 * 60 * 60 * 1000;

/// One call of the page, as made.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Record {
    /// The message id, a `UUIDv7`.
    pub id: String,
    /// When the call was made, by the page's clock, Unix time in milliseconds.
    pub at: u64,
    /// The command, for instance `sendEvent`.
    pub command: String,
    /// What followed the command.
    pub arguments: Vec<Value>,
    /// The address of the page.
    pub address: String,
    /// The browser.
    pub web_id: WebId,
    /// What the visitor allowed at that moment.
    pub consent: Consent,
}

const RECORD_FIX: &str = "send records as the kit's own loader writes them";

impl Record {
    /// Reads a record; `web_id` is that of its batch, for records that name none.
    ///
    /// # Errors
    ///
    /// Which member is missing or wrong.
    pub fn from_value(value: &Value, web_id: Option<&str>) -> Result<Self, Problem> {
        let wrong = |field: &str| Problem::new(Code::InvalidBody, field, RECORD_FIX);
        let Value::Object(members) = value else { return Err(wrong("")) };
        let text = |name: &str| find(members, name).and_then(Value::as_text);
        let id = text("id").filter(|id| is_message_id(id)).ok_or_else(|| wrong("id"))?;
        let at = find(members, "at").and_then(Value::as_whole).ok_or_else(|| wrong("at"))?;
        let named = if find(members, "sc").is_some() { text("sc") } else { web_id };
        let web_id = named.and_then(WebId::parse).ok_or_else(|| wrong("sc"))?;
        let call = find(members, "call").and_then(Value::as_list).unwrap_or_default();
        let Some((Value::Text(command), arguments)) = call.split_first() else {
            return Err(wrong("call"));
        };
        let page = find(members, "page");
        let address = page.and_then(|page| page.member("url")).and_then(Value::as_text);
        Ok(Self {
            id: id.to_owned(),
            at,
            command: command.clone(),
            arguments: arguments.to_vec(),
            address: address.unwrap_or_default().to_owned(),
            web_id,
            consent: find(members, "consent").map(Consent::from_value).unwrap_or_default(),
        })
    }
}

/// Whether `text` has the form of a message id: a UUID in lower case.
#[must_use]
pub fn is_message_id(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(index, byte)| match index {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
        })
}

/// The time that a `UUIDv7` carries, Unix time in milliseconds; 0 if `id` is no message id.
#[must_use]
pub fn message_time(id: &str) -> u64 {
    if !is_message_id(id) {
        return 0;
    }
    let digits = id.bytes().filter(|byte| *byte != b'-').take(12);
    digits.fold(0, |time, byte| {
        let digit = if byte > b'9' { byte - b'a' + 10 } else { byte - b'0' };
        time << 4 | u64::from(digit)
    })
}

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// Stored, and on its way to the platform.
    Accepted,
    /// Known already; nothing more goes to the platform.
    Duplicate,
    /// Not taken, now or ever.
    Refused,
}

impl Verdict {
    /// The name in answers.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Duplicate => "duplicate",
            Self::Refused => "refused",
        }
    }
}

/// One entry of the answer to a batch.
#[must_use]
pub fn result_value(
    id: &str,
    verdict: Verdict,
    reason: Option<&Problem>,
    warnings: &[Problem],
) -> Value {
    let mut members = Members::new();
    add(&mut members, "id", id);
    add(&mut members, "verdict", verdict.as_str());
    if let Some(reason) = reason {
        add_problem(&mut members, reason);
    }
    if !warnings.is_empty() {
        let list = warnings.iter().map(|warning| Value::Object(problem_members(warning)));
        members.push(("warnings".into(), Value::List(list.collect())));
    }
    Value::Object(members)
}

/// A problem as answers and the debug view show it.
#[must_use]
pub fn problem_members(problem: &Problem) -> Vec<(String, Value)> {
    let mut members = Members::new();
    add_problem(&mut members, problem);
    members
}

fn add_problem(members: &mut Members, problem: &Problem) {
    add(members, "code", problem.code.as_str());
    add(members, "field", &problem.field);
    add(members, "message", problem.fix);
}

fn add(members: &mut Members, name: &str, text: &str) {
    members.push((name.to_owned(), Value::text(text)));
}
