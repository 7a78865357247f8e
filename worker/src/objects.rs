//! What the Worker and its objects share: how an object is asked, and the time and chance of the host.

use std::panic::RefUnwindSafe;

use esputnik_kit::{json, value::Value};
use worker::{Date, Method, ObjectNamespace, Response, ResponseBuilder, SqlStorageValue};

use crate::{
    answer::Error, bulk_object::BulkObject, catalogue_object::CatalogueObject,
    governor_object::GovernorObject, host, outbox_object::OutboxObject, promo_object::PromoObject,
    recommendations_object::RecommendationsObject, uses_object::UsesObject,
};

// A build that unwinds asks for it: a panic is to an object what an error is. What must not be half done is
// in a transaction, or taken back where it was begun.
impl RefUnwindSafe for BulkObject {}
impl RefUnwindSafe for CatalogueObject {}
impl RefUnwindSafe for GovernorObject {}
impl RefUnwindSafe for OutboxObject {}
impl RefUnwindSafe for PromoObject {}
impl RefUnwindSafe for RecommendationsObject {}
impl RefUnwindSafe for UsesObject {}

/// The status and the text of an object's answer. Objects have the same paths whatever the host in front
/// of them.
pub(crate) async fn ask(
    objects: &ObjectNamespace,
    name: &str,
    method: Method,
    path: &str,
    body: Option<&str>,
) -> Result<(u16, String), Error> {
    let reply = host::ask_object(objects, name, path, &method, body, None).await?;
    Ok((reply.status(), reply.text()))
}

/// The same, or an error when it takes longer than `patience`, in milliseconds. What was asked for may
/// still be done.
pub(crate) async fn ask_within(
    objects: &ObjectNamespace,
    name: &str,
    path: &str,
    body: Option<&str>,
    patience: u32,
) -> Result<(u16, String), Error> {
    let method = if body.is_some() { Method::Post } else { Method::Get };
    let reply = host::ask_object(objects, name, path, &method, body, Some(patience)).await?;
    Ok((reply.status(), reply.text()))
}

/// The text of an answer, which is 200 where all is well.
pub(crate) fn text((status, text): (u16, String), else_say: &'static str) -> Result<String, Error> {
    if status == 200 { Ok(text) } else { Err(Error::Unavailable(else_say)) }
}

/// The number that an object's answer has under a name, 0 where it has none.
pub(crate) fn told(answer: &str, name: &str) -> u64 {
    json::parse(answer).ok().and_then(|told| told.member(name)?.as_whole()).unwrap_or(0)
}

/// Numbers under their names.
pub(crate) fn numbers<const N: usize>(numbers: [(&str, u64); N]) -> Value {
    let members = numbers.map(|(name, number)| (name.to_owned(), Value::whole(number)));
    Value::Object(members.into())
}

/// An object's answer, which nobody but the Worker reads.
pub(crate) fn respond(text: String) -> Response {
    ResponseBuilder::new().fixed(text.into_bytes())
}

/// Unix time in milliseconds.
pub(crate) fn now() -> u64 {
    Date::now().as_millis()
}

/// Anything, evenly spread.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within the range")]
pub(crate) fn random() -> u32 {
    (js_sys::Math::random() * f64::from(u32::MAX)) as u32
}

/// A number as SQL and JavaScript both hold it.
#[expect(clippy::cast_possible_wrap, reason = "times and counts are far below 2^53")]
pub(crate) fn number(value: u64) -> SqlStorageValue {
    SqlStorageValue::Integer(value as i64)
}
