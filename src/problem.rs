//! What is wrong with input, or odd about it, in a form that page, Worker and shop can act on.

use std::fmt;

/// A stable name for each thing that can be wrong with input. Branch on this, never on a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Code {
    // Errors: the event is refused.
    /// The command is not one that the kit knows.
    UnknownCommand,
    /// The platform has an operation of this name, this version of the kit does not serve it.
    NotServed,
    /// The platform has no web event of this name.
    UnknownEvent,
    /// Something that the platform requires is not there.
    MissingField,
    /// A value of another type than the platform takes.
    WrongType,
    /// Text, a name, or the whole event is longer than allowed.
    TooLong,
    /// Lists and objects are nested deeper than allowed.
    TooDeep,
    /// A number outside what makes sense for its field.
    OutOfRange,
    /// A control character where none can be meant, or one that the platform does not take here.
    ForbiddenCharacter,
    /// None of the values that the field may have.
    UnknownValue,
    /// More entries than the platform takes at a time.
    TooMany,
    /// Fields that exclude each other, or that only make sense together.
    Conflict,
    /// Text that is no date, or no period that the platform takes.
    InvalidDate,
    /// The visitor has not allowed this.
    ConsentMissing,
    /// The shop has not opened this to pages.
    NotOpen,
    /// The call needs a proof from the shop's back end.
    ProofMissing,
    /// The call needs a token of the kit's.
    TokenMissing,
    /// The token is not one of the kit's, or not of this page.
    TokenInvalid,
    /// The token is good no longer.
    TokenExpired,
    /// The token was used before.
    TokenUsed,
    /// The form is sent too soon after it was begun; the same again in a moment is taken.
    TryAgain,
    /// The form needs Cloudflare's test of persons.
    TurnstileMissing,
    /// Cloudflare's test of persons was not passed, or not here.
    TurnstileFailed,
    /// The platform refused what was handed in.
    NotTaken,
    /// The proof was not signed by the shop's back end, or was changed since.
    ProofInvalid,
    /// The event may come from the shop's server only.
    ServerOnly,
    /// No site of this deployment has this id.
    UnknownSite,
    /// The text is not JSON, or not of the shape that is asked for.
    InvalidBody,
    /// The record is older than what is still taken.
    Expired,

    // Warnings: the event goes on.
    /// A name that the platform's documents use elsewhere; the preferred one is written.
    Alias,
    /// A number where the documents ask for text.
    NumberForText,
    /// Text where the documents ask for a number.
    TextForNumber,
    /// `true` or `false` where the documents ask for 1 or 0.
    BoolForFlag,
    /// Text or a number where the documents ask for `true` or `false`.
    OtherForBool,
    /// One value where the documents ask for a list.
    ValueForList,
    /// An empty value, left out.
    EmptyValue,
    /// GeneralInfo inside the event's key; beside it is preferred.
    NestedGeneralInfo,
    /// GeneralInfo in a later argument; beside the event's key is preferred.
    LaterGeneralInfo,
    /// The other one of the two documented nestings.
    OtherNesting,
    /// A member that the documents do not know; it goes along.
    UnknownMember,
    /// A member that cannot come from here, left out.
    IgnoredMember,
    /// The cart came without a GUID; one was made.
    GuidMade,
    /// The GUID was used before for another content of the cart.
    GuidReused,
    /// The time was outside the last seven days and was moved to their border.
    TimeClamped,
    /// A date without an offset from UTC, which the platform's documents read in two ways.
    NoOffset,
    /// The platform leaves a value of this kind out of what it stores.
    NotStored,
    /// No ids at all, which means all contacts of the segment.
    EmptiesSegment,
    /// Not the JSON alone, or not the JSON that was announced; what could be read was.
    Unclean,

    // Reasons of a duplicate: the fact is known already.
    /// A record of this message id is stored.
    KnownMessage,
    /// The cart has not changed since it was last sent.
    CartUnchanged,
    /// A purchase of this order number was sent.
    OrderKnown,
}

impl Code {
    /// The stable name, as answers and the debug view show it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UnknownCommand => "unknown_command",
            Self::NotServed => "not_served",
            Self::UnknownEvent => "unknown_event",
            Self::MissingField => "missing_field",
            Self::WrongType => "wrong_type",
            Self::TooLong => "too_long",
            Self::TooDeep => "too_deep",
            Self::OutOfRange => "out_of_range",
            Self::ForbiddenCharacter => "forbidden_character",
            Self::UnknownValue => "unknown_value",
            Self::TooMany => "too_many",
            Self::Conflict => "conflict",
            Self::InvalidDate => "invalid_date",
            Self::ConsentMissing => "consent_missing",
            Self::NotOpen => "not_open",
            Self::ProofMissing => "proof_missing",
            Self::TokenMissing => "token_missing",
            Self::TokenInvalid => "token_invalid",
            Self::TokenExpired => "token_expired",
            Self::TokenUsed => "token_used",
            Self::TryAgain => "try_again",
            Self::TurnstileMissing => "turnstile_missing",
            Self::TurnstileFailed => "turnstile_failed",
            Self::NotTaken => "not_taken",
            Self::ProofInvalid => "proof_invalid",
            Self::ServerOnly => "server_only",
            Self::UnknownSite => "unknown_site",
            Self::InvalidBody => "invalid_body",
            Self::Expired => "expired",
            Self::Alias => "alias",
            Self::NumberForText => "number_for_text",
            Self::TextForNumber => "text_for_number",
            Self::BoolForFlag => "bool_for_flag",
            Self::OtherForBool => "other_for_bool",
            Self::ValueForList => "value_for_list",
            Self::EmptyValue => "empty_value",
            Self::NestedGeneralInfo => "nested_general_info",
            Self::LaterGeneralInfo => "later_general_info",
            Self::OtherNesting => "other_nesting",
            Self::UnknownMember => "unknown_member",
            Self::IgnoredMember => "ignored_member",
            Self::GuidMade => "guid_made",
            Self::GuidReused => "guid_reused",
            Self::TimeClamped => "time_clamped",
            Self::NoOffset => "no_offset",
            Self::NotStored => "not_stored",
            Self::EmptiesSegment => "empties_segment",
            Self::Unclean => "unclean",
            Self::KnownMessage => "known_message",
            Self::CartUnchanged => "cart_unchanged",
            Self::OrderKnown => "order_known",
        }
    }
}

/// One thing that is wrong or odd: which, where, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// What it is.
    pub code: Code,
    /// Where it is, as a path a developer can follow: `StatusCart.Products[1].price`.
    pub field: String,
    /// What to do about it, or what was done.
    pub fix: &'static str,
}

impl Problem {
    /// A problem of `code` at `field`.
    pub fn new(code: Code, field: impl Into<String>, fix: &'static str) -> Self {
        Self { code, field: field.into(), fix }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code.as_str())?;
        if !self.field.is_empty() {
            f.write_str(" at ")?;
            f.write_str(&self.field)?;
        }
        f.write_str(": ")?;
        f.write_str(self.fix)
    }
}
