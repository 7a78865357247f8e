//! What each operation of the REST API does, once its request has been judged by the schemas.
//!
//! # Map
//!
//! `call` is what an operation gets and gives, `catalogue` what is recommended. One file a theme:
//! `contacts` (with its folder),
//! `orders`, `events`, `messages`, `sends`, `broadcasts`, `activity`, `account`, `site`, `apps`.
//! None of them speaks SQL, and of HTTP they know statuses only.

mod account;
mod activity;
mod apps;
mod broadcasts;
mod call;
pub(crate) mod catalogue;
mod contacts;
mod events;
mod messages;
mod orders;
mod sends;
mod site;

pub(crate) use self::call::{Answer, Call, Content, Trouble, uuid};
pub(crate) use self::contacts::listed as listed_contact;

use crate::api::Operation;
use crate::settings::Settings;
use crate::store::State;

/// What an operation came to.
type Answered = Result<Answer, Trouble>;

/// What an operation is done with.
type Handler = fn(&Call<'_>) -> Answered;

/// Does what is due by now: imports of contacts and scheduled broadcasts.
///
/// Called before anything looks at the state, so that nothing has to run in the background.
pub(crate) fn catch_up(state: &State<'_>, settings: &Settings, now: i64) -> rusqlite::Result<()> {
    contacts::finish_imports(state, now)?;
    broadcasts::start_due(state, settings, now)
}

/// Performs an operation.
pub(crate) fn perform(call: &Call<'_>) -> Answered {
    match handler(call.operation) {
        Some(handler) => handler(call),
        None => Err(Trouble::missing(&call.operation.id)),
    }
}

fn handler(operation: &Operation) -> Option<Handler> {
    let id = operation.id.as_str();
    contacts::handler(id)
        .or_else(|| orders::handler(id))
        .or_else(|| events::handler(id))
        .or_else(|| messages::handler(operation))
        .or_else(|| sends::handler(id))
        .or_else(|| broadcasts::handler(id))
        .or_else(|| activity::handler(id))
        .or_else(|| account::handler(id))
        .or_else(|| site::handler(id))
        .or_else(|| apps::handler(id))
}

#[cfg(test)]
mod tests {
    use crate::api::SPEC;

    #[test]
    fn every_operation_of_the_document_is_served() {
        let missing = SPEC.operations().iter().filter(|one| super::handler(one).is_none());
        assert_eq!(missing.map(|one| one.id.as_str()).collect::<Vec<_>>(), [""; 0]);
    }
}
