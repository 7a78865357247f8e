//! What an operation gets and what it gives.

use hyper::StatusCode;
use serde_json::{Value, json};

use crate::api::{Failure, Operation, dates};
use crate::platform::Tokens;
use crate::settings::{Quirks, Settings};
use crate::store::State;

/// One request, judged by the schemas, and what it is answered from.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    pub(crate) operation: &'static Operation,
    pub(crate) state: &'a State<'a>,
    pub(crate) settings: &'a Settings,
    pub(crate) tokens: &'a Tokens,
    /// Unix milliseconds.
    pub(crate) now: i64,
    /// Those of path and query that were given.
    pub(crate) parameters: Value,
    /// Null where the operation takes none.
    pub(crate) body: Value,
    /// The body's bytes.
    pub(crate) size: usize,
}

/// An answer with a status of success.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) content: Content,
    /// For the header `TotalCount`.
    pub(crate) total: Option<i64>,
}

/// What an answer holds.
#[derive(Debug)]
pub(crate) enum Content {
    Nothing,
    Json(Value),
    /// Text that is no JSON, under the content type of JSON.
    BareText(String),
    Text(String),
}

/// Why there is no answer of success.
#[derive(Debug)]
pub(crate) enum Trouble {
    Failure(Failure),
    Store(rusqlite::Error),
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl From<rusqlite::Error> for Trouble {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error)
    }
}

impl Trouble {
    /// The document has an operation that nothing here serves.
    pub(super) fn missing(id: &str) -> Self {
        Failure::whole(StatusCode::NOT_IMPLEMENTED, "operation", id).into()
    }
}

impl Answer {
    fn of(content: Content) -> Self {
        Self { status: StatusCode::OK, content, total: None }
    }

    pub(crate) fn nothing() -> Self {
        Self::of(Content::Nothing)
    }

    pub(crate) fn json(body: Value) -> Self {
        Self::of(Content::Json(body))
    }

    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::of(Content::Text(text.into()))
    }
}

impl<'a> Call<'a> {
    /// A parameter that its schema reads as text.
    pub(crate) fn text(&'a self, name: &str) -> Option<&'a str> {
        self.parameters[name].as_str().filter(|text| !text.is_empty())
    }

    /// A parameter that its schema reads as a number.
    pub(crate) fn number(&self, name: &str) -> Option<i64> {
        self.parameters[name].as_i64()
    }

    pub(crate) fn flag(&self, name: &str) -> bool {
        self.parameters[name] == true
    }

    /// The number in the path.
    pub(crate) fn id(&self) -> i64 {
        self.number("id").unwrap_or_default()
    }

    /// How many rows a page leaves out and how many it has at most.
    pub(crate) fn page(&self, usual: i64) -> (i64, i64) {
        let start = self.number("startindex").unwrap_or(1);
        (start - 1, self.number("maxrows").unwrap_or(usual))
    }

    /// A moment in a parameter, or None without it.
    pub(crate) fn moment(&self, name: &str) -> Result<Option<dates::Moment>, Failure> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let wrong = || Failure::field(name, "a date as 2024-01-31 or 2024-01-31T12:30 is expected");
        dates::parse(text).map(Some).ok_or_else(wrong)
    }

    fn is_real(&self) -> bool {
        self.settings.quirks == Quirks::Real
    }

    /// A list where the platform answers with the one thing in it, if there is one.
    pub(crate) fn one_or_many(&self, list: Vec<Value>) -> Value {
        match <[Value; 1]>::try_from(list) {
            Ok([one]) if self.is_real() => one,
            Ok(one) => Value::from(one.to_vec()),
            Err(list) => Value::Array(list),
        }
    }

    /// A number or flag that the platform writes as text in its older answers.
    pub(crate) fn as_text(&self, value: impl Into<Value>) -> Value {
        let value = value.into();
        if self.is_real() { json!(value.to_string()) } else { value }
    }

    /// Text that the platform writes as it stands although it says that JSON comes.
    pub(crate) fn bare_text(&self, text: impl Into<String>) -> Answer {
        let text = text.into();
        Answer::of(if self.is_real() {
            Content::BareText(text)
        } else {
            Content::Json(json!(text))
        })
    }

    /// One page of a list, and how many things it has in all.
    pub(crate) fn paged(&self, list: Vec<Value>, usual: i64) -> Answer {
        let (skip, limit) = self.page(usual);
        let total = list.len();
        let count = |number: i64| usize::try_from(number).unwrap_or(usize::MAX);
        let page = list.into_iter().skip(count(skip)).take(count(limit)).collect();
        let total = i64::try_from(total).ok();
        Answer { total, ..Answer::json(Value::Array(page)) }
    }
}

/// Text of a value that may also be a number.
pub(crate) fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The texts of a list.
pub(crate) fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(text_of).collect()
}

/// An identifier in the platform's form.
pub(crate) fn uuid() -> String {
    let (high, low) = (fastrand::u64(..), fastrand::u64(..));
    let mut digits = format!("{high:016x}{low:016x}");
    for place in [20, 16, 12, 8] {
        digits.insert(place, '-');
    }
    digits
}
