//! E-mail addresses.

/// An e-mail address, as it was typed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Email(String);

/// Why text is no e-mail address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EmailError {
    /// It cannot be an address.
    Malformed,
    /// Letters that are not Latin, where they cannot be meant.
    Letters,
}

impl Email {
    /// Takes an address, without the blanks around it.
    ///
    /// # Errors
    ///
    /// Why it is none.
    pub fn parse(typed: &str) -> Result<Self, EmailError> {
        Ok(Self(typed.trim().to_owned()))
    }

    /// The address, as it was typed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The address that may have been meant.
#[must_use]
pub fn suggest(typed: &str) -> Option<String> {
    let _ = typed;
    None
}
