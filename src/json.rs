//! JSON text as the core's values, for hosts at the edge.

mod read;

use self::read::{Flaw, read};
use crate::{
    problem::{Code, Problem},
    value::Value,
};

/// The value that `text` holds.
///
/// Half a surrogate pair, which JavaScript strings can hold and Unicode text cannot, becomes the
/// replacement character: one cut emoji in a title must not cost the event.
///
/// # Errors
///
/// [`Code::InvalidBody`] if it is not JSON, [`Code::TooDeep`] if it is nested beyond reading.
pub fn parse(text: &str) -> Result<Value, Problem> {
    let value = read(text).or_else(|flaw| match mend_surrogates(text) {
        Some(mended) => read(&mended),
        None => Err(flaw),
    });
    value.map_err(|flaw| match flaw {
        Flaw::TooDeep => Problem::new(Code::TooDeep, "", "nest lists and objects at most 16 deep"),
        Flaw::Syntax => Problem::new(Code::InvalidBody, "", "send JSON in UTF-8"),
    })
}

/// `text` with every escape of half a surrogate pair replaced; `None` if there is none.
fn mend_surrogates(text: &str) -> Option<String> {
    let unit = |at: usize| {
        let escape = text.get(at..at + 6)?.strip_prefix("\\u")?;
        u16::from_str_radix(escape, 16).ok()
    };
    let mut out = String::with_capacity(text.len());
    let mut mended = false;
    let (mut at, mut kept) = (0, 0);
    while let Some(found) = text.get(at..).and_then(|rest| rest.find('\\')) {
        at += found;
        match unit(at) {
            Some(0xd800..=0xdbff) if matches!(unit(at + 6), Some(0xdc00..=0xdfff)) => at += 12,
            Some(0xd800..=0xdfff) => {
                out.push_str(text.get(kept..at)?);
                out.push_str("\\ufffd");
                at += 6;
                kept = at;
                mended = true;
            }
            // Whatever is escaped, an escaped backslash included, is one character more.
            _ => at += 2,
        }
    }
    out.push_str(text.get(kept..)?);
    mended.then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_text() {
        let value = parse(r"[450.00, 12345678901234567890123, 1e400, -0]").unwrap();
        assert_eq!(value.to_json(), "[450.00,12345678901234567890123,1e+400,-0]");
    }

    #[test]
    fn half_a_surrogate_pair_does_not_cost_the_text_around_it() {
        let value = parse(r#"["a\ud83d", "\ude42b", "\ud83d\ude42", "\\ud83d", "é"]"#).unwrap();
        let texts: Vec<_> = value.as_list().unwrap().iter().filter_map(Value::as_text).collect();
        assert_eq!(texts, ["a\u{fffd}", "\u{fffd}b", "🙂", "\\ud83d", "é"]);
    }

    #[test]
    fn what_is_not_json_says_so() {
        for text in ["", "{", "nul", "[1,]", "{\"a\":1} x", "\u{feff}{}", "NaN"] {
            assert_eq!(parse(text).unwrap_err().code, Code::InvalidBody, "{text}");
        }
        assert_eq!(parse(&"[".repeat(100_000)).unwrap_err().code, Code::TooDeep);
    }
}
