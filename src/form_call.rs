//! What is handed in with a form: by a script, or as browsers post forms without one; who may, how much
//! of it is taken, and what they are told.
//!
//! # Guarantees
//!
//! - What the answer says does not depend on the contact: not on whether the platform knows it, nor on
//!   whether so many submissions about it have come that this one goes nowhere. Unless the shop wants
//!   its pages to know.
//! - What a program gives away by the field that people do not see goes nowhere either, and is told
//!   the same.

pub mod body;
pub mod limits;

use crate::{
    bulk::{self, Given},
    definition::{Definition, Kind, Words, render::TRAP, submission::Submission},
    form::check::Wrong,
    identity::WebId,
    page_call::Proof,
    problem::{Code, Problem},
    value::{Members, Value, find},
};

/// Longest answer of Cloudflare's test that is passed on, in characters: its own are shorter.
pub const MAX_TURNSTILE: usize = 2048;

/// How long the answer waits for the platform's, in milliseconds: as long as people do.
pub const WAIT: u64 = 4000;

/// The call of a form in tokens: `form:news`, and `form:news:2` for what is asked after that.
#[must_use]
pub fn call(id: &str, step: u32) -> String {
    if step > 1 { ["form:", id, ":2"].concat() } else { ["form:", id].concat() }
}

/// The form that a page wants a token for; nothing if that is another call.
///
/// What comes after a form's success has its token in the answer to that, bound to whom it was about.
#[must_use]
pub fn called(call: &str) -> Option<&str> {
    call.strip_prefix("form:")
}

/// The languages of a header `Accept-Language`, the most wanted first.
#[must_use]
pub fn languages(header: &str) -> Vec<String> {
    let mut wished: Vec<(u32, String)> = Vec::new();
    for part in header.split(',').take(20) {
        let (language, weight) = part.split_once(';').unwrap_or((part, ""));
        let weight = weight.trim().strip_prefix("q=").map_or(Some(1000), thousandths);
        let language = language.trim();
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        let is_one = !language.is_empty() && language.bytes().all(plain);
        if let Some(weight) = weight.filter(|weight| is_one && *weight > 0) {
            wished.push((weight, language.to_owned()));
        }
    }
    // Stable: those that are wished alike keep their order.
    wished.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
    wished.into_iter().map(|(_, language)| language).collect()
}

/// A weight from 0 to 1 in thousandths.
fn thousandths(weight: &str) -> Option<u32> {
    let (whole, rest) = weight.trim().split_once('.').unwrap_or((weight.trim(), ""));
    let rest: String = rest.chars().chain("000".chars()).take(3).collect();
    Some(whole.parse::<u32>().ok()?.min(1) * 1000 + rest.parse::<u32>().ok()?)
}

/// What came with a submission, not yet held against the form.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Posted {
    /// The kit's token.
    pub token: String,
    /// 2 for what is asked after the success; else 1.
    pub step: u32,
    /// What was filled in, by the fields' names.
    pub data: Value,
    /// Whether something is in the field that people do not see.
    pub is_trapped: bool,
    /// What Cloudflare's test of persons gave the page.
    pub turnstile: String,
    /// Who the visitor is, as the shop's back end has signed it.
    pub proof: Option<String>,
    /// The browser's web id.
    pub web_id: Option<WebId>,
    /// The language of the page.
    pub language: Option<String>,
}

impl Posted {
    /// Reads what a script sends.
    ///
    /// # Errors
    ///
    /// The first member that is unknown or of another type.
    pub fn from_value(body: &Value) -> Result<Self, Problem> {
        let Value::Object(members) = body else {
            return Err(Problem::new(Code::WrongType, "", "send an object with token and data"));
        };
        let mut posted = Self { step: 1, data: Value::Object(Vec::new()), ..Self::default() };
        let text = |name: &str, value: &Value| match value {
            Value::Text(text) => Ok(text.clone()),
            _ => Err(Problem::new(Code::WrongType, name, "give a text")),
        };
        for (name, value) in members {
            match name.as_str() {
                "token" => posted.token = text(name, value)?,
                "turnstile" => posted.turnstile = text(name, value)?,
                "proof" => posted.proof = Some(text(name, value)?),
                // Whatever else a cookie of this name may hold is no web id.
                "sc" => posted.web_id = value.as_text().and_then(WebId::parse),
                "step" => match value.as_whole() {
                    Some(1) => {}
                    Some(2) => posted.step = 2,
                    _ => return Err(Problem::new(Code::UnknownValue, "step", "give 1 or 2")),
                },
                "page" => {
                    let language = value.member("lang").and_then(Value::as_text);
                    posted.language = language.map(str::to_owned);
                }
                "data" => posted.data = posted.without_trap(value),
                _ => {
                    let fix = "leave it out: give token, data, turnstile, page, sc, step and proof";
                    return Err(Problem::new(Code::UnknownValue, name.as_str(), fix));
                }
            }
        }
        Ok(posted)
    }

    /// Reads what a browser posts without script: names and texts, one name perhaps several times.
    #[must_use]
    pub fn from_fields(fields: Vec<(String, String)>) -> Self {
        let mut posted = Self { step: 1, ..Self::default() };
        let mut data = Members::new();
        for (name, text) in fields {
            match name.as_str() {
                "_token" => posted.token = text,
                "_lang" => posted.language = Some(text),
                "_page" => {}
                "_step" => posted.step = if text == "2" { 2 } else { 1 },
                // As Cloudflare's own script names it.
                "cf-turnstile-response" => posted.turnstile = text,
                _ => match data.iter_mut().find(|(own, _)| *own == name) {
                    Some((_, Value::List(texts))) => texts.push(Value::Text(text)),
                    Some((_, first)) => {
                        *first = Value::List(vec![std::mem::take(first), Value::Text(text)]);
                    }
                    None => data.push((name, Value::Text(text))),
                },
            }
        }
        posted.data = posted.without_trap(&Value::Object(data));
        posted
    }

    fn without_trap(&mut self, data: &Value) -> Value {
        let Value::Object(members) = data else { return data.clone() };
        if let Some(trap) = find(members, TRAP) {
            self.is_trapped = !matches!(trap, Value::Null) && trap.as_text() != Some("");
        }
        Value::Object(members.iter().filter(|(name, _)| name != TRAP).cloned().collect())
    }

    /// Every text that was filled in, by name, as it was typed.
    #[must_use]
    pub fn typed(&self) -> Vec<(String, String)> {
        let Value::Object(members) = &self.data else { return Vec::new() };
        let texts = members.iter().flat_map(|(name, value)| {
            let texts = match value {
                Value::List(texts) => texts.as_slice(),
                one => std::slice::from_ref(one),
            };
            let texts = texts.iter().filter_map(Value::as_text);
            texts.map(move |text| (name.clone(), text.to_owned()))
        });
        texts.filter(|(_, text)| !text.is_empty()).collect()
    }
}

/// How many seconds a form that was begun at `born` is too early; nothing if it is not. Both in
/// milliseconds of Unix time.
///
/// No verdict: who types fast, or has a browser that fills forms in, is asked again and does nothing
/// wrong. It only takes programs as long as people.
#[must_use]
pub fn too_early(definition: &Definition, born: u64, now: u64) -> Option<u64> {
    let from = born.saturating_add(u64::from(definition.min_seconds) * 1000);
    (from > now).then(|| (from - now).div_ceil(1000))
}

/// What goes to the platform, ready to be stored.
///
/// # Errors
///
/// What a visitor may not do whom nobody knows, or what the platform would not take.
pub fn given(
    definition: &Definition,
    submission: &Submission,
    posted: &Posted,
    proof: Option<&Proof>,
    language: &str,
) -> Result<(bulk::Kind, Given), Problem> {
    let (kind, body) = match definition.kind {
        Kind::Subscribe => {
            (bulk::Kind::Subscriptions, submission.subscription(definition, language))
        }
        Kind::Request => {
            let web_id = posted.web_id.as_ref();
            if proof.is_none() && web_id.is_none() && !definition.open_to_all {
                let fix = "add a proof, signed by the shop's back end, or the cookie sc";
                return Err(Problem::new(Code::ProofMissing, "proof", fix));
            }
            let proven: Vec<(&str, &str)> = proof.iter().flat_map(|proof| proof.names()).collect();
            let web_id = web_id.map(WebId::as_str);
            (bulk::Kind::Events, submission.event(definition, &proven, web_id))
        }
        Kind::Informer => {
            let fix = "leave it: this form has nothing to be sent";
            return Err(Problem::new(Code::NotOpen, "", fix));
        }
    };
    match bulk::read(kind, body) {
        Ok(given) => Ok((kind, given)),
        Err(problems) => {
            let none = || Problem::new(Code::InvalidBody, "data", "give what the form asks for");
            Err(problems.into_iter().next().unwrap_or_else(none))
        }
    }
}

/// What has become of a submission when its page is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum State {
    /// The platform has it.
    Sent,
    /// It is stored, and goes to the platform by itself.
    Stored,
}

impl State {
    /// The name in answers.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Stored => "stored",
        }
    }
}

/// What became of a submission that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "the Worker makes it out of what it did")]
pub struct Outcome {
    /// Whether the platform has it.
    pub state: State,
    /// What it came to at the platform: `NEED_CONFIRMATION` and so on, where that was told.
    pub status: Option<String>,
    /// The token of what is asked next.
    pub next: Option<String>,
}

impl Outcome {
    /// The status that pages may know, as they name it.
    #[must_use]
    pub fn status(&self, definition: &Definition) -> Option<String> {
        let status = self.status.as_ref().filter(|_| definition.reveal_status);
        status.map(|status| status.to_ascii_lowercase())
    }

    /// The answer to a script.
    #[must_use]
    pub fn answer(&self, definition: &Definition) -> Value {
        let mut members: Members = vec![
            ("accepted".to_owned(), Value::Bool(true)),
            ("state".to_owned(), Value::text(self.state.as_str())),
        ];
        if let Some(status) = self.status(definition) {
            members.push(("status".to_owned(), Value::Text(status)));
        }
        if let Some(code) = &definition.thanks.code {
            members.push(("code".to_owned(), Value::text(code.as_str())));
        }
        if let Some(token) = &self.next {
            let next = vec![("token".to_owned(), Value::text(token.as_str()))];
            members.push(("next".to_owned(), Value::Object(next)));
        }
        Value::Object(members)
    }
}

/// The answer about fields that are wrong: the first one as every refusal has it, and all of them.
#[must_use]
pub fn wrong_fields(words: &Words<'_>, fields: &[(String, Wrong)]) -> Value {
    let entry = |(name, wrong): &(String, Wrong)| {
        vec![
            ("code".to_owned(), Value::text(wrong.code())),
            ("field".to_owned(), Value::Text(["data.", name].concat())),
            ("message".to_owned(), Value::text(words.wrong(wrong.code()))),
        ]
    };
    let mut error: Members = fields.first().map(entry).unwrap_or_default();
    let all = fields.iter().map(|field| Value::Object(entry(field))).collect();
    error.push(("fields".to_owned(), Value::List(all)));
    Value::Object(vec![("error".to_owned(), Value::Object(error))])
}
