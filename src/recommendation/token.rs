//! Tokens of contacts. Each call spends one, and its answer brings the next; one that is not taken is
//! made anew, once.

/// The calls that it takes to ask once, in their order.
#[derive(Debug, Default)]
pub struct Exchange {
    token: Option<String>,
    /// Whether a token was made for this.
    made: bool,
}

/// What is to be done next.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// Make a token.
    Make,
    /// Ask with this token.
    Ask(String),
}

impl Exchange {
    /// Begins with the token that the last answer brought, if there is one.
    #[must_use]
    pub fn new(kept: Option<String>) -> Self {
        Self { token: kept, made: false }
    }

    /// What is to be done next. A token that is taken from here is spent, whatever comes of it.
    pub fn poll_step(&mut self) -> Step {
        self.token.take().map_or(Step::Make, Step::Ask)
    }

    /// Takes a token that was made. An empty one means that the platform does not know the contact:
    /// then nothing more is asked, and the answer is `false`.
    pub fn handle_made(&mut self, token: &str) -> bool {
        self.made = true;
        self.token = Some(token.trim().to_owned()).filter(|token| !token.is_empty());
        self.token.is_some()
    }

    /// Takes the status of an answer and the token that came along; whether to ask once more, with a
    /// new token.
    pub fn handle_answer(&mut self, status: u16, next: Option<&str>) -> bool {
        self.token = next.map(str::trim).filter(|next| !next.is_empty()).map(str::to_owned);
        let again = status == 401 && !self.made;
        if status == 401 {
            self.token = None;
        }
        again
    }

    /// The token for the next time.
    #[must_use]
    pub fn into_kept(self) -> Option<String> {
        self.token
    }
}
