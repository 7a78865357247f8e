//! Promo codes of the platform for those who subscribe: one for each contact, mailed by a workflow of the
//! account.
//!
//! The platform can list codes and be told that one is used, and it gives none out by itself: two who ask
//! at once are shown the same. So one host gives them out, and writes down who gets which before it tells
//! anybody. What is stored and sent, that host does: here are the rules.
//!
//! A claim goes through these stages, each stored before the next begins:
//!
//! | stage | what is known | what is done next |
//! |---|---|---|
//! | waiting | who is to get a code | the codes are listed, and one that nobody has is taken |
//! | taken | which code it is | the platform is told that it is used |
//! | marked | the platform knows | an event with the code is handed to those on their way |
//! | sent | the event is stored there | what became of it is asked for |
//! | done | the platform has the event | nothing; contact and code are remembered |
//!
//! # Guarantees
//!
//! - A code belongs to one claim for ever, and a contact has one claim of a type of codes, also when all
//!   of it is done twice, or stops between any two steps.
//! - The platform hears of a code only when it is stored whose it is.
//! - A claim ends with its event at the platform, or dead with the reason; a dead one can be tried again.

pub mod listing;

use serde::{Deserialize, Serialize};

pub use self::listing::{Code, List};
use crate::{
    api::{
        Error, Kind as ErrorKind, Request,
        promo_code::{AddPromoCodes, PromoCodes},
        shape::{Reader, Shape as _},
        time::DateTime,
    },
    bulk,
    definition::{PromoCode, submission::Submission},
    problem::Problem,
    retry,
    value::{Members, Value},
};

/// How long the same is tried, in milliseconds: seven days, as with events.
const LONGEST: u64 = 7 * 24 * 60 * 60 * 1000;

/// For how long it is known whom a dead claim was for, in milliseconds, as with dead events.
pub const KEPT_DEAD: u64 = 30 * 24 * 60 * 60 * 1000;

/// Longest reason, in characters.
const MAX_TEXT: usize = 500;

/// That somebody is to get a code, as the submission of a form says it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Wish {
    /// The type of codes.
    pub kind: String,
    /// The type of the event that hands it to the platform.
    pub event: String,
    /// The contact, under a name for each address: hashes that only the deployment's key can make.
    pub names: Vec<String>,
    /// Their e-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Their phone number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
}

impl Wish {
    /// What a submission asks for.
    #[must_use]
    pub fn new(promo: &PromoCode, submission: &Submission, names: Vec<String>) -> Self {
        Self {
            kind: promo.kind.clone(),
            event: promo.event.clone(),
            names,
            email: submission.email.clone(),
            phone: submission.phone.clone(),
        }
    }

    /// Whether whom the platform subscribed, and said this of the e-mail address, gets a code. No mail
    /// may go to a blacklisted address.
    #[must_use]
    pub fn is_earned(&self, email_status: Option<&str>) -> bool {
        email_status != Some("BLACKLISTED") || self.phone.is_some()
    }
}

/// How far a claim is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Stage {
    /// It has no code yet.
    #[default]
    Waiting,
    /// It has a code.
    Taken,
    /// The platform knows that the code is used.
    Marked,
    /// The event is on its way.
    Sent,
    /// The platform has the event.
    Done,
}

impl Stage {
    /// The name, as it is stored.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Taken => "taken",
            Self::Marked => "marked",
            Self::Sent => "sent",
            Self::Done => "done",
        }
    }
}

/// What holds a claim up, by a stable name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Why {
    /// The platform has no code of this type that nobody has.
    NoCodeLeft,
    /// The platform's list cannot be read.
    ListingUnreadable,
    /// The platform does not list its codes.
    ListingFailed,
    /// The platform does not take it that the code is used.
    MarkFailed,
    /// The event does not get to the platform.
    EventFailed,
}

impl Why {
    /// The stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoCodeLeft => "no_code_left",
            Self::ListingUnreadable => "listing_unreadable",
            Self::ListingFailed => "listing_failed",
            Self::MarkFailed => "mark_failed",
            Self::EventFailed => "event_failed",
        }
    }
}

/// What holds a claim up, and the platform's word on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Trouble {
    /// What it is.
    pub why: Why,
    /// In words.
    pub text: String,
}

impl Trouble {
    /// A trouble with its reason.
    #[must_use]
    pub fn new(why: Why, text: &str) -> Self {
        Self { why, text: text.chars().take(MAX_TEXT).collect() }
    }

    /// Why codes could not be listed.
    #[must_use]
    pub fn listing(error: &Error) -> Self {
        match error.kind {
            // Its text may hold codes.
            ErrorKind::Unreadable => {
                Self::new(Why::ListingUnreadable, "the platform's list of codes is no JSON")
            }
            _ => Self::new(Why::ListingFailed, &error.to_string()),
        }
    }
}

/// One contact's code of one type, from the wish to its end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Claim {
    /// The type of codes.
    pub kind: String,
    /// How far it is.
    pub stage: Stage,
    /// Who is to get it, until they have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wish: Option<Wish>,
    /// The code, once there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
    /// The message id of the event, by which a repeat is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// How often what is done now was tried.
    pub attempts: u32,
    /// Since when it is tried, Unix milliseconds.
    pub since: u64,
    /// Not before this time, Unix milliseconds.
    pub next_at: u64,
    /// What holds it up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<Trouble>,
    /// Since when nothing is tried any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dead: Option<u64>,
}

/// What becomes of a contact's claims when they subscribe: which of those that are known, none if they
/// are new, is stored anew and how. Nothing if all stays as it is.
///
/// A person may come with one address, then with another, then with both, and has two claims then; one
/// code is enough.
#[must_use]
pub fn wished(known: &[Claim], wish: &Wish, now: u64) -> Option<(Option<usize>, Claim)> {
    if known.is_empty() {
        let claim = Claim { kind: wish.kind.clone(), wish: Some(wish.clone()), ..Claim::default() };
        return Some((None, claim.begin(Stage::Waiting, now)));
    }
    let is_dead = |claim: &Claim| claim.dead.is_some();
    if !known.iter().all(is_dead) {
        return None;
    }
    // One that has a code comes first: that one is theirs.
    let place = known.iter().position(|claim| claim.code.is_some()).unwrap_or(0);
    let mut claim = known.get(place)?.clone();
    // An event that may have been handed on stays as it is: its id stands for it.
    if claim.message.is_none() {
        claim.wish = Some(wish.clone());
    }
    Some((Some(place), claim.retry(now)))
}

impl Claim {
    fn begin(self, stage: Stage, now: u64) -> Self {
        Self { stage, attempts: 0, since: now, next_at: now, trouble: None, dead: None, ..self }
    }

    /// The same claim with all of its time before it again, after it was dead.
    #[must_use]
    pub fn retry(self, now: u64) -> Self {
        let stage = self.stage;
        self.begin(stage, now)
    }

    /// The same claim without whom it was for, after it has been dead for long; nothing if nothing of it
    /// is to be remembered.
    #[must_use]
    pub fn forget(mut self) -> Option<Self> {
        self.wish = None;
        // Nobody knows that id any more.
        self.message = None;
        if self.stage == Stage::Sent {
            self.stage = Stage::Marked;
        }
        if let Some(trouble) = &mut self.trouble {
            trouble.text.clear();
        }
        self.code.is_some().then_some(self)
    }

    /// The same claim when its person is to be forgotten, whatever it has come to; nothing if nothing of it
    /// is to be remembered.
    #[must_use]
    pub fn erased(self, now: u64) -> Option<Self> {
        let dead = self.dead.or(Some(now));
        Self { dead, ..self }.forget()
    }

    fn bury(self, trouble: Trouble, now: u64) -> Self {
        Self { trouble: Some(trouble), dead: Some(now), ..self }
    }

    fn later(self, trouble: Option<Trouble>, wait: Option<u64>, now: u64, random: u32) -> Self {
        let next_at = now + retry::pause(self.attempts, wait, random);
        Self { trouble, next_at, attempts: self.attempts.saturating_add(1), ..self }
    }

    /// Whether it has been tried for so long that it is given up.
    fn is_over(&self, now: u64) -> bool {
        now.saturating_sub(self.since) > LONGEST
    }

    fn failed(self, trouble: Trouble, wait: Option<u64>, now: u64, random: u32) -> Self {
        if self.is_over(now) {
            return self.bury(trouble, now);
        }
        self.later(Some(trouble), wait, now, random)
    }

    /// The call that tells the platform that the code is used.
    ///
    /// Which of body and address counts, nobody knows, and in the address a code is unused where nothing
    /// is said: so both say the same.
    #[must_use]
    pub fn mark(&self) -> Option<Request> {
        let code = self.code.as_ref()?;
        // As the platform itself wrote it, be it a date or not.
        let until = Value::text(code.until.as_deref()?);
        let until = DateTime::read(&until, &mut Reader::answer())?;
        let discount = code.discount?;
        Some(Request::for_call(&AddPromoCodes {
            expiration_date: Some(until.clone()),
            discount: Some(discount.to_string()),
            kind: Some(self.kind.clone()),
            in_use: Some(true),
            codes: PromoCodes {
                promo_codes: vec![code.text.clone()],
                expiration_date: until,
                discount,
                kind: Some(self.kind.clone()),
                in_use: Some(true),
                other: Members::new(),
            },
        }))
    }

    /// The claim after that call: what became of it says `answer`.
    #[must_use]
    pub fn marked(self, answer: Result<(), &Error>, now: u64, random: u32) -> Self {
        let error = match answer {
            Ok(()) => return self.begin(Stage::Marked, now),
            Err(error) => error,
        };
        let trouble = Trouble::new(Why::MarkFailed, &error.to_string());
        match error.kind {
            // Answered with a success, whatever it says.
            ErrorKind::AlreadyDone | ErrorKind::Unreadable => self.begin(Stage::Marked, now),
            ErrorKind::Refused => self.bury(trouble, now),
            _ => self.failed(trouble, error.repeat_after, now, random),
        }
    }

    /// The claim with the id of its event, which is stored before the event is handed on: `id` unless it
    /// has one.
    #[must_use]
    pub fn named(mut self, id: String) -> Self {
        self.message.get_or_insert(id);
        self
    }

    /// The event that hands the code to the platform.
    ///
    /// # Errors
    ///
    /// What the platform would not take of it.
    pub fn event(&self) -> Result<bulk::Given, Vec<Problem>> {
        let none = Wish::default();
        let wish = self.wish.as_ref().unwrap_or(&none);
        let code = self.code.clone().unwrap_or_default();
        let discount = code.discount.map(|discount| discount.to_string());
        let whose = [("email", &wish.email), ("phone", &wish.phone)];
        let whose = whose.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?)));
        let key = whose.clone().map(|(_, value)| value).next();
        let own = [
            ("promoCode", Some(code.text.as_str())),
            ("discount", discount.as_deref()),
            ("expirationDate", code.until.as_deref()),
        ];
        let own = own.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let param = |(name, value): (&str, &str)| {
            let members = [("name", name), ("value", value)];
            Value::Object(members.map(|(name, text)| (name.to_owned(), Value::text(text))).into())
        };
        let mut event: Members =
            vec![("eventTypeKey".to_owned(), Value::text(wish.event.as_str()))];
        event.extend(key.map(|key| ("keyValue".to_owned(), Value::text(key))));
        let params = whose.chain(own).map(param).collect();
        event.push(("params".to_owned(), Value::List(params)));
        bulk::read(bulk::Kind::Events, Value::Object(event))
    }

    /// The claim after its event was handed on, or could not be.
    #[must_use]
    pub fn handed(self, was_stored: bool, now: u64, random: u32) -> Self {
        if was_stored {
            let sent = self.begin(Stage::Sent, now);
            return sent.later(None, None, now, random);
        }
        let trouble = Trouble::new(Why::EventFailed, "the event could not be stored");
        self.failed(trouble, None, now, random)
    }

    /// The claim after it was asked what became of its event.
    #[must_use]
    pub fn told(mut self, told: &Told, now: u64, random: u32) -> Self {
        match told {
            Told::Done => {
                self.wish = None;
                self.message = None;
                self.begin(Stage::Done, now)
            }
            Told::Failed(why) => {
                // It has not arrived, and its id stands for that; the next attempt is another event.
                self.message = None;
                let trouble = Trouble::new(Why::EventFailed, why);
                Self { stage: Stage::Marked, ..self }.bury(trouble, now)
            }
            // Never stored, whatever was said: the same again.
            Told::Unknown => self.begin(Stage::Marked, now),
            Told::Waiting if self.is_over(now) => {
                let text = "the event waits for the platform";
                self.bury(Trouble::new(Why::EventFailed, text), now)
            }
            Told::Waiting => self.later(None, None, now, random),
        }
    }

    /// The claim of which the platform would not take the event.
    #[must_use]
    pub fn refused(self, problems: &[Problem], now: u64) -> Self {
        let text = problems.first().map(ToString::to_string).unwrap_or_default();
        self.bury(Trouble::new(Why::EventFailed, &text), now)
    }

    /// What people who look after the shop see of it.
    #[must_use]
    pub fn view(&self, id: u64) -> Value {
        let mut members: Members = vec![
            ("id".to_owned(), Value::whole(id)),
            ("at".to_owned(), Value::whole(self.dead.unwrap_or_default())),
            ("type".to_owned(), Value::text(self.kind.as_str())),
        ];
        if let Some(trouble) = &self.trouble {
            members.push(("code".to_owned(), Value::text(trouble.why.as_str())));
            members.push(("reason".to_owned(), Value::text(trouble.text.as_str())));
        }
        let wish = self.wish.as_ref();
        let more = [
            ("promo_code", self.code.as_ref().map(|code| &code.text)),
            ("event", wish.map(|wish| &wish.event)),
            ("email", wish.and_then(|wish| wish.email.as_ref())),
            ("phone", wish.and_then(|wish| wish.phone.as_ref())),
        ];
        let more = more.into_iter().filter_map(|(name, text)| Some((name, text?)));
        members.extend(more.map(|(name, text)| (name.to_owned(), Value::text(text.as_str()))));
        Value::Object(members)
    }
}

/// What became of an event that was handed on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "what is told of those on their way")]
pub enum Told {
    /// The platform has it.
    Done,
    /// The platform did not take it, with the reason.
    Failed(String),
    /// Nobody knows yet.
    Waiting,
    /// It was never stored.
    Unknown,
}

impl Told {
    /// Reads what those on their way are told by: a list of one result.
    #[must_use]
    pub fn read(results: &Value) -> Self {
        let first = results.member("results").and_then(Value::as_list).and_then(<[Value]>::first);
        let text = |name: &str| first.and_then(|first| first.member(name)).and_then(Value::as_text);
        match text("state") {
            Some("done") => Self::Done,
            Some("failed") => Self::Failed(text("message").unwrap_or_default().to_owned()),
            Some("unknown") => Self::Unknown,
            _ => Self::Waiting,
        }
    }
}
