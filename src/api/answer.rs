//! Bodies of answers: JSON, and what the platform sends in its place.

use super::shape::{Reader, Shape};
use crate::{
    json,
    problem::Code,
    value::{Value, is_blank},
};

/// What an operation answers with success.
pub trait Answer: Sized {
    /// Reads a body. `None` if nothing of it is what the operation answers.
    fn read(text: &str, reader: &mut Reader) -> Option<Self>;

    /// Its clean JSON.
    fn write(&self) -> Value;

    /// The platform's words, if it says inside a success that nothing was done.
    fn failure(&self) -> Option<String> {
        None
    }
}

/// The JSON in a body. Servers print warnings before it, and byte order marks.
pub(super) fn find_json(text: &str, reader: &mut Reader) -> Option<Value> {
    let text = text.trim_start_matches('\u{feff}').trim();
    if let Ok(value) = json::parse(text) {
        return Some(value);
    }
    let starts = text.char_indices().filter(|(_, start)| matches!(start, '{' | '[')).take(16);
    for (at, _) in starts {
        if let Some(Ok(value)) = text.get(at..).map(json::parse) {
            reader.fail(Code::Unclean, "text before the JSON was left out");
            return Some(value);
        }
    }
    None
}

/// An answer with a schema. Nothing at all counts as its empty form where it has one.
impl<T: Shape> Answer for T {
    fn read(text: &str, reader: &mut Reader) -> Option<Self> {
        if is_blank(text) {
            let empty = [Value::List(Vec::new()), Value::Object(Vec::new())];
            return empty.iter().find_map(|empty| T::read(empty, &mut Reader::answer()));
        }
        let value = find_json(text, reader)?;
        T::read(&value, reader)
    }

    fn write(&self) -> Value {
        Shape::write(self)
    }

    fn failure(&self) -> Option<String> {
        failure_in(&Shape::write(self))
    }
}

/// The platform's words in an answer which says that nothing was done: `errorMessage` without a
/// session, `valid: false`, or `errors` in place of `success`.
fn failure_in(value: &Value) -> Option<String> {
    let text = |name: &str| value.member(name).and_then(Value::as_text).map(str::to_owned);
    if let Some(message) = text("errorMessage").filter(|message| !is_blank(message)) {
        return text("asyncSessionId").is_none().then_some(message);
    }
    if value.member("valid") == Some(&Value::Bool(false)) {
        return Some(text("message").unwrap_or_else(|| "not valid".to_owned()));
    }
    let errors = value.member("errors").filter(|_| value.member("success").is_none())?;
    let message = errors.member("message").unwrap_or(errors);
    Some(message.as_text().map_or_else(|| message.to_json(), str::to_owned))
}

/// Text, bare or as a JSON string, under whatever content type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "text and nothing else")]
pub struct Text(pub String);

impl Answer for Text {
    fn read(text: &str, _: &mut Reader) -> Option<Self> {
        let text = text.trim();
        Some(Self(match json::parse(text) {
            Ok(Value::Text(inner)) => inner,
            _ => text.to_owned(),
        }))
    }

    fn write(&self) -> Value {
        Value::text(self.0.as_str())
    }
}

/// An answer that the platform does not document: JSON, text, or nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "any JSON and nothing else")]
pub struct Undocumented(pub Value);

impl Answer for Undocumented {
    fn read(text: &str, _: &mut Reader) -> Option<Self> {
        let text = text.trim();
        if text.is_empty() {
            return Some(Self(Value::Null));
        }
        Some(Self(json::parse(text).unwrap_or_else(|_| Value::text(text))))
    }

    fn write(&self) -> Value {
        self.0.clone()
    }

    fn failure(&self) -> Option<String> {
        failure_in(&self.0)
    }
}

/// Nothing: a success without a body, or with one that says nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "nothing at all")]
pub struct Nothing;

impl Answer for Nothing {
    fn read(_: &str, _: &mut Reader) -> Option<Self> {
        Some(Self)
    }

    fn write(&self) -> Value {
        Value::Null
    }
}

/// JSON that stands as text inside a JSON string; also where it stands there bare.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "any JSON and nothing else")]
pub struct Embedded(pub Value);

impl Answer for Embedded {
    fn read(text: &str, reader: &mut Reader) -> Option<Self> {
        if is_blank(text) {
            return Some(Self(Value::Null));
        }
        let value = find_json(text, reader)?;
        Some(Self(match value.as_text().map(json::parse) {
            Some(Ok(inner)) => inner,
            _ => value,
        }))
    }

    fn write(&self) -> Value {
        self.0.clone()
    }
}
