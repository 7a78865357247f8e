//! What a test sees of the account's state.

use hyper::{StatusCode, Uri};
use serde_json::{Value, json};

use super::control::{DEFAULT_LIMIT, Failure, number};
use super::{Platform, Reply, json_reply};
use crate::rest;
use crate::store::{Happened, Order, State, Wanted};

/// The query of a listing of the state.
#[derive(Debug)]
struct Asked {
    since: u64,
    limit: u32,
    event: Option<String>,
    count: bool,
}

fn asked(uri: &Uri, known: &[&str]) -> Result<Asked, Failure> {
    let mut asked = Asked { since: 0, limit: DEFAULT_LIMIT, event: None, count: false };
    for (name, value) in form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()) {
        match name.as_ref() {
            _ if !known.contains(&name.as_ref()) => {
                return Err(Failure::Wrong(format!("no parameter is called {name}")));
            }
            "since" => asked.since = number(&name, &value)?,
            "limit" => asked.limit = number(&name, &value)?,
            "event" => asked.event = Some(value.into_owned()),
            _ => asked.count = number::<u8>(&name, &value)? > 0,
        }
    }
    Ok(asked)
}

/// Looks at the state after everything that is due was done.
fn look<T>(
    platform: &Platform,
    work: impl FnOnce(&State<'_>) -> rusqlite::Result<T>,
) -> Result<T, Failure> {
    let settings = platform.settings().clone();
    let now = i64::try_from(platform.clock.now()).unwrap_or(i64::MAX);
    Ok(platform.store.transact(|state| {
        rest::catch_up(state, &settings, now)?;
        work(state)
    })?)
}

/// Empties the account and forgets its tokens; the requests stay.
pub(super) fn clear(platform: &Platform) -> Result<(), Failure> {
    platform.tokens.clear();
    Ok(platform.store.clear_state()?)
}

/// Contacts in the order of their numbers, deleted ones included, or how many are not deleted.
pub(super) fn contacts(platform: &Platform, uri: &Uri) -> Result<Reply, Failure> {
    let asked = asked(uri, &["since", "limit", "count"])?;
    let wanted = Wanted {
        since: i64::try_from(asked.since).unwrap_or(i64::MAX),
        with_deleted: !asked.count,
        order: "id",
        limit: if asked.count { 0 } else { i64::from(asked.limit) },
        ..Wanted::default()
    };
    let shown = look(platform, |state| {
        let (contacts, total) = state.contacts(&wanted)?;
        if asked.count {
            return Ok(json!({ "count": total }));
        }
        contacts.iter().map(|contact| rest::listed_contact(state, contact)).collect()
    })?;
    Ok(json_reply(StatusCode::OK, &shown))
}

/// Orders in the order of their first arrival.
pub(super) fn orders(platform: &Platform, uri: &Uri) -> Result<Reply, Failure> {
    let asked = asked(uri, &["limit"])?;
    let orders = look(platform, |state| state.orders(asked.limit))?;
    let shown = |order: &Order| {
        json!({
            "externalOrderId": order.external_id,
            "contactId": order.contact,
            "status": order.status,
            "date": order.at,
            "created": order.created,
            "updated": order.updated,
            "order": order.body,
        })
    };
    Ok(json_reply(StatusCode::OK, &orders.iter().map(shown).collect::<Vec<Value>>()))
}

/// Events of the REST API, those that the platform made itself included.
pub(super) fn events(platform: &Platform, uri: &Uri) -> Result<Reply, Failure> {
    let asked = asked(uri, &["since", "limit", "event"])?;
    let kind = asked.event.as_deref();
    let events = look(platform, |state| state.events(asked.since, kind, asked.limit))?;
    let shown = |event: &Happened| {
        json!({
            "seq": event.seq,
            "received": event.received,
            "occurred": event.occurred,
            "eventTypeKey": event.kind,
            "keyValue": event.key,
            "contactId": event.contact,
            "source": event.source,
            "params": event.params,
        })
    };
    Ok(json_reply(StatusCode::OK, &events.iter().map(shown).collect::<Vec<Value>>()))
}
