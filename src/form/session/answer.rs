//! What the Worker says of a submission, and what follows.

use super::{Output, Session, State, Token};
use crate::{
    form::check::{Kind, Wrong},
    value::Value,
};

/// How often a submission that came too early is repeated by itself.
const MOST_REPEATS: u32 = 3;

/// The pause before that where the Worker does not say, in milliseconds.
const PAUSE: u64 = 1_000;

/// The longest pause that a person is made to wait for without a word, in milliseconds.
const LONGEST_PAUSE: u64 = 15_000;

/// The Worker's answer. What it lacks is empty.
#[derive(Debug, Default)]
struct Answer {
    accepted: bool,
    /// Whether the platform has not got it yet.
    stored: bool,
    /// What the platform says of the contact, where the shop lets people know.
    status: String,
    /// The token of the second step.
    next: Option<String>,
    code: String,
    /// What is wrong: `data.email`.
    field: String,
}

impl Answer {
    fn read(status: u16, body: &str) -> Self {
        let body = Value::from_json(body).unwrap_or_default();
        let text = |value: Option<&Value>, name: &str| {
            let text = value.and_then(|value| value.member(name)).and_then(Value::as_text);
            text.unwrap_or_default().to_owned()
        };
        let error = body.member("error");
        let next = text(body.member("next"), "token");
        Self {
            // An answer of somebody between, which the Worker has not given, is none.
            accepted: (200..300).contains(&status)
                && matches!(body.member("accepted"), Some(Value::Bool(true))),
            stored: text(Some(&body), "state") == "stored",
            status: text(Some(&body), "status"),
            next: Some(next).filter(|token| !token.is_empty()),
            code: text(error, "code"),
            field: text(error, "field"),
        }
    }
}

impl Session {
    /// The Worker has answered the submission. `retry_after` is in milliseconds.
    pub fn handle_answer(&mut self, status: u16, body: &str, retry_after: Option<u64>) {
        if self.state != State::Sending {
            return;
        }
        let answer = Answer::read(status, body);
        if answer.accepted {
            return self.accepted(answer);
        }
        let code = answer.code;
        if code == "try_again" && retry_after.is_none_or(|pause| pause <= LONGEST_PAUSE) {
            if self.repeats == MOST_REPEATS {
                return self.fail("failed", &code);
            }
            self.repeats += 1;
            self.state = State::Waiting;
            return self.say(Output::Wait(retry_after.unwrap_or(PAUSE).max(1)));
        }
        if code.starts_with("token_") {
            if self.step > 1 {
                // The contact is there, and its token cannot be had again: either what was sent
                // before has arrived after all, or the person was away for long.
                self.report("FormErrorSubscribe", &code);
                return self.finish();
            }
            self.token = Token::Missing;
            if self.renewed {
                return self.fail("failed", &code);
            }
            self.renewed = true;
            self.state = State::Preparing;
            return self.proceed();
        }
        // Whatever became of it, a challenge is good for one submission.
        self.passed = Token::Missing;
        if code.starts_with("turnstile") || code.starts_with("challenge") {
            self.fail("human", &code);
            return self.ask_challenge();
        }
        if let Some(name) = answer.field.strip_prefix("data.")
            && self.refused(name, &code)
        {
            return;
        }
        if status == 429 || code == "try_again" {
            return self.fail("too_many", &code);
        }
        self.drop_token();
        self.fail("failed", &code);
    }

    /// The Worker finds a field wrong that seemed right. Whether there is such a field here.
    fn refused(&mut self, name: &str, code: &str) -> bool {
        let step = self.step;
        let Some(entry) = self.entry(name) else { return false };
        let page = entry.asked.page;
        let Some(wrong) = Wrong::ALL.into_iter().find(|wrong| wrong.code() == code) else {
            return false;
        };
        if entry.asked.step != step {
            return false;
        }
        if page != self.page {
            self.page = page;
            self.say(Output::ShowPage(step, page));
        }
        self.show(name, Some(wrong));
        self.fail("look_again", code);
        self.say(Output::Focus(name.to_owned()));
        true
    }

    fn accepted(&mut self, answer: Answer) {
        let status = answer.status.to_ascii_lowercase();
        if status.starts_with("blacklist") {
            // Taken and yet in vain: the person can give another address.
            self.passed = Token::Missing;
            self.drop_token();
            return self.fail("blacklisted_text", "blacklisted");
        }
        let first = self.step == 1;
        if first && !self.whose.is_empty() {
            let known = |kind| {
                let found = self.whose.iter().find(|(own, ..)| *own == kind);
                found.map(|(_, _, value)| value.clone())
            };
            let output = Output::Identify(known(Kind::Email), known(Kind::Phone));
            self.say(output);
        }
        let is_known = status.starts_with("already");
        if first && self.setup.subscribes {
            let action = if is_known { "FormAlreadySubscribe" } else { "FormSuccessSubscribe" };
            self.report(action, "");
        }
        let text = match status.as_str() {
            _ if answer.stored => "stored_text",
            "subscribed" => "subscribed_text",
            _ if is_known => "already_text",
            _ => "",
        };
        if !text.is_empty() {
            self.thanks = text;
        }
        match answer.next {
            Some(token) if first && self.setup.pages[1] > 0 => {
                self.token = Token::Here(token);
                self.passed = Token::Missing;
                self.state = State::Filling;
                (self.step, self.page) = (2, 0);
                self.status(text);
                self.say(Output::ShowPage(2, 0));
            }
            _ => self.finish(),
        }
    }
}
