//! JSON text as the core's values, for the host that cannot carry `serde_json`.

use super::{Members, Value};

/// Deepest nesting that is read. Each level takes room on the stack, and no call goes as deep.
const MAX_DEPTH: u32 = 64;

impl Value {
    /// The value that JSON text holds; `None` if it is not JSON or nested more than 64 deep.
    ///
    /// Half a surrogate pair, which JavaScript strings can hold and Unicode text cannot, becomes
    /// the replacement character.
    #[must_use]
    pub fn from_json(text: &str) -> Option<Self> {
        let mut reader = Reader { text, at: 0 };
        let value = reader.value(MAX_DEPTH)?;
        reader.token().is_none().then_some(value)
    }
}

struct Reader<'a> {
    text: &'a str,
    /// The byte that is read next.
    at: usize,
}

impl Reader<'_> {
    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// The next byte that is no white space, not yet taken.
    fn token(&mut self) -> Option<u8> {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.byte() {
            self.at += 1;
        }
        self.byte()
    }

    /// Takes `expected` if it is the next token.
    fn take(&mut self, expected: u8) -> bool {
        let found = self.token() == Some(expected);
        self.at += usize::from(found);
        found
    }

    fn value(&mut self, depth: u32) -> Option<Value> {
        let depth = depth.checked_sub(1)?;
        match self.token()? {
            b'"' => self.string().map(Value::Text),
            b'[' => {
                self.at += 1;
                let mut list = Vec::new();
                while !self.take(b']') {
                    if !list.is_empty() && !self.take(b',') {
                        return None;
                    }
                    list.push(self.value(depth)?);
                }
                Some(Value::List(list))
            }
            b'{' => {
                self.at += 1;
                let mut members = Members::new();
                while !self.take(b'}') {
                    if !members.is_empty() && !self.take(b',') {
                        return None;
                    }
                    self.token();
                    let name = self.string()?;
                    if !self.take(b':') {
                        return None;
                    }
                    members.push((name, self.value(depth)?));
                }
                Some(Value::Object(members))
            }
            _ => self.word(),
        }
    }

    /// A number or one of the three names.
    fn word(&mut self) -> Option<Value> {
        let start = self.at;
        while let Some(b'a'..=b'z' | b'0'..=b'9' | b'E' | b'+' | b'-' | b'.') = self.byte() {
            self.at += 1;
        }
        match self.text.get(start..self.at)? {
            "null" => Some(Value::Null),
            "true" => Some(Value::Bool(true)),
            "false" => Some(Value::Bool(false)),
            number => is_number(number).then(|| Value::Number(number.to_owned())),
        }
    }

    fn string(&mut self) -> Option<String> {
        if self.byte() != Some(b'"') {
            return None;
        }
        self.at += 1;
        let mut out = String::new();
        loop {
            let start = self.at;
            while !matches!(self.byte()?, b'"' | b'\\' | 0..=0x1f) {
                self.at += 1;
            }
            out.push_str(self.text.get(start..self.at)?);
            let end = self.byte()?;
            self.at += 1;
            match end {
                b'"' => return Some(out),
                b'\\' => out.push(self.escape()?),
                _ => return None,
            }
        }
    }

    fn escape(&mut self) -> Option<char> {
        let byte = self.byte()?;
        self.at += 1;
        Some(match byte {
            b'"' | b'\\' | b'/' => char::from(byte),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let unit = self.unit()?;
                let rest = self.text.get(self.at..)?;
                if unit & 0xfc00 == 0xd800 && rest.starts_with("\\u") {
                    let after = self.at;
                    self.at += 2;
                    let low = self.unit()?;
                    if low & 0xfc00 == 0xdc00 {
                        return char::from_u32(0x10000 + ((unit & 0x3ff) << 10) + (low & 0x3ff));
                    }
                    self.at = after;
                }
                char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER)
            }
            _ => return None,
        })
    }

    /// The four hexadecimal digits of an escape.
    fn unit(&mut self) -> Option<u32> {
        let mut unit = 0;
        for _ in 0..4 {
            unit = unit * 16 + char::from(self.byte()?).to_digit(16)?;
            self.at += 1;
        }
        Some(unit)
    }
}

/// Whether `text` is a number as JSON spells them.
fn is_number(text: &str) -> bool {
    let mut rest = text.strip_prefix('-').unwrap_or(text).as_bytes();
    let digits = |rest: &mut &[u8]| {
        let before = rest.len();
        while let [b'0'..=b'9', tail @ ..] = *rest {
            *rest = tail;
        }
        before - rest.len()
    };
    let zero = rest.first() == Some(&b'0');
    let whole = digits(&mut rest);
    if whole == 0 || (zero && whole > 1) {
        return false;
    }
    if let [b'.', tail @ ..] = rest {
        rest = tail;
        if digits(&mut rest) == 0 {
            return false;
        }
    }
    if let [b'e' | b'E', tail @ ..] = rest {
        rest = tail;
        if let [b'+' | b'-', tail @ ..] = rest {
            rest = tail;
        }
        if digits(&mut rest) == 0 {
            return false;
        }
    }
    rest.is_empty()
}
