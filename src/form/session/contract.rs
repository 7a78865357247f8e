//! What passes between a session and its host.

use crate::form::{
    check::{Field, Wrong},
    date::Date,
};

/// A field and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "hosts make it")]
pub struct Asked {
    /// What it asks for.
    pub field: Field,
    /// The step that it belongs to, 1 or 2.
    pub step: u32,
    /// Its page within the step, from 0 on.
    pub page: u32,
}

/// What a session has to know of its form.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "hosts make it")]
pub struct Setup {
    /// The form's id.
    pub id: String,
    /// Its fields, in the order in which they are shown.
    pub fields: Vec<Asked>,
    /// How many pages the first step and the second one have.
    pub pages: [u32; 2],
    /// Whether it subscribes, so that there must be an address or a number.
    pub subscribes: bool,
    /// Whether the person has to pass a challenge.
    pub challenge: bool,
    /// The day where the person is.
    pub today: Date,
}

/// Where a submission is made: what goes along with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "hosts make it")]
pub struct Place {
    /// The page's address.
    pub url: String,
    /// The address of the page before.
    pub referrer: String,
    /// The form's language.
    pub language: String,
    /// The browser's web id; empty without one.
    pub web_id: String,
    /// What stands in the field that people do not see.
    pub trap: String,
}

/// What the host is asked to do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "hosts do all of it")]
pub enum Output {
    /// Show what is wrong at a field.
    SetError(String, Wrong),
    /// Nothing is wrong at a field any more.
    ClearError(String),
    /// Offer what may have been meant at a field, or nothing any more.
    Suggest(String, Option<String>),
    /// Write a value into a field.
    Fill(String, String),
    /// Put the focus on a field.
    Focus(String),
    /// Show this page of this step, and no other.
    ShowPage(u32, u32),
    /// Show the word of this key for the form as a whole; an empty one for nothing.
    Status(&'static str),
    /// Ask the Worker for a token of this call; answer with `handle_token`.
    AskToken(String),
    /// Show the challenge, a new one if there was one before; answer with
    /// `handle_challenge`.
    AskChallenge,
    /// Post this body; answer with `handle_answer` or `handle_silence`.
    Submit(String),
    /// Call `handle_wake` after as many milliseconds.
    Wait(u64),
    /// Report an action under the vendor's name, with the reason of a failure.
    Report(&'static str, String),
    /// Who the person is: the address and the number that were accepted.
    Identify(Option<String>, Option<String>),
    /// Show that it is done, with the word of this key in place of the form's own text; an empty one
    /// for that.
    Thanks(&'static str),
}
