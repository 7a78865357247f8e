//! What the Worker and its objects share: how an object is asked, and the time and chance of the host.

use worker::{Date, Method, Request, RequestInit, Response, SqlStorageValue, Stub};

use crate::answer::Error;

/// Asks an object, which has the same paths whatever the host in front of them.
pub(crate) async fn ask(
    stub: &Stub,
    method: Method,
    path: &str,
    body: Option<String>,
) -> Result<Response, Error> {
    let mut init = RequestInit::new();
    init.with_method(method).with_body(body.map(Into::into));
    let request = Request::new_with_init(&["https://object", path].concat(), &init)?;
    Ok(stub.fetch_with_request(request).await?)
}

/// The text of an answer, which is 200 where all is well.
pub(crate) async fn text(mut response: Response, else_say: &'static str) -> Result<String, Error> {
    if response.status_code() != 200 {
        return Err(Error::Unavailable(else_say));
    }
    Ok(response.text().await?)
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
