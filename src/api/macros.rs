//! How shapes, choices, names and operations are written down: as in the platform's reference,
//! without a line that could differ between them.
//!
//! Declarative macros rather than serde's derive: reading must name the path and the fix of what is
//! wrong, keep unknown members, read a list's single entry and numbers in text, and tell requests
//! from answers, which would leave nothing of a derive but its name.

/// A schema: a struct with the members that the documents list, and the others that come along.
///
/// `opt` members may be missing. `req` ones must be there in a request; so must `need` ones, which
/// answers may lack.
macro_rules! shape {
    (
        $(#[$meta:meta])*
        $shape:ident $(check $check:path)? {
            $(
                $(#[$member_meta:meta])*
                $mode:ident $member:ident: $type:ty = $name:literal $(| $alias:literal)*,
            )*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        #[expect(clippy::exhaustive_structs, reason = "built by struct literals, `other` keeps the rest")]
        pub struct $shape {
            $($(#[$member_meta])* pub $member: $crate::api::macros::shape!(@type $mode $type),)*
            /// Members that the documents do not know; they go along.
            pub other: $crate::value::Members,
        }

        impl $crate::api::shape::Shape for $shape {
            fn read(
                value: &$crate::value::Value,
                reader: &mut $crate::api::shape::Reader,
            ) -> Option<Self> {
                let mut object = $crate::api::shape::Object::open(value, reader)?;
                $(
                    let $member = $crate::api::macros::shape!(
                        @read $mode object reader $name $(| $alias)*
                    );
                )*
                let other = object.rest(reader);
                let this = Self {
                    $($member: $crate::api::macros::shape!(@value $mode $member),)*
                    other,
                };
                $($check(&this, reader);)?
                Some(this)
            }

            fn write(&self) -> $crate::value::Value {
                let mut members = $crate::api::shape::Writer::default();
                $($crate::api::macros::shape!(@write $mode members $name self.$member);)*
                members.finish(&self.other)
            }
        }
    };
    (@type req $type:ty) => { $type };
    (@type $mode:ident $type:ty) => { Option<$type> };
    (@read opt $object:ident $reader:ident $($name:literal)|+) => {
        $object.optional(&[$($name),+], $reader)
    };
    (@read $mode:ident $object:ident $reader:ident $($name:literal)|+) => {
        $object.required(&[$($name),+], $reader)
    };
    (@value req $member:ident) => { $member? };
    (@value $mode:ident $member:ident) => { $member };
    (@write req $members:ident $name:literal $value:expr) => {
        $members.member($name, &$value);
    };
    (@write $mode:ident $members:ident $name:literal $value:expr) => {
        if let Some(value) = &$value {
            $members.member($name, value);
        }
    };
}

/// A value that is one of those that the documents list.
macro_rules! choice {
    (
        $(#[$meta:meta])*
        $choice:ident {
            $($(#[$value_meta:meta])* $value:ident = $name:literal $(| $alias:literal)*,)*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum $choice {
            $($(#[$value_meta])* $value,)*
            /// A value that the platform answered and the documents do not list.
            Other(String),
        }

        impl $choice {
            const NAMES: &'static [&'static str] = &[$($name $(, $alias)*),*];

            /// The value as the platform spells it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$value => $name,)*
                    Self::Other(text) => text,
                }
            }

            fn named(name: &str) -> Option<Self> {
                match name {
                    $($name $(| $alias)* => Some(Self::$value),)*
                    _ => None,
                }
            }
        }

        impl $crate::api::shape::Shape for $choice {
            fn read(
                value: &$crate::value::Value,
                reader: &mut $crate::api::shape::Reader,
            ) -> Option<Self> {
                let fix = concat!("give one of" $(, " ", $name)*);
                let text = $crate::api::macros::choice_text(value, reader, fix)?;
                let name = $crate::api::macros::choice_name(&text, Self::NAMES);
                let Some(found) = name.and_then(Self::named) else {
                    if reader.is_answer() {
                        return Some(Self::Other(text));
                    }
                    reader.fail($crate::problem::Code::UnknownValue, fix);
                    return None;
                };
                if found.as_str() != text {
                    reader.warn($crate::problem::Code::Alias, "read, and written as documented");
                }
                Some(found)
            }

            fn write(&self) -> $crate::value::Value {
                $crate::value::Value::text(self.as_str())
            }
        }
    };
}

/// Text that the platform limits: at most so many characters, and none of some.
macro_rules! text {
    ($(#[$meta:meta])* $text:ident, $max:literal $(, forbids $forbidden:expr)?) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $text(String);

        impl $text {
            /// Takes text that the platform takes.
            ///
            /// # Errors
            ///
            /// What is wrong with it.
            pub fn parse(text: impl Into<String>) -> Result<Self, $crate::problem::Code> {
                let text = text.into();
                if text.chars().count() > $max {
                    return Err($crate::problem::Code::TooLong);
                }
                $(
                    if text.contains($forbidden) {
                        return Err($crate::problem::Code::ForbiddenCharacter);
                    }
                )?
                Ok(Self(text))
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl $crate::api::shape::Shape for $text {
            fn read(
                value: &$crate::value::Value,
                reader: &mut $crate::api::shape::Reader,
            ) -> Option<Self> {
                let text = <String as $crate::api::shape::Shape>::read(value, reader)?;
                if reader.is_answer() {
                    return Some(Self(text));
                }
                let read = Self::parse(text);
                if let Err(code) = &read {
                    reader.fail(*code, match code {
                        $crate::problem::Code::TooLong => {
                            concat!("give at most ", stringify!($max), " characters")
                        }
                        _ => "leave out these characters: < > ; \\ / | \" ` ' ’ ^ ? ! ,",
                    });
                }
                read.ok()
            }

            fn write(&self) -> $crate::value::Value {
                $crate::value::Value::text(self.0.as_str())
            }
        }
    };
}

/// An operation: its identity, its place in the address, and what it takes and answers.
///
/// `path` values stand in the address, `query` ones behind it where they are given, `must` ones
/// always, and `body` is the JSON that is sent.
macro_rules! endpoint {
    (
        $(#[doc = $doc:literal])*
        $endpoint:ident = $id:literal, $chapter:ident, $method:ident $path:expr,
        $pool:ident, $repeat:ident => $answer:ty
        $({
            $($(#[doc = $member_doc:literal])* $mode:ident $member:ident: $type:ty $(= $name:literal)?,)*
        })?
        $(; check $check:path)?
        $(; split $split:path)?
    ) => {
        $(#[doc = $doc])*
        #[derive(Clone, Debug, PartialEq)]
        #[expect(clippy::exhaustive_structs, reason = "what the platform's reference lists")]
        pub struct $endpoint {
            $($($(#[doc = $member_doc])* pub $member: $crate::api::macros::endpoint!(@type $mode $type),)*)?
        }

        impl $crate::api::Endpoint for $endpoint {
            type Answer = $answer;

            const OPERATION: $crate::api::Operation = $crate::api::Operation {
                id: $id,
                summary: $crate::api::macros::endpoint!(@summary $($doc)*),
                chapter: $crate::api::Chapter::$chapter,
                method: $crate::api::Method::$method,
                path: $path,
                pool: $crate::api::Pool::$pool,
                repeat: $crate::api::Repeat::$repeat,
            };

            #[allow(unused_variables, reason = "operations without parameters read none")]
            fn read(
                input: &$crate::api::Input,
                reader: &mut $crate::api::shape::Reader,
            ) -> Option<Self> {
                $($(
                    let $member = $crate::api::macros::endpoint!(
                        @read $mode input reader $($name)?
                    );
                )*)?
                let this = Self {
                    $($($member: $crate::api::macros::endpoint!(@value $mode $member),)*)?
                };
                $($check(&this, reader);)?
                Some(this)
            }

            #[allow(unused_mut, reason = "operations without parameters write none")]
            fn input(&self) -> $crate::api::Input {
                let mut input = $crate::api::Input::default();
                $($(
                    $crate::api::macros::endpoint!(@write $mode input (self.$member) $($name)?);
                )*)?
                input
            }

            $(
                fn split(&self) -> Option<Vec<Self>> {
                    $split(self)
                }
            )?
        }
    };
    (@summary $first:literal $($rest:literal)*) => { $first.trim_ascii() };
    (@type query $type:ty) => { Option<$type> };
    (@type $mode:ident $type:ty) => { $type };
    (@read path $input:ident $reader:ident $name:literal) => { $input.path($name, $reader) };
    (@read query $input:ident $reader:ident $name:literal) => { $input.query($name, $reader) };
    (@read must $input:ident $reader:ident $name:literal) => { $input.must($name, $reader) };
    (@read body $input:ident $reader:ident) => { $input.body($reader) };
    (@value query $member:ident) => { $member };
    (@value $mode:ident $member:ident) => { $member? };
    (@write path $input:ident ($value:expr) $name:literal) => { $input.add_path($name, &$value); };
    (@write must $input:ident ($value:expr) $name:literal) => { $input.add_query($name, &$value); };
    (@write query $input:ident ($value:expr) $name:literal) => {
        if let Some(value) = &$value {
            $input.add_query($name, value);
        }
    };
    (@write body $input:ident ($value:expr)) => {
        $input.body = Some($crate::api::shape::Shape::write(&$value));
    };
}

pub(crate) use {choice, endpoint, shape, text};

use super::shape::{Reader, Shape as _};
use crate::value::Value;

/// The text of a choice.
pub(super) fn choice_text(value: &Value, reader: &mut Reader, fix: &'static str) -> Option<String> {
    if let Value::Text(_) = value {
        return String::read(value, reader);
    }
    reader.fail(crate::problem::Code::WrongType, fix);
    None
}

/// The one of `names` that `text` means: exactly, or but for its case and its separators.
pub(super) fn choice_name(text: &str, names: &'static [&'static str]) -> Option<&'static str> {
    let plain = |text: &str| -> String {
        text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
    };
    let exact = names.iter().find(|name| **name == text);
    exact.or_else(|| names.iter().find(|name| plain(name) == plain(text))).copied()
}
