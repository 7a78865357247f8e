//! What a visitor allows.

use crate::value::Value;

/// What data may be used for, each allowed or denied by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "four independent purposes, as the page asks")]
#[non_exhaustive]
pub struct Consent {
    /// Recording behaviour.
    pub tracking: bool,
    /// Subscription forms.
    pub forms: bool,
    /// Product recommendations.
    pub recommendations: bool,
    /// Push messages.
    pub push: bool,
}

impl Consent {
    /// Reads the consent that a record carries: the list of allowed purposes.
    ///
    /// Anything else allows nothing.
    #[must_use]
    pub fn from_value(value: &Value) -> Self {
        let allows = |purpose: &str| {
            value.as_list().is_some_and(|list| list.iter().any(|v| v.as_text() == Some(purpose)))
        };
        Self {
            tracking: allows("tracking"),
            forms: allows("forms"),
            recommendations: allows("recommendations"),
            push: allows("push"),
        }
    }
}
