//! One entry for both sides: what was given for a field, and what of it goes on.

use super::{date::Date, email};

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

/// What was given for a field, as it goes on: trimmed, in E.164, as `yyyy-mm-dd`; without what is
/// empty. A ticked box is `true`; one that is not is nothing.
///
/// `today` is the day where the person is; the Worker takes tomorrow's, since days begin in the east.
///
/// # Errors
///
/// What is wrong with it.
pub fn check(field: &Field, given: &[String], today: Date) -> Result<Vec<String>, Wrong> {
    let _ = today;
    let given: Vec<String> =
        given.iter().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()).collect();
    match given.is_empty() && field.required {
        true if field.kind == Kind::Consent => Err(Wrong::Consent),
        true => Err(Wrong::Missing),
        false => Ok(given),
    }
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
