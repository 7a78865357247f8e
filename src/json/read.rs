//! A reader of JSON that makes values in one pass.
//!
//! `serde_json` makes values of its own first, of which each number is an object and each object a table
//! by hashes: most of what an event cost the Worker went there. What is read, and how numbers are written,
//! is the same; a property test compares the two.

use std::collections::HashMap;

use crate::value::{Members, Value};

/// How deep lists and objects may be nested.
const MOST_DEEP: u32 = 127;

/// Up to so many members, comparing names with each other is faster than a table of them.
const FEW: usize = 16;

/// What names of members begin with under which `serde_json` passes numbers and raw text: whoever reads
/// with it what was read here must not take such members for these.
const PRIVATE: &str = "$serde_json::private::";

/// Why text cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    Syntax,
    TooDeep,
}

/// The value that `text` holds, and nothing else beside it.
pub(super) fn read(text: &str) -> Result<Value, Flaw> {
    let mut reader = Reader { text, bytes: text.as_bytes(), at: 0 };
    let value = reader.value(0)?;
    reader.skip_blank();
    if reader.at == reader.bytes.len() { Ok(value) } else { Err(Flaw::Syntax) }
}

struct Reader<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip_blank(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    /// Goes past `sign` if it is next.
    fn takes(&mut self, sign: u8) -> bool {
        let is_next = self.peek() == Some(sign);
        self.at += usize::from(is_next);
        is_next
    }

    fn expect(&mut self, sign: u8) -> Result<(), Flaw> {
        if self.takes(sign) { Ok(()) } else { Err(Flaw::Syntax) }
    }

    fn value(&mut self, depth: u32) -> Result<Value, Flaw> {
        self.skip_blank();
        match self.peek() {
            Some(b'"') => Ok(Value::Text(self.string()?)),
            Some(b'{') => self.object(depth),
            Some(b'[') => self.list(depth),
            Some(b'-' | b'0'..=b'9') => Ok(Value::Number(self.number()?)),
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            Some(b'n') => self.word("null", Value::Null),
            _ => Err(Flaw::Syntax),
        }
    }

    fn word(&mut self, word: &str, value: Value) -> Result<Value, Flaw> {
        let end = self.at + word.len();
        if self.bytes.get(self.at..end) != Some(word.as_bytes()) {
            return Err(Flaw::Syntax);
        }
        self.at = end;
        Ok(value)
    }

    fn list(&mut self, depth: u32) -> Result<Value, Flaw> {
        if depth >= MOST_DEEP {
            return Err(Flaw::TooDeep);
        }
        self.at += 1;
        let mut list = Vec::new();
        self.skip_blank();
        if self.takes(b']') {
            return Ok(Value::List(list));
        }
        loop {
            list.push(self.value(depth + 1)?);
            self.skip_blank();
            if self.takes(b']') {
                return Ok(Value::List(list));
            }
            self.expect(b',')?;
        }
    }

    fn object(&mut self, depth: u32) -> Result<Value, Flaw> {
        if depth >= MOST_DEEP {
            return Err(Flaw::TooDeep);
        }
        self.at += 1;
        let mut members = Members::new();
        self.skip_blank();
        if self.takes(b'}') {
            return Ok(Value::Object(members));
        }
        loop {
            self.skip_blank();
            if self.peek() != Some(b'"') {
                return Err(Flaw::Syntax);
            }
            let name = self.string()?;
            if name.starts_with(PRIVATE) {
                return Err(Flaw::Syntax);
            }
            self.skip_blank();
            self.expect(b':')?;
            let value = self.value(depth + 1)?;
            // The last value of a name counts, in the place of the first.
            let known = if members.len() <= FEW {
                members.iter_mut().find(|(known, _)| *known == name)
            } else {
                None
            };
            match known {
                Some((_, known)) => *known = value,
                None => members.push((name, value)),
            }
            self.skip_blank();
            if self.takes(b'}') {
                return Ok(Value::Object(if members.len() > FEW {
                    unite(members)
                } else {
                    members
                }));
            }
            self.expect(b',')?;
        }
    }

    fn string(&mut self) -> Result<String, Flaw> {
        self.at += 1;
        let start = self.at;
        self.skip_plain();
        if self.peek() == Some(b'"') {
            let text = self.text.get(start..self.at).ok_or(Flaw::Syntax)?.to_owned();
            self.at += 1;
            return Ok(text);
        }
        let mut out = self.text.get(start..self.at).ok_or(Flaw::Syntax)?.to_owned();
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(out);
                }
                Some(b'\\') => out.push(self.escape()?),
                _ => return Err(Flaw::Syntax),
            }
            let start = self.at;
            self.skip_plain();
            out.push_str(self.text.get(start..self.at).ok_or(Flaw::Syntax)?);
        }
    }

    /// Goes to the next quote, backslash or control character.
    fn skip_plain(&mut self) {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let length = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f));
        self.at += length.unwrap_or(rest.len());
    }

    fn escape(&mut self) -> Result<char, Flaw> {
        let sign = self.bytes.get(self.at + 1).copied().ok_or(Flaw::Syntax)?;
        self.at += 2;
        Ok(match sign {
            b'"' | b'\\' | b'/' => char::from(sign),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let first = self.unit()?;
                let code = match first {
                    0xd800..=0xdbff => {
                        if !(self.takes(b'\\') && self.takes(b'u')) {
                            return Err(Flaw::Syntax);
                        }
                        let second = self.unit()?;
                        if !(0xdc00..=0xdfff).contains(&second) {
                            return Err(Flaw::Syntax);
                        }
                        0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00)
                    }
                    code => code,
                };
                // Half a pair is no character.
                char::from_u32(code).ok_or(Flaw::Syntax)?
            }
            _ => return Err(Flaw::Syntax),
        })
    }

    fn unit(&mut self) -> Result<u32, Flaw> {
        let digits = self.bytes.get(self.at..self.at + 4).ok_or(Flaw::Syntax)?;
        let mut unit = 0;
        for digit in digits {
            unit = unit << 4 | char::from(*digit).to_digit(16).ok_or(Flaw::Syntax)?;
        }
        self.at += 4;
        Ok(unit)
    }

    /// A number as it stands there; an exponent gets its sign, in small letters.
    fn number(&mut self) -> Result<String, Flaw> {
        let start = self.at;
        self.takes(b'-');
        if !self.takes(b'0') {
            self.digits()?;
        }
        if self.takes(b'.') {
            self.digits()?;
        }
        let mantissa = self.text.get(start..self.at).ok_or(Flaw::Syntax)?;
        if !matches!(self.peek(), Some(b'e' | b'E')) {
            return Ok(mantissa.to_owned());
        }
        self.at += 1;
        let sign = if self.takes(b'-') { "-" } else { "+" };
        if sign == "+" {
            self.takes(b'+');
        }
        let start = self.at;
        self.digits()?;
        let exponent = self.text.get(start..self.at).ok_or(Flaw::Syntax)?;
        Ok([mantissa, "e", sign, exponent].concat())
    }

    fn digits(&mut self) -> Result<(), Flaw> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at > start { Ok(()) } else { Err(Flaw::Syntax) }
    }
}

/// Leaves one member of each name: the last value, in the place of the first.
fn unite(members: Members) -> Members {
    let mut places: HashMap<String, usize> = HashMap::with_capacity(members.len());
    let mut united = Members::with_capacity(members.len());
    for (name, value) in members {
        let known = places.get(&name).and_then(|place| united.get_mut(*place));
        if let Some((_, known)) = known {
            *known = value;
            continue;
        }
        places.insert(name.clone(), united.len());
        united.push((name, value));
    }
    united
}
