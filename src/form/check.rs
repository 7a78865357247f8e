//! One entry for both sides: what was given for a field, and what of it goes on.

use super::{
    date::Date,
    email::{self, Email, EmailError},
    name::{self, NameError},
    phone::{self, PhoneError},
    typed,
};
use crate::value::write_whole;

/// Most characters of a field whose definition does not say; the platform's lines of text hold as
/// many.
pub const MAX_CHARACTERS: u32 = 1000;

/// What a field asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// An e-mail address.
    Email,
    /// A phone number.
    Phone,
    /// A first name.
    FirstName,
    /// A last name.
    LastName,
    /// Text.
    Text,
    /// A whole number.
    Number,
    /// A date.
    Date,
    /// The date of a birth.
    Birthday,
    /// One of several options, in a list that opens.
    Select,
    /// One of several options, all in view.
    Radio,
    /// A box to tick.
    Checkbox,
    /// Subscription categories, any number of them.
    Subscriptions,
    /// A box to tick that says what the person agrees to.
    Consent,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 13] = [
        Self::Email,
        Self::Phone,
        Self::FirstName,
        Self::LastName,
        Self::Text,
        Self::Number,
        Self::Date,
        Self::Birthday,
        Self::Select,
        Self::Radio,
        Self::Checkbox,
        Self::Subscriptions,
        Self::Consent,
    ];

    /// The name, as definitions write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Phone => "phone",
            Self::FirstName => "first_name",
            Self::LastName => "last_name",
            Self::Text => "text",
            Self::Number => "number",
            Self::Date => "date",
            Self::Birthday => "birthday",
            Self::Select => "select",
            Self::Radio => "radio",
            Self::Checkbox => "checkbox",
            Self::Subscriptions => "subscriptions",
            Self::Consent => "consent",
        }
    }

    /// What is wrong with input that is nothing of this kind.
    fn wrong(self) -> Wrong {
        match self {
            Self::Email => Wrong::Email,
            Self::Phone => Wrong::Phone,
            Self::FirstName | Self::LastName => Wrong::Name,
            Self::Text => Wrong::Text,
            Self::Number => Wrong::Number,
            Self::Date => Wrong::Date,
            Self::Birthday => Wrong::Birthday,
            Self::Select | Self::Radio | Self::Subscriptions | Self::Checkbox => Wrong::Option,
            Self::Consent => Wrong::Consent,
        }
    }

    /// The kind of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// What is known of a field when its input is checked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "definitions and views fill it, member by member")]
pub struct Field {
    /// The name of its input.
    pub name: String,
    /// What it asks for.
    pub kind: Kind,
    /// Whether it must be given.
    pub required: bool,
    /// Most characters of a text; 0 for [`MAX_CHARACTERS`].
    pub max: u32,
    /// The least number.
    pub at_least: Option<i32>,
    /// The greatest number.
    pub at_most: Option<i32>,
    /// The values that may be chosen: of selects, radios and subscriptions.
    pub options: Vec<String>,
    /// The region that a phone number is of where it does not say: `UA`.
    pub region: Option<String>,
    /// The regions whose phone numbers are taken; all if there are none.
    pub regions: Vec<String>,
}

impl Field {
    /// A field that takes all that its kind allows.
    #[must_use]
    pub fn new(name: impl Into<String>, kind: Kind) -> Self {
        Self {
            name: name.into(),
            kind,
            required: false,
            max: 0,
            at_least: None,
            at_most: None,
            options: Vec::new(),
            region: None,
            regions: Vec::new(),
        }
    }
}

/// What is wrong with what was given. Each has a message in the texts of a form, under its
/// [`code`](Self::code).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Wrong {
    /// Nothing was given, and something must be.
    Missing,
    /// The box of the consent is not ticked, and must be.
    Consent,
    /// Neither an e-mail address nor a phone number was given: nobody could be reached.
    Unreachable,
    /// No e-mail address.
    Email,
    /// Letters in an e-mail address that are not of the Latin alphabet, where they cannot be meant.
    EmailLetters,
    /// No phone number.
    Phone,
    /// A phone number that lacks the code of its country, or has one that is nobody's.
    PhoneCountry,
    /// A phone number with too few digits.
    PhoneShort,
    /// A phone number with too many digits.
    PhoneLong,
    /// A phone number of a country whose numbers the form does not take.
    PhoneRegion,
    /// No name of a person, as the platform sees it.
    Name,
    /// More characters than the field takes.
    TooLong,
    /// Text with characters that nobody types.
    Text,
    /// No whole number.
    Number,
    /// A number outside of what the field takes.
    Range,
    /// No date.
    Date,
    /// No date that somebody alive can be born on.
    Birthday,
    /// None of the options.
    Option,
}

impl Wrong {
    /// Everything that can be wrong.
    pub const ALL: [Self; 18] = [
        Self::Missing,
        Self::Consent,
        Self::Unreachable,
        Self::Email,
        Self::EmailLetters,
        Self::Phone,
        Self::PhoneCountry,
        Self::PhoneShort,
        Self::PhoneLong,
        Self::PhoneRegion,
        Self::Name,
        Self::TooLong,
        Self::Text,
        Self::Number,
        Self::Range,
        Self::Date,
        Self::Birthday,
        Self::Option,
    ];

    /// The key of its message.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Consent => "consent",
            Self::Unreachable => "unreachable",
            Self::Email => "email",
            Self::EmailLetters => "email_letters",
            Self::Phone => "phone",
            Self::PhoneCountry => "phone_country",
            Self::PhoneShort => "phone_short",
            Self::PhoneLong => "phone_long",
            Self::PhoneRegion => "phone_region",
            Self::Name => "name",
            Self::TooLong => "too_long",
            Self::Text => "text",
            Self::Number => "number",
            Self::Range => "range",
            Self::Date => "date",
            Self::Birthday => "birthday",
            Self::Option => "option",
        }
    }
}

impl From<EmailError> for Wrong {
    fn from(error: EmailError) -> Self {
        match error {
            EmailError::Malformed => Self::Email,
            EmailError::Letters => Self::EmailLetters,
        }
    }
}

impl From<PhoneError> for Wrong {
    fn from(error: PhoneError) -> Self {
        match error {
            PhoneError::Malformed => Self::Phone,
            PhoneError::Country => Self::PhoneCountry,
            PhoneError::Short => Self::PhoneShort,
            PhoneError::Long => Self::PhoneLong,
            PhoneError::Region => Self::PhoneRegion,
        }
    }
}

impl From<NameError> for Wrong {
    fn from(error: NameError) -> Self {
        match error {
            NameError::TooLong => Self::TooLong,
            NameError::Malformed => Self::Name,
        }
    }
}

/// What was given for a field, as it goes on: trimmed, in E.164, as `yyyy-mm-dd`; without what is
/// empty. A ticked box is `true`; one that is not is nothing.
///
/// `today` is the day where the person is. The Worker does not know where that is and takes the day
/// where it is latest, which is at most the next one.
///
/// # Errors
///
/// What is wrong with it.
pub fn check(field: &Field, given: &[String], today: Date) -> Result<Vec<String>, Wrong> {
    let mut given = given.iter().map(|text| typed::trim(text)).filter(|text| !text.is_empty());
    let Some(first) = given.next() else {
        return match (field.required, field.kind) {
            (false, _) => Ok(Vec::new()),
            (true, Kind::Consent) => Err(Wrong::Consent),
            (true, _) => Err(Wrong::Missing),
        };
    };
    if field.kind == Kind::Subscriptions {
        return check_options(field, first, given);
    }
    // One input has one value; more of them are nobody's who fills in the form.
    if given.next().is_some() {
        return Err(field.kind.wrong());
    }
    let checked = match field.kind {
        Kind::Email => Email::parse(first).map(Into::into)?,
        Kind::Phone => phone::parse(first, field.region.as_deref(), &field.regions)?.into(),
        Kind::FirstName => name::parse(first, true)?,
        Kind::LastName => name::parse(first, false)?,
        Kind::Text => check_text(first, field.max)?,
        Kind::Number => check_number(field, first)?,
        Kind::Date => Date::parse(first).ok_or(Wrong::Date)?.to_text(),
        Kind::Birthday => {
            let date = Date::parse(first).ok_or(Wrong::Date)?;
            if !date.is_birthday(today) {
                return Err(Wrong::Birthday);
            }
            date.to_text()
        }
        Kind::Select | Kind::Radio | Kind::Subscriptions => option(field, first)?.to_owned(),
        Kind::Checkbox | Kind::Consent => return check_box(field, first),
    };
    Ok(vec![checked])
}

/// The option that was chosen. Those of a definition may have blanks around them.
fn option<'a>(field: &'a Field, given: &str) -> Result<&'a str, Wrong> {
    let found = field.options.iter().find(|option| typed::trim(option) == given);
    found.map(String::as_str).ok_or(Wrong::Option)
}

fn check_options<'a>(
    field: &Field,
    first: &'a str,
    others: impl Iterator<Item = &'a str>,
) -> Result<Vec<String>, Wrong> {
    let mut chosen: Vec<String> = Vec::new();
    for given in core::iter::once(first).chain(others) {
        let option = option(field, given)?;
        if !chosen.iter().any(|other| other == option) {
            chosen.push(option.to_owned());
        }
    }
    Ok(chosen)
}

/// What browsers and scripts send for a box: `on` unless its markup says otherwise.
fn check_box(field: &Field, given: &str) -> Result<Vec<String>, Wrong> {
    match given {
        "on" | "true" | "1" | "yes" => Ok(vec!["true".into()]),
        "off" | "false" | "0" | "no" if field.required => Err(match field.kind {
            Kind::Consent => Wrong::Consent,
            _ => Wrong::Missing,
        }),
        "off" | "false" | "0" | "no" => Ok(Vec::new()),
        _ => Err(field.kind.wrong()),
    }
}

/// Text with one sort of line ends and without other control characters.
fn check_text(given: &str, max: u32) -> Result<String, Wrong> {
    let mut text = String::new();
    let mut left = if max == 0 { MAX_CHARACTERS } else { max };
    let mut behind_return = false;
    for character in given.chars() {
        let is_rest_of_end = behind_return && character == '\n';
        behind_return = character == '\r';
        if is_rest_of_end {
            continue;
        }
        if character.is_control() && !matches!(character, '\r' | '\n' | '\t') {
            return Err(Wrong::Text);
        }
        left = left.checked_sub(1).ok_or(Wrong::TooLong)?;
        text.push(if behind_return { '\n' } else { character });
    }
    Ok(text)
}

/// A whole number, in the digits of any keyboard.
fn check_number(field: &Field, given: &str) -> Result<String, Wrong> {
    let is_minus = |c: char| matches!(c, '-' | '\u{2212}');
    let (is_negative, digits) = match given.strip_prefix(is_minus) {
        Some(digits) => (true, digits),
        None => (false, given.strip_prefix('+').unwrap_or(given)),
    };
    if digits.is_empty() {
        return Err(Wrong::Number);
    }
    let mut number: i64 = 0;
    for character in digits.chars() {
        let digit = typed::digit(character).ok_or(Wrong::Number)?;
        // Saturated numbers are out of every range.
        number = number.saturating_mul(10).saturating_add(digit.into());
    }
    let number = if is_negative { -number } else { number };
    let least = field.at_least.unwrap_or(i32::MIN);
    let most = field.at_most.unwrap_or(i32::MAX);
    if !(i64::from(least)..=i64::from(most)).contains(&number) {
        return Err(Wrong::Range);
    }
    let mut text = String::new();
    if number < 0 {
        text.push('-');
    }
    write_whole(number.unsigned_abs(), &mut text);
    Ok(text)
}

/// Whether somebody can be reached over what was given: over one of these kinds of fields, all of
/// them given and right.
///
/// # Errors
///
/// [`Wrong::Unreachable`] without an e-mail address and a phone number.
pub fn check_reach(given: &[Kind]) -> Result<(), Wrong> {
    let reaches = |kind: &Kind| matches!(kind, Kind::Email | Kind::Phone);
    if given.iter().any(reaches) { Ok(()) } else { Err(Wrong::Unreachable) }
}

/// What the person may have meant, for "did you mean": the address with its domain put right.
///
/// Nothing that is refused or changed by itself; a hint to be clicked.
#[must_use]
pub fn suggest(field: &Field, given: &str) -> Option<String> {
    if field.kind == Kind::Email { email::suggest(given) } else { None }
}
