//! Single values: text, numbers, switches, and lists inside text.

use super::{Reader, Shape};
use crate::{
    problem::Code,
    value::{Value, is_blank},
};

/// Deepest nesting of a value that is any JSON; the platform keeps two levels apart itself.
const MAX_DEPTH: usize = 16;

impl Shape for String {
    #[inline(never)]
    fn read(value: &Value, reader: &mut Reader) -> Option<Self> {
        match value {
            Value::Text(text) => Some(text.clone()),
            Value::Number(text) => {
                reader.warn(Code::NumberForText, "read, and written as text");
                Some(text.clone())
            }
            Value::Bool(flag) if reader.is_answer() => Some(flag.to_string()),
            _ => {
                reader.fail(Code::WrongType, "give text");
                None
            }
        }
    }

    fn write(&self) -> Value {
        Value::text(self.as_str())
    }
}

impl Shape for Value {
    fn read(value: &Value, reader: &mut Reader) -> Option<Self> {
        if value.depth() > MAX_DEPTH {
            reader.fail(Code::TooDeep, "nest lists and objects at most 16 deep");
            return None;
        }
        Some(value.clone())
    }

    fn write(&self) -> Value {
        self.clone()
    }
}

impl Shape for bool {
    #[inline(never)]
    fn read(value: &Value, reader: &mut Reader) -> Option<Self> {
        let (flag, other) = match value {
            Value::Bool(flag) => (*flag, false),
            Value::Text(text) if text.eq_ignore_ascii_case("true") => (true, true),
            Value::Text(text) if text.eq_ignore_ascii_case("false") => (false, true),
            Value::Text(text) | Value::Number(text) if text == "1" => (true, true),
            Value::Text(text) | Value::Number(text) if text == "0" => (false, true),
            _ => {
                reader.fail(Code::WrongType, "give true or false");
                return None;
            }
        };
        if other && !reader.is_plain() {
            reader.warn(Code::OtherForBool, "read, and written as true or false");
        }
        Some(flag)
    }

    fn write(&self) -> Value {
        Value::Bool(*self)
    }
}

#[inline(never)]
/// The text of a number, from a number or from text that holds one.
fn number<'a>(value: &'a Value, reader: &mut Reader, fix: &'static str) -> Option<&'a str> {
    match value {
        Value::Number(text) => return Some(text),
        Value::Text(text) => {
            let text = text.trim();
            if matches!(Value::from_json(text), Some(Value::Number(_))) {
                if !reader.is_plain() {
                    reader.warn(Code::TextForNumber, "read, and written as a number");
                }
                return Some(text);
            }
        }
        _ => {}
    }
    reader.fail(Code::WrongType, fix);
    None
}

/// The digits of a whole number: `3`, `-3` and `3.0` are, `3.5` and `3e1` are not.
fn whole(text: &str) -> Option<&str> {
    let (digits, fraction) = text.split_once('.').unwrap_or((text, ""));
    fraction.bytes().all(|digit| digit == b'0').then_some(digits)
}

macro_rules! whole_number {
    ($($type:ty)*) => {$(
        impl Shape for $type {
            #[inline(never)]
            fn read(value: &Value, reader: &mut Reader) -> Option<Self> {
                let fix = "give a whole number";
                let text = number(value, reader, fix)?;
                let Some(digits) = whole(text) else {
                    reader.fail(Code::WrongType, fix);
                    return None;
                };
                let read = digits.parse().ok();
                if read.is_none() {
                    reader.fail(Code::OutOfRange, "give a whole number that the platform can hold");
                }
                read
            }

            fn write(&self) -> Value {
                Value::Number(self.to_string())
            }
        }
    )*};
}

whole_number!(i32 i64);

/// A number with its digits as they came, so that an amount of money stays what it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decimal(String);

impl Decimal {
    /// The number that `text` spells as JSON does: `450.00`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match Value::from_json(text)? {
            Value::Number(text) => Some(Self(text)),
            _ => None,
        }
    }

    /// Its digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<i64> for Decimal {
    fn from(number: i64) -> Self {
        Self(number.to_string())
    }
}

impl Shape for Decimal {
    fn read(value: &Value, reader: &mut Reader) -> Option<Self> {
        number(value, reader, "give a number, with a point before the fraction")
            .map(|text| Self(text.to_owned()))
    }

    fn write(&self) -> Value {
        Value::Number(self.0.clone())
    }
}

/// Several values that stand in an address as one, between commas.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Commas<T>(pub Vec<T>);

impl<T: Shape> Shape for Commas<T> {
    fn read(value: &Value, reader: &mut Reader) -> Option<Self> {
        let Value::Text(text) = value else {
            return Vec::read(value, reader).map(Self);
        };
        let parts = text.split(',').map(str::trim).filter(|part| !is_blank(part));
        let read: Option<Vec<T>> = parts.map(|part| T::read(&Value::text(part), reader)).collect();
        if read.as_ref().is_some_and(Vec::is_empty) {
            reader.fail(Code::MissingField, "give at least one value");
            return None;
        }
        read.map(Self)
    }

    fn write(&self) -> Value {
        let mut out = String::new();
        for value in &self.0 {
            if !out.is_empty() {
                out.push(',');
            }
            match value.write() {
                Value::Text(text) | Value::Number(text) => out.push_str(&text),
                other => other.write_json(&mut out),
            }
        }
        Value::Text(out)
    }
}
