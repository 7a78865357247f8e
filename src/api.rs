//! The platform's REST API: every operation as data.
//!
//! An operation is a small struct of what the reference lists. It becomes a [`Request`], which a host
//! sends with its key, and reads the [`Reply`] that came back. Nothing here performs a call, holds a
//! key or knows a host.
//!
//! ```
//! use esputnik_kit::api::{self, Endpoint as _, Reply, contact::GetContact};
//!
//! let request = GetContact { id: 42 }.request().unwrap();
//! assert_eq!(request.target, "/v1/contact/42");
//!
//! let reply = Reply { status: 200, text: r#"{"id": "42"}"#.into(), ..Reply::default() };
//! let answer = api::decode::<GetContact>(&reply, 0).unwrap();
//! assert_eq!(answer.value.id, Some(42));
//! ```
//!
//! # Map
//!
//! | path | what it knows |
//! |---|---|
//! | this file | the way of a call: operation, request, reply, answer |
//! | `operation` | what is the same for all calls of an operation |
//! | `shape` | readers and writers of JSON, strict for requests and lenient for answers |
//! | [`error`] | what went wrong, and whether and when to try again |
//! | [`answer`] | bodies that are no JSON, or not the JSON that was announced |
//! | [`text`], [`time`] | names, keys and dates that the platform limits |
//! | [`table`] | all operations, found by method and address |
//! | [`relay`] | calls of a shop's server, and the one form of what it is answered |
//! | the others | one file for each chapter of the reference |
//!
//! The limits and quirks come from the platform's public reference and guides; where those
//! contradict each other, every variant is read and one is written.

pub mod account;
pub mod activity;
pub mod answer;
pub mod app;
pub mod broadcast;
pub mod contact;
pub mod error;
pub mod event;
pub mod feed;
pub mod interface;
pub(crate) mod macros;
pub mod message;
pub mod order;
pub mod preprocessor;
pub mod promo_code;
pub mod recommendation;
pub mod relay;
pub mod segment;
pub mod send;
pub mod shape;
pub mod site;
pub mod subscription;
pub mod table;
pub mod text;
pub mod time;
pub mod token;
pub mod version;
pub mod web_push;

mod address;
mod operation;

use self::shape::{REQUIRED, Reader, Shape};
pub use self::{
    answer::Answer,
    error::{Error, Kind},
    operation::{Chapter, Method, Operation, Pool, Repeat},
};
use crate::{
    problem::{Code, Problem},
    value::Value,
};

/// An operation of the platform, with what it takes.
pub trait Endpoint: Sized {
    /// What it answers.
    type Answer: Answer;

    /// What is the same for all of its calls.
    const OPERATION: Operation;

    /// Reads what it takes.
    fn read(input: &Input, reader: &mut Reader) -> Option<Self>;

    /// What it takes, as it is written.
    fn input(&self) -> Input;

    /// The calls that it takes to send all of this, where a list is longer than a request may carry;
    /// `None` if this one does.
    #[must_use]
    fn split(&self) -> Option<Vec<Self>> {
        None
    }

    /// The request, checked against the platform's limits.
    ///
    /// # Errors
    ///
    /// Everything that the platform would not take; never empty.
    fn request(&self) -> Result<Request, Vec<Problem>> {
        let input = self.input();
        let mut reader = Reader::request();
        // What was built in code passes the checks of what was read.
        let read = Self::read(&input, &mut reader);
        let (_, errors) = reader.finish();
        if read.is_none() || !errors.is_empty() {
            return Err(errors);
        }
        Ok(Request::new(&Self::OPERATION, &input))
    }
}

/// What a call takes, in the parts that carry it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "the three places of a request")]
pub struct Input {
    /// Names and values in the address.
    pub path: Vec<(String, String)>,
    /// Names and values behind the address.
    pub query: Vec<(String, String)>,
    /// What is sent.
    pub body: Option<Value>,
}

/// The text of a value that stands in an address.
fn plain(value: &impl Shape) -> String {
    match value.write() {
        Value::Text(text) | Value::Number(text) => text,
        other => other.to_json(),
    }
}

impl Input {
    fn value<T: Shape>(list: &[(String, String)], name: &str, reader: &mut Reader) -> Option<T> {
        let (_, text) = list.iter().rev().find(|(key, _)| key == name)?;
        let value = Value::text(text.as_str());
        reader.within(name, |reader| reader.plainly(|reader| T::read(&value, reader)))
    }

    fn path<T: Shape>(&self, name: &str, reader: &mut Reader) -> Option<T> {
        let text = self.path.iter().find(|(key, _)| key == name).map(|(_, text)| text.trim());
        // Elsewhere such a part would lead to another operation.
        if matches!(text, None | Some("" | "." | "..")) {
            reader.fail_at(name, Code::MissingField, REQUIRED);
            return None;
        }
        Self::value(&self.path, name, reader)
    }

    fn query<T: Shape>(&self, name: &str, reader: &mut Reader) -> Option<T> {
        Self::value(&self.query, name, reader)
    }

    fn must<T: Shape>(&self, name: &str, reader: &mut Reader) -> Option<T> {
        if !self.query.iter().any(|(key, text)| key == name && !text.trim().is_empty()) {
            reader.fail_at(name, Code::MissingField, REQUIRED);
            return None;
        }
        self.query(name, reader)
    }

    fn body<T: Shape>(&self, reader: &mut Reader) -> Option<T> {
        match &self.body {
            None | Some(Value::Null) => {
                reader.fail(Code::MissingField, "send JSON that the operation asks for");
                None
            }
            Some(body) => T::read(body, reader),
        }
    }

    fn add_path(&mut self, name: &str, value: &impl Shape) {
        self.path.push((name.to_owned(), plain(value)));
    }

    fn add_query(&mut self, name: &str, value: &impl Shape) {
        self.query.push((name.to_owned(), plain(value)));
    }
}

/// A call as it goes to the platform; the host adds the platform's address and the key.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Request {
    /// The operation.
    pub operation: &'static str,
    /// The method.
    pub method: Method,
    /// The address below `/api`, with its query.
    pub target: String,
    /// JSON, if the operation sends any.
    pub body: Option<String>,
    /// Whose limit the call counts against.
    pub pool: Pool,
    /// Whether a second call does harm.
    pub repeat: Repeat,
}

impl Request {
    /// The request of an operation whose body is known to be right.
    #[must_use]
    pub fn of(operation: &Operation, body: Option<&Value>) -> Self {
        Self::new(operation, &Input { body: body.cloned(), ..Input::default() })
    }

    /// The request of a call that is known to be right.
    #[must_use]
    pub fn for_call<E: Endpoint>(call: &E) -> Self {
        Self::new(&E::OPERATION, &call.input())
    }

    fn new(operation: &Operation, input: &Input) -> Self {
        Self {
            operation: operation.id,
            method: operation.method,
            target: address::build(operation.path, input),
            body: input.body.as_ref().map(Value::to_json),
            pool: operation.pool,
            repeat: operation.repeat,
        }
    }
}

/// What the platform answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "what the host has of an answer")]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The header `Retry-After`.
    pub retry_after: Option<String>,
    /// The header `TotalCount`.
    pub total_count: Option<String>,
    /// The body.
    pub text: String,
}

/// A read answer.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Answered<T> {
    /// What the operation answers.
    pub value: T,
    /// How many there are in all, where the operation answers a part.
    pub total_count: Option<u64>,
    /// What could not be read, and was left out.
    pub warnings: Vec<Problem>,
}

/// Reads what the platform answered; `now` is Unix time in milliseconds.
///
/// # Errors
///
/// What went wrong, the platform's text, and whether to try again: statuses of failure, and a
/// success whose body says that nothing was done.
pub fn decode<E: Endpoint>(reply: &Reply, now: u64) -> Result<Answered<E::Answer>, Error> {
    if !(200..300).contains(&reply.status) {
        return Err(Error::from_reply(reply, E::OPERATION.repeat, now));
    }
    let mut reader = Reader::answer();
    let Some(value) = E::Answer::read(&reply.text, &mut reader) else {
        return Err(Error::unreadable(reply, E::OPERATION.repeat));
    };
    if let Some(text) = value.failure() {
        return Err(Error::inside(reply.status, text));
    }
    let (warnings, _) = reader.finish();
    let total_count = reply.total_count.as_ref().and_then(|text| text.trim().parse().ok());
    Ok(Answered { value, total_count, warnings })
}
