//! What the tracker reads of records and answers, and lists that it writes.

use crate::{event::Event, problem::Problem, value::Value};

/// Why the platform would not take the record.
///
/// What cannot be read goes to the Worker, which says so.
pub(super) fn check(record: &str) -> Option<Problem> {
    let record = Value::from_json(record)?;
    let (command, arguments) = record.member("call")?.as_list()?.split_first()?;
    match command.as_text()? {
        "reset" | "orderSubmitted" => None,
        command => Event::check_call(command, arguments),
    }
}

/// Whether the store holds a record under its own message id; storage can hold anything.
pub(super) fn is_record(record: &str, id: &str) -> bool {
    Value::from_json(record).is_some_and(|record| member(&record, "id") == Some(id))
}

/// The entries of an answer.
pub(super) fn results(answer: &Value) -> &[Value] {
    answer.member("results").and_then(Value::as_list).unwrap_or_default()
}

pub(super) fn member<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.member(name).and_then(Value::as_text)
}

pub(super) fn texts(texts: &[String]) -> Value {
    Value::List(texts.iter().map(Value::text).collect())
}
