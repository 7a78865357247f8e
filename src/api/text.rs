//! Names and keys that the platform limits.

use super::{
    macros::text,
    shape::{Reader, Shape},
};
use crate::{form::name, problem::Code, value::Value};

/// What the platform takes in no key of an event and in no form's name.
const FORBIDDEN: [char; 16] =
    ['<', '>', ';', '\\', '/', '|', '"', '`', '\'', '\u{2019}', '^', '?', '!', ',', '\n', '\r'];

text! {
    /// The name of an event's type; the platform makes the type where it is new.
    EventTypeKey, 100, forbids FORBIDDEN
}

text! {
    /// What tells an event apart, or whose it is.
    EventKey, 300, forbids FORBIDDEN
}

text! {
    /// The name of an event's parameter.
    ParameterName, 100
}

text! {
    /// A form's name, which the platform puts behind the key of the event it makes.
    FormType, 100, forbids FORBIDDEN
}

text! {
    /// The value of a contact's additional field, in the form of the field's type: text, `2026-05-31`,
    /// `2026-05-31T10:00`, a whole number, or the ticked entries between commas.
    FieldValue, 5000
}

/// A currency, as ISO 4217 names it: `UAH`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Currency(String);

impl Currency {
    /// Takes three letters.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let letters = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_alphabetic());
        letters.then(|| Self(text.to_ascii_uppercase()))
    }

    /// The three letters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Shape for Currency {
    fn read(value: &Value, reader: &mut Reader) -> Option<Self> {
        let text = String::read(value, reader)?;
        if reader.is_answer() {
            return Some(Self(text));
        }
        let read = Self::parse(&text);
        match &read {
            None => reader.fail(Code::UnknownValue, "give the three letters of ISO 4217: UAH"),
            Some(read) if read.0 != text => reader.warn(Code::Alias, "written in capitals"),
            Some(_) => {}
        }
        read
    }

    fn write(&self) -> Value {
        Value::text(self.0.as_str())
    }
}

/// JSON that stands as text inside a JSON string.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "text and nothing else")]
pub struct JsonText(pub String);

impl Shape for JsonText {
    fn read(value: &Value, reader: &mut Reader) -> Option<Self> {
        match value {
            Value::Text(text) => Some(Self(text.clone())),
            // Lists and objects, before somebody has made text of them.
            other => {
                reader.warn(Code::OtherNesting, "read, and written as text that holds JSON");
                Value::read(other, reader).map(|value| Self(value.to_json()))
            }
        }
    }

    fn write(&self) -> Value {
        Value::text(self.0.as_str())
    }
}

const NOT_A_NAME: &str = "the platform does not store names like this; the rest is stored";

macro_rules! name {
    ($(#[$meta:meta])* $name:ident, $is_first:literal) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name(String);

        impl $name {
            /// Takes a name that the platform takes, of at most 40 characters. Whether it stores it
            /// is another matter: see [`Self::is_stored`].
            ///
            /// # Errors
            ///
            /// [`Code::TooLong`].
            pub fn parse(text: impl Into<String>) -> Result<Self, Code> {
                let text = text.into();
                if text.chars().count() > name::MAX_CHARACTERS {
                    return Err(Code::TooLong);
                }
                Ok(Self(text))
            }

            /// The name.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// Whether the platform stores it: letters of any script, at most three digits, apostrophes
            /// and hyphens inside words only, a dot only behind a short word.
            #[must_use]
            pub fn is_stored(&self) -> bool {
                name::is_stored(&self.0, $is_first)
            }
        }

        impl Shape for $name {
            fn read(value: &Value, reader: &mut Reader) -> Option<Self> {
                let text = String::read(value, reader)?;
                if reader.is_answer() {
                    return Some(Self(text));
                }
                match Self::parse(text) {
                    Ok(name) => {
                        if !name.is_stored() {
                            reader.warn(Code::NotStored, NOT_A_NAME);
                        }
                        Some(name)
                    }
                    Err(code) => {
                        reader.fail(code, "give at most 40 characters");
                        None
                    }
                }
            }

            fn write(&self) -> Value {
                Value::text(self.0.as_str())
            }
        }
    };
}

name! {
    /// A contact's first name: at most three words of more than three letters, and three shorter ones.
    FirstName, true
}

name! {
    /// A contact's last name.
    LastName, false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_the_platform_stores() {
        for name in [
            "",
            "Олена",
            "Anna-Maria",
            "O'Brien",
            "Jean Paul",
            "J. R. Tolkien",
            "Test 123",
            "李小龍",
            "Зоряна Іванівна",
            "D’Artagnan",
        ] {
            assert!(FirstName::parse(name).unwrap().is_stored(), "{name}");
        }
    }

    #[test]
    fn names_that_it_leaves_out() {
        for name in [
            "1234a",
            "...",
            "-Anna",
            "Anna-",
            "Mister. X",
            "a@b.example",
            "www/x",
            "7",
            "Four Long Words Here",
        ] {
            assert!(!FirstName::parse(name).unwrap().is_stored(), "{name}");
        }
        assert!(LastName::parse("Four Long Words Here").unwrap().is_stored());
        assert_eq!(FirstName::parse("x".repeat(41)), Err(Code::TooLong));
    }

    #[test]
    fn keys_hold_to_their_length_and_characters() {
        assert!(EventTypeKey::parse("order.INITIALIZED-2 (б)").is_ok());
        assert_eq!(EventTypeKey::parse("é".repeat(101)), Err(Code::TooLong));
        for character in FORBIDDEN {
            let key = EventKey::parse(format!("a{character}b"));
            assert_eq!(key, Err(Code::ForbiddenCharacter), "{character:?}");
        }
    }
}
