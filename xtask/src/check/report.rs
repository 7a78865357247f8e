//! What was found, one line each, for people or for machines.

use serde_json::{Value, json};

use crate::{platform::Platform, progress};

/// Longest text of a finding, in characters: the platform's words can be a page.
const MAX_TEXT: usize = 600;

/// What a check came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Ok,
    /// Something is to be put right.
    Wrong,
    /// It cannot be known, or not this way.
    Unknown,
}

/// What was found about one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Outcome {
    pub(super) check: String,
    pub(super) verdict: Verdict,
    pub(super) text: String,
    /// What to do about it.
    pub(super) fix: Option<String>,
}

impl Verdict {
    fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Wrong => "wrong",
            Self::Unknown => "unknown",
        }
    }
}

impl Outcome {
    pub(super) fn ok(check: impl Into<String>, text: impl Into<String>) -> Self {
        Self { check: check.into(), verdict: Verdict::Ok, text: text.into(), fix: None }
    }

    pub(super) fn wrong(
        check: impl Into<String>,
        text: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        let fix = Some(fix.into());
        Self { verdict: Verdict::Wrong, fix, ..Self::ok(check, text) }
    }

    pub(super) fn unknown(
        check: impl Into<String>,
        text: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self { verdict: Verdict::Unknown, ..Self::wrong(check, text, fix) }
    }

    /// The same in words that can be printed.
    fn printable(&self, scrub: impl Fn(&str) -> String) -> Self {
        let clean = |text: &String| plain(&scrub(text));
        Self {
            check: clean(&self.check),
            verdict: self.verdict,
            text: clean(&self.text),
            fix: self.fix.as_ref().map(clean),
        }
    }

    fn line(&self) -> String {
        let (verdict, check, text) = (self.verdict.as_str(), &self.check, &self.text);
        let fix = self.fix.as_ref().map(|fix| format!(". To do: {fix}")).unwrap_or_default();
        format!("{verdict:<8} {check}: {text}{fix}")
    }

    fn json(&self) -> Value {
        let verdict = self.verdict.as_str();
        let mut line = json!({"check": self.check, "verdict": verdict, "text": self.text});
        if let Some(fix) = &self.fix {
            line["fix"] = fix.as_str().into();
        }
        line
    }
}

/// Prints outcomes as they come and counts what is wrong.
#[derive(Debug)]
pub(super) struct Report {
    json: bool,
    wrong: usize,
}

impl Report {
    pub(super) fn new(json: bool) -> Self {
        Self { json, wrong: 0 }
    }

    /// How much is wrong.
    pub(super) fn wrong(&self) -> usize {
        self.wrong
    }

    /// Prints an outcome of the account's check; the key is in none.
    pub(super) fn add(&mut self, platform: &Platform, outcome: &Outcome) {
        self.wrong += usize::from(outcome.verdict == Verdict::Wrong);
        let outcome = outcome.printable(|text| platform.scrub(text));
        let line = if self.json { outcome.json().to_string() } else { outcome.line() };
        progress::result(line);
    }
}

/// Text for one line of a terminal: what others wrote may hold line ends and escapes.
fn plain(text: &str) -> String {
    let clean = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    let mut short: String = clean.take(MAX_TEXT).collect();
    if text.chars().count() > MAX_TEXT {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outcome_is_one_line_whatever_the_platform_said() {
        let outcome = Outcome::wrong("feed", "a\nb\u{1b}[31m", "c");
        let outcome = outcome.printable(str::to_owned);
        assert_eq!(outcome.line(), "wrong    feed: a b [31m. To do: c");
        assert_eq!(
            outcome.json().to_string(),
            r#"{"check":"feed","verdict":"wrong","text":"a b [31m","fix":"c"}"#
        );
        assert_eq!(plain(&"x".repeat(5000)).chars().count(), MAX_TEXT + 1);
    }
}
