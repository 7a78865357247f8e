//! Who may call, and how much: origins, tokens, body limits.

use esputnik_kit::{
    config::{Config, Site},
    problem::{Code, Problem},
    wire::MAX_BATCH_BYTES,
};
use futures_util::StreamExt;
use worker::{Env, Request, Response};

use crate::{answer::Error, settings::Secret};

/// A page that may call: its site, and its origin for the answer.
pub(crate) struct Page<'a> {
    pub(crate) name: &'a str,
    pub(crate) site: &'a Site,
    pub(crate) origin: String,
}

/// The site whose page calls.
///
/// Only browsers are kept honest by this; it is no authentication.
pub(crate) fn page<'a>(request: &Request, config: &'a Config) -> Result<Page<'a>, Error> {
    let origin = request.headers().get("origin")?.ok_or(Error::Origin)?;
    let (name, site) = config.site_of_origin(&origin).ok_or(Error::Origin)?;
    Ok(Page { name, site, origin })
}

/// Lets the page read the answer.
pub(crate) fn allow(response: &Response, page: &Page<'_>) -> Result<(), Error> {
    let headers = response.headers();
    headers.set("access-control-allow-origin", &page.origin)?;
    headers.set("access-control-allow-credentials", "true")?;
    headers.set("access-control-expose-headers", "retry-after")?;
    headers.set("vary", "origin")?;
    Ok(())
}

/// Refuses callers that do not have the deployment's server token.
pub(crate) fn server(request: &Request, env: &Env) -> Result<(), Error> {
    let header = request.headers().get("authorization")?.unwrap_or_default();
    let token = header.strip_prefix("Bearer ").unwrap_or_default();
    match Secret::load(env, "KIT_SERVER_TOKEN") {
        Some(secret) if secret.is(token) => Ok(()),
        _ => Err(Error::Unauthorised),
    }
}

/// The body as text, at most as long as a batch may be.
pub(crate) async fn body(request: &mut Request) -> Result<String, Error> {
    if request.headers().get("content-encoding")?.is_some_and(|coding| coding != "identity") {
        return Err(Error::Encoded);
    }
    let length = request.headers().get("content-length")?;
    let bytes = match length.and_then(|text| text.parse::<usize>().ok()) {
        Some(length) if length > MAX_BATCH_BYTES => return Err(Error::TooLong),
        Some(_) => request.bytes().await?,
        // Reading in parts costs more, so only what does not say its length is read so.
        None => {
            let mut bytes = Vec::new();
            let mut stream = request.stream()?;
            while let Some(part) = stream.next().await {
                bytes.extend(part?);
                if bytes.len() > MAX_BATCH_BYTES {
                    return Err(Error::TooLong);
                }
            }
            bytes
        }
    };
    if bytes.len() > MAX_BATCH_BYTES {
        return Err(Error::TooLong);
    }
    let wrong = Problem::new(Code::InvalidBody, "", "send JSON in UTF-8");
    String::from_utf8(bytes).map_err(|_| Error::Body(wrong))
}
