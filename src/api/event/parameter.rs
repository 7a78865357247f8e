//! Parameters of events.

use crate::{
    api::{
        macros::shape,
        shape::{Reader, Shape},
        text::ParameterName,
    },
    problem::Code,
    value::Value,
};

shape! {
    /// A parameter whose value may be any JSON.
    Parameter {
        /// Its name, once in an event.
        opt name: ParameterName = "name",
        /// Its value. What is nested deeper than two levels the platform keeps as text.
        opt value: Value = "value",
    }
}

shape! {
    /// A parameter whose value is text.
    TextParameter {
        /// Its name, once in an event.
        opt name: ParameterName = "name",
        /// Its value.
        opt value: EventText = "value",
    }
}

/// A value as version 1 takes it: text, which may hold JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "text and nothing else")]
pub struct EventText(pub String);

impl Shape for EventText {
    fn read(value: &Value, reader: &mut Reader) -> Option<Self> {
        match value {
            Value::Text(_) | Value::Number(_) => String::read(value, reader).map(Self),
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

macro_rules! parameters {
    ($(#[$meta:meta])* $list:ident, $entry:ident, $value:ty) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Default, PartialEq)]
        #[expect(clippy::exhaustive_structs, reason = "a list and nothing else")]
        pub struct $list(pub Vec<$entry>);

        impl Shape for $list {
            fn read(value: &Value, reader: &mut Reader) -> Option<Self> {
                let list = match value {
                    // A client writes an object of names and values.
                    Value::Object(members)
                        if value.member("name").is_none() || value.member("value").is_none() =>
                    {
                        reader.warn(Code::OtherNesting, "read, and written as a list of names and values");
                        let read = |(name, value): &(String, Value)| {
                            reader.within(name, |reader| {
                                Some($entry {
                                    name: Some(ParameterName::read(&Value::text(name.as_str()), reader)?),
                                    value: Some(<$value>::read(value, reader)?),
                                    other: Vec::new(),
                                })
                            })
                        };
                        members.iter().filter_map(read).collect()
                    }
                    other => Vec::<$entry>::read(other, reader)?,
                };
                let name = |entry: &$entry| entry.name.as_ref().map(|name| name.as_str().to_owned());
                let mut names: Vec<String> = list.iter().filter_map(name).collect();
                names.sort_unstable();
                if names.windows(2).any(|pair| pair.first() == pair.last()) {
                    reader.warn(Code::Conflict, "a name stands twice; the platform keeps one of them");
                }
                Some(Self(list))
            }

            fn write(&self) -> Value {
                self.0.write()
            }
        }
    };
}

parameters! {
    /// Parameters whose values may be any JSON: a list of names and values, or an object.
    Parameters, Parameter, Value
}

parameters! {
    /// Parameters whose values are text: a list of names and values, or an object.
    TextParameters, TextParameter, EventText
}
