//! What is wrong with settings.

/// A setting that cannot be used: where it stands, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Error {
    /// The setting, for instance `sites.main.hosts`.
    pub setting: String,
    /// What to do about it.
    pub fix: String,
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.setting, self.fix)
    }
}

impl std::error::Error for Error {}
