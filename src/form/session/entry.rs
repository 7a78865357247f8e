//! A field of a session.

use super::Asked;
use crate::form::{
    check::{self, Kind, Wrong},
    date::Date,
};

/// A field and what is in it.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) asked: Asked,
    pub(super) given: Vec<String>,
    /// What is shown to be wrong with it.
    pub(super) shown: Option<Wrong>,
    /// Whether the person has changed it.
    pub(super) touched: bool,
    /// Whether something is offered instead.
    pub(super) hinted: bool,
}

impl Entry {
    pub(super) fn new(asked: Asked) -> Self {
        Self { asked, given: Vec::new(), shown: None, touched: false, hinted: false }
    }

    pub(super) fn name(&self) -> String {
        self.asked.field.name.clone()
    }

    pub(super) fn check(&self, today: Date) -> Result<Vec<String>, Wrong> {
        check::check(&self.asked.field, &self.given, today)
    }

    /// What may have been meant, if it is not offered already.
    pub(super) fn hint(&mut self) -> Option<String> {
        let text = self.given.first().map_or("", String::as_str);
        let meant = check::suggest(&self.asked.field, text).filter(|_| !self.hinted)?;
        self.hinted = true;
        Some(meant)
    }

    /// A number as E.164 writes it, where it was written in another way; it is so from now on.
    pub(super) fn rewrite(&mut self, checked: &Result<Vec<String>, Wrong>) -> Option<String> {
        let number = checked.as_ref().ok()?.first()?;
        if self.asked.field.kind != Kind::Phone || self.given.first() == Some(number) {
            return None;
        }
        self.given = vec![number.clone()];
        Some(number.clone())
    }

    /// Whether somebody can be reached over it.
    pub(super) fn reaches(&self) -> bool {
        matches!(self.asked.field.kind, Kind::Email | Kind::Phone)
    }
}
