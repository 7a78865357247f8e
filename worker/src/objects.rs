//! What the Worker and its objects share: how an object is asked, and the time and chance of the host.

use worker::{Date, Method, ObjectNamespace, Response, ResponseBuilder, SqlStorageValue};

use crate::{answer::Error, host};

/// The status and the text of an object's answer. Objects have the same paths whatever the host in front
/// of them.
pub(crate) async fn ask(
    objects: &ObjectNamespace,
    name: &str,
    method: Method,
    path: &str,
    body: Option<&str>,
) -> Result<(u16, String), Error> {
    let reply = host::ask_object(objects, name, path, &method, body).await?;
    Ok((reply.status(), reply.text()))
}

/// The text of an answer, which is 200 where all is well.
pub(crate) fn text((status, text): (u16, String), else_say: &'static str) -> Result<String, Error> {
    if status == 200 { Ok(text) } else { Err(Error::Unavailable(else_say)) }
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
