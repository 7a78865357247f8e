//! Readers and writers of the API's JSON, for requests and for answers.
//!
//! Requests are read strictly where the platform is strict, and every documented variant is read
//! with a warning. Answers are read as they come: what the platform sends as text, as one object in
//! place of a list, or not at all, costs nothing.

mod plain;

use crate::{
    problem::{Code, Problem},
    value::{Members, Value, write_whole},
};

pub use self::plain::{Commas, Decimal};

/// A part of a request or an answer: what the platform's documents call a schema.
pub trait Shape: Sized {
    /// Reads it. `None` if it cannot be; `reader` then knows why.
    fn read(value: &Value, reader: &mut Reader) -> Option<Self>;

    /// The JSON that is written; for answers, their clean form.
    fn write(&self) -> Value;
}

/// Whose JSON is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    /// What is to go to the platform; what it would not take is an error.
    Request,
    /// What the platform said; nothing is an error, what cannot be read is left out.
    Answer,
}

/// Where a reader is, and what it found wrong or odd.
#[derive(Debug)]
pub struct Reader {
    side: Side,
    /// Whether what is read stands in an address, where everything is text.
    plain: bool,
    /// Whether lists may be longer than one request takes.
    any_length: bool,
    path: String,
    warnings: Vec<Problem>,
    errors: Vec<Problem>,
}

impl Reader {
    fn new(side: Side) -> Self {
        Self {
            side,
            plain: false,
            any_length: false,
            path: String::new(),
            warnings: Vec::new(),
            errors: Vec::new(),
        }
    }

    /// A reader of what is to be sent.
    #[must_use]
    pub fn request() -> Self {
        Self::new(Side::Request)
    }

    /// A reader of what is to be sent in as many requests as it takes.
    #[must_use]
    pub fn requests() -> Self {
        Self { any_length: true, ..Self::new(Side::Request) }
    }

    /// A reader of what came back.
    #[must_use]
    pub fn answer() -> Self {
        Self::new(Side::Answer)
    }

    /// What was odd, and what was wrong.
    #[must_use]
    pub fn finish(self) -> (Vec<Problem>, Vec<Problem>) {
        (self.warnings, self.errors)
    }

    pub(super) fn is_answer(&self) -> bool {
        self.side == Side::Answer
    }

    pub(super) fn is_plain(&self) -> bool {
        self.plain
    }

    #[inline(never)]
    /// Notes what is wrong; of an answer it is only lost.
    pub(super) fn fail(&mut self, code: Code, fix: &'static str) {
        let problem = Problem::new(code, self.path.clone(), fix);
        match self.side {
            Side::Request => self.errors.push(problem),
            Side::Answer => self.warnings.push(problem),
        }
    }

    /// Notes what is wrong at the member `name` of what is read.
    pub(super) fn fail_at(&mut self, name: &str, code: Code, fix: &'static str) {
        self.within(name, |reader| reader.fail(code, fix));
    }

    /// Notes a variant of a request; those of answers are the platform's.
    pub(super) fn warn(&mut self, code: Code, fix: &'static str) {
        if self.side == Side::Request {
            self.warnings.push(Problem::new(code, self.path.clone(), fix));
        }
    }

    /// Notes a variant at the member `name` of what is read.
    pub(super) fn warn_at(&mut self, name: &str, code: Code, fix: &'static str) {
        self.within(name, |reader| reader.warn(code, fix));
    }

    /// Checks the length of a list that one request takes `most` of.
    pub(super) fn most(&mut self, name: &str, length: usize, most: usize, fix: &'static str) {
        if length > most && !self.any_length {
            self.fail_at(name, Code::TooMany, fix);
        }
    }

    /// Reads in the member `name`.
    pub(super) fn within<T>(&mut self, name: &str, read: impl FnOnce(&mut Self) -> T) -> T {
        let length = self.enter(name);
        let result = read(self);
        self.path.truncate(length);
        result
    }

    /// Reads in entry `index` of a list.
    pub(super) fn entry<T>(&mut self, index: usize, read: impl FnOnce(&mut Self) -> T) -> T {
        let length = self.enter_entry(index);
        let result = read(self);
        self.path.truncate(length);
        result
    }

    // Apart, and never copied into their hundreds of callers, which would make the Worker a third
    // larger.
    #[inline(never)]
    fn enter(&mut self, name: &str) -> usize {
        let length = self.path.len();
        if length > 0 {
            self.path.push('.');
        }
        self.path.push_str(name);
        length
    }

    #[inline(never)]
    fn enter_entry(&mut self, index: usize) -> usize {
        let length = self.path.len();
        self.path.push('[');
        write_whole(index as u64, &mut self.path);
        self.path.push(']');
        length
    }

    /// Reads what stands in an address.
    pub(super) fn plainly<T>(&mut self, read: impl FnOnce(&mut Self) -> T) -> T {
        self.plain = true;
        let result = read(self);
        self.plain = false;
        result
    }
}

const ALIAS: &str = "read, and written under the documented name";
const NULL: &str = "null says nothing and is left out";
pub(super) const REQUIRED: &str = "the platform requires it";
pub(super) const UNKNOWN: &str = "not in the platform's documents; it goes along unchanged";
const TWICE: &str = "stands there under another name too; left out";

/// The members of an object that are yet to be read.
pub(super) struct Object<'a> {
    rest: Vec<&'a (String, Value)>,
}

impl<'a> Object<'a> {
    /// Begins to read an object.
    pub(super) fn open(value: &'a Value, reader: &mut Reader) -> Option<Self> {
        if let Value::Object(members) = value {
            return Some(Self { rest: members.iter().collect() });
        }
        reader.fail(Code::WrongType, "give an object");
        None
    }

    #[inline(never)]
    /// Takes the member with the first of `names` that is there; the first name is written.
    fn take(
        &mut self,
        names: &[&'static str],
        reader: &mut Reader,
    ) -> Option<(&'static str, &'a Value)> {
        let mut found = None;
        for name in names {
            // The last one counts where a name stands twice, as in JavaScript.
            let Some((_, value)) = self.rest.iter().rev().find(|(key, _)| key == name) else {
                continue;
            };
            self.rest.retain(|(key, _)| key != name);
            if *value == Value::Null {
                reader.warn_at(name, Code::EmptyValue, NULL);
            } else if found.is_some() {
                reader.warn_at(name, Code::IgnoredMember, TWICE);
            } else {
                if names.first() != Some(name) {
                    reader.warn_at(name, Code::Alias, ALIAS);
                }
                found = Some((*name, value));
            }
        }
        found
    }

    #[inline(never)]
    /// Reads a member that may be missing.
    pub(super) fn optional<T: Shape>(
        &mut self,
        names: &[&'static str],
        reader: &mut Reader,
    ) -> Option<T> {
        let (name, value) = self.take(names, reader)?;
        reader.within(name, |reader| T::read(value, reader))
    }

    #[inline(never)]
    /// Reads a member that a request must have.
    pub(super) fn required<T: Shape>(
        &mut self,
        names: &[&'static str],
        reader: &mut Reader,
    ) -> Option<T> {
        if let Some((name, value)) = self.take(names, reader) {
            return reader.within(name, |reader| T::read(value, reader));
        }
        if !reader.is_answer() {
            let name = names.first().copied().unwrap_or_default();
            reader.fail_at(name, Code::MissingField, REQUIRED);
        }
        None
    }

    #[inline(never)]
    /// What is left: it goes along in a request, and is ignored in an answer.
    pub(super) fn rest(self, reader: &mut Reader) -> Members {
        if reader.is_answer() {
            // Except for what a recommended product has by the feed's own names.
            let kept = self.rest.into_iter().filter(|(name, _)| name.starts_with("tags_"));
            return kept.cloned().collect();
        }
        for (name, _) in &self.rest {
            reader.warn_at(name, Code::UnknownMember, UNKNOWN);
        }
        self.rest.into_iter().cloned().collect()
    }
}

/// The members of an object that is written.
#[derive(Default)]
pub(super) struct Writer(Members);

impl Writer {
    #[inline(never)]
    pub(super) fn member(&mut self, name: &str, value: &impl Shape) {
        self.0.push((name.to_owned(), value.write()));
    }

    pub(super) fn finish(mut self, other: &Members) -> Value {
        self.0.extend(other.iter().cloned());
        Value::Object(self.0)
    }
}

impl<T: Shape> Shape for Vec<T> {
    fn read(value: &Value, reader: &mut Reader) -> Option<Self> {
        let Value::List(list) = value else {
            // The platform sends a list of one as its entry, and clients do too.
            let one = T::read(value, reader)?;
            reader.warn(Code::ValueForList, "read as a list of one");
            return Some(vec![one]);
        };
        let read = list
            .iter()
            .enumerate()
            .filter_map(|(index, value)| reader.entry(index, |reader| T::read(value, reader)));
        Some(read.collect())
    }

    fn write(&self) -> Value {
        Value::List(self.iter().map(Shape::write).collect())
    }
}

impl<T: Shape> Shape for Box<T> {
    fn read(value: &Value, reader: &mut Reader) -> Option<Self> {
        T::read(value, reader).map(Self::new)
    }

    fn write(&self) -> Value {
        T::write(self)
    }
}
