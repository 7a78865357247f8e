//! Whom a request means.

use crate::api::rules;
use crate::store::{Contact, State};

/// Somebody as a request describes them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Person<'a> {
    pub(crate) external_id: Option<&'a str>,
    /// Kinds and values, in the order in which they are looked up.
    pub(crate) channels: Vec<(&'static str, &'a str)>,
}

impl<'a> Person<'a> {
    pub(crate) fn of(
        external_id: Option<&'a str>,
        email: Option<&'a str>,
        phone: Option<&'a str>,
    ) -> Self {
        let email = email.map(|email| ("email", email));
        let phone = phone.map(|phone| ("sms", phone));
        Self { external_id, channels: email.into_iter().chain(phone).collect() }
    }

    /// The contact that this is: by the id of the caller's own, else by a channel.
    pub(crate) fn find(&self, state: &State<'_>) -> rusqlite::Result<Option<Contact>> {
        if let Some(external_id) = self.external_id
            && let Some(contact) = state.contact_of(external_id)?
        {
            return Ok(Some(contact));
        }
        for (kind, value) in &self.channels {
            if let At::Contact(contact) = at(state, kind, value, self.external_id)? {
                return Ok(Some(contact));
            }
        }
        Ok(None)
    }
}

/// What is found at a channel or field.
#[derive(Debug)]
pub(super) enum At {
    Contact(Contact),
    /// Contacts, each with an id of the caller's own that is another than the one that is looked for.
    Others,
    Nobody,
}

/// The contact at a channel or field.
///
/// Of several the one that changed last. Whoever comes with an id of their own gets a contact that has
/// none, never one of another id.
pub(super) fn at(
    state: &State<'_>,
    kind: &str,
    value: &str,
    external_id: Option<&str>,
) -> rusqlite::Result<At> {
    let found = state.contacts_at(kind, &rules::normal(kind, value))?;
    if found.is_empty() {
        return Ok(At::Nobody);
    }
    let mut fitting =
        found.into_iter().filter(|contact| match (&contact.external_id, external_id) {
            (Some(own), Some(wanted)) => own == wanted,
            _ => true,
        });
    Ok(fitting.next().map_or(At::Others, At::Contact))
}
