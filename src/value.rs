//! One JSON-like value that page and edge both fill.
//!
//! The edge fills it from `serde_json`, the page from JavaScript values. `serde_json` is never
//! linked into the browser module: it alone weighs more than the whole tracker.

mod read;

/// A JSON value whose numbers keep the text they came with and whose objects keep their order.
///
/// The text matters: a price of `450.00` must not leave as `450`, and an id of twenty digits must
/// not leave rounded.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
#[expect(clippy::exhaustive_enums, reason = "these are all the values that JSON has")]
pub enum Value {
    /// `null`
    #[default]
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number, as its JSON text.
    Number(String),
    /// A string.
    Text(String),
    /// An array.
    List(Vec<Self>),
    /// An object, its members in the order they came in.
    Object(Members),
}

/// The members of an object, in order.
pub type Members = Vec<(String, Value)>;

impl Value {
    /// A text value.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// A whole number.
    #[must_use]
    pub fn whole(number: u64) -> Self {
        let mut text = String::new();
        write_whole(number, &mut text);
        Self::Number(text)
    }

    /// The member `name`, if this is an object that has it.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(members) => find(members, name),
            _ => None,
        }
    }

    /// The text, if this is a string.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The list, if this is one.
    #[must_use]
    pub fn as_list(&self) -> Option<&[Self]> {
        match self {
            Self::List(list) => Some(list),
            _ => None,
        }
    }

    /// A whole number that fits, from a number or from text that holds one.
    #[must_use]
    pub fn as_whole(&self) -> Option<u64> {
        match self {
            Self::Number(text) | Self::Text(text) => parse_whole(text),
            _ => None,
        }
    }

    /// How many levels of lists and objects are nested, 0 for a plain value.
    #[must_use]
    pub fn depth(&self) -> usize {
        match self {
            Self::List(list) => 1 + list.iter().map(Self::depth).max().unwrap_or(0),
            Self::Object(members) => {
                1 + members.iter().map(|(_, value)| value.depth()).max().unwrap_or(0)
            }
            _ => 0,
        }
    }

    /// The value as JSON text.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut out = String::new();
        self.write_json(&mut out);
        out
    }

    /// Appends the value as JSON text.
    pub fn write_json(&self, out: &mut String) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(true) => out.push_str("true"),
            Self::Bool(false) => out.push_str("false"),
            Self::Number(text) => out.push_str(text),
            Self::Text(text) => write_text(text, out),
            Self::List(list) => {
                out.push('[');
                for (index, value) in list.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    value.write_json(out);
                }
                out.push(']');
            }
            Self::Object(members) => {
                out.push('{');
                for (index, (name, value)) in members.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    write_text(name, out);
                    out.push(':');
                    value.write_json(out);
                }
                out.push('}');
            }
        }
    }
}

/// The member `name` of `members`. The last one counts where a name stands twice, as in
/// JavaScript.
#[must_use]
pub fn find<'a>(members: &'a [(String, Value)], name: &str) -> Option<&'a Value> {
    members.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value)
}

/// A whole number out of number text: `3`, `3.0` and `3.00` are 3; `3.5`, `-1` and `1e3` are not
/// taken.
#[must_use]
pub fn parse_whole(text: &str) -> Option<u64> {
    let mut rest = text.chars();
    let mut number = None;
    let mut fraction = false;
    while let Some(character) = rest.next() {
        match character {
            '0' if fraction => {}
            '0'..='9' if !fraction => {
                let digit = u64::from(u32::from(character) - u32::from('0'));
                number = Some(number.unwrap_or(0_u64).checked_mul(10)?.checked_add(digit)?);
            }
            '.' if !fraction => fraction = true,
            _ if !character.is_whitespace() => return None,
            _ if fraction || number.is_some() => return number.filter(|_| is_blank(rest.as_str())),
            _ => {}
        }
    }
    number
}

/// Whether there is nothing but white space.
pub(crate) fn is_blank(text: &str) -> bool {
    text.chars().all(char::is_whitespace)
}

/// Appends a whole number.
///
/// `core::fmt` would do it too, and weigh more in a page than all of this file.
pub fn write_whole(number: u64, out: &mut String) {
    if number >= 10 {
        write_whole(number / 10, out);
    }
    out.push(char::from(b'0' + u8::try_from(number % 10).unwrap_or(0)));
}

/// Appends `text` as a JSON string.
pub fn write_text(text: &str, out: &mut String) {
    out.push('"');
    // Most text is plain, and goes in long pieces.
    let mut plain = 0;
    for (at, byte) in text.bytes().enumerate() {
        if !matches!(byte, b'"' | b'\\' | 0..=0x1f) {
            continue;
        }
        out.push_str(text.get(plain..at).unwrap_or_default());
        plain = at + 1;
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            _ => {
                out.push_str(if byte < 0x10 { "\\u000" } else { "\\u001" });
                out.extend(char::from_digit(u32::from(byte) & 0xf, 16));
            }
        }
    }
    out.push_str(text.get(plain..).unwrap_or_default());
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped_so_that_json_readers_get_it_back() {
        let text = "quote \" backslash \\ line \n tab \t bell \u{7} é 漢 🙂";
        let json = Value::text(text).to_json();
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
    }

    #[test]
    fn whole_numbers_are_read_from_every_spelling_and_nothing_else() {
        for (text, number) in
            [("3", Some(3)), (" 3.00 ", Some(3)), ("3.5", None), ("-1", None), ("1e3", None)]
        {
            assert_eq!(parse_whole(text), number, "{text}");
        }
        for text in ["", ".", ".0", "99999999999999999999999"] {
            assert_eq!(parse_whole(text), None, "{text}");
        }
    }

    #[test]
    fn the_last_member_of_a_name_counts() {
        let members = vec![("a".into(), Value::whole(1)), ("a".into(), Value::whole(2))];
        assert_eq!(find(&members, "a"), Some(&Value::whole(2)));
    }
}
