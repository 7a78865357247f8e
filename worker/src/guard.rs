//! Who may call, and how much: origins, tokens, body limits.

use base64ct::{Base64, Encoding as _};
use esputnik_kit::{
    config::{Config, Scope, Site, Token},
    problem::{Code, Problem},
    wire::MAX_BATCH_BYTES,
};
use futures_util::StreamExt;
use worker::Env;

use crate::{
    answer::Error,
    host::{Request, Response},
    settings::{SERVER_TOKEN, Secret},
};

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
    let origin = request.header("origin").ok_or(Error::Origin)?;
    let (name, site) = config.site_of_origin(&origin).ok_or(Error::Origin)?;
    Ok(Page { name, site, origin })
}

/// Lets the page read the answer.
pub(crate) fn allow(response: Response, page: &Page<'_>) -> Response {
    response
        .with("access-control-allow-origin", page.origin.clone())
        .with("access-control-allow-credentials", "true")
        .with("access-control-expose-headers", "retry-after")
        .with("vary", "origin")
}

/// Refuses callers that do not have a token of the deployment which opens `scope`.
pub(crate) fn server(
    request: &Request,
    env: &Env,
    config: &Config,
    scope: Scope,
) -> Result<(), Error> {
    let header = request.header("authorization").unwrap_or_default();
    opens(header.strip_prefix("Bearer ").unwrap_or_default(), env, config, scope)
}

fn opens(token: &str, env: &Env, config: &Config, scope: Scope) -> Result<(), Error> {
    let holds = |name: &str| Secret::load(env, name).is_some_and(|secret| secret.holds(token));
    let mut known = holds(SERVER_TOKEN);
    let mut opened = known;
    // All of them, whatever comes of it, so that the time tells nothing.
    for (name, settings) in &config.tokens {
        let this_one = holds(&Token::secret(name));
        known |= this_one;
        opened |= this_one && settings.scopes.contains(&scope);
    }
    match (known, opened) {
        (_, true) => Ok(()),
        (true, false) => Err(Error::Scope(scope.as_str())),
        (false, false) => Err(Error::Unauthorised),
    }
}

/// The same as [`server`], for what people look at in a browser too: there a token is the password, under
/// any name.
pub(crate) fn reader(
    request: &Request,
    env: &Env,
    config: &Config,
    scope: Scope,
) -> Result<(), Error> {
    let header = request.header("authorization").unwrap_or_default();
    let decoded = header.strip_prefix("Basic ").and_then(|text| Base64::decode_vec(text).ok());
    let pair = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
    match pair.as_deref().and_then(|pair| pair.split_once(':')) {
        Some((_, password)) => opens(password, env, config, scope),
        None => server(request, env, config, scope),
    }
}

/// Refuses callers that have no token of the deployment at all.
pub(crate) fn any_server(request: &Request, env: &Env, config: &Config) -> Result<(), Error> {
    match server(request, env, config, Scope::Tracker) {
        Err(Error::Scope(_)) => Ok(()),
        other => other,
    }
}

/// The body as text, at most as long as a batch may be.
pub(crate) async fn body(request: &Request) -> Result<String, Error> {
    body_of(request, MAX_BATCH_BYTES).await
}

/// Longest body that is read to its end only to be dropped, in bytes.
const MOST_DROPPED: usize = 16 * 1024 * 1024;

/// The body as text, at most `most` bytes of it.
pub(crate) async fn body_of(request: &Request, most: usize) -> Result<String, Error> {
    if request.header("content-encoding").is_some_and(|coding| coding != "identity") {
        return Err(Error::Encoded);
    }
    // What has no body has no stream to read either.
    if !request.has_body() {
        return Ok(String::new());
    }
    let wrong = || Error::Body(Problem::new(Code::InvalidBody, "", "send JSON in UTF-8"));
    let length = request.header("content-length");
    match length.and_then(|text| text.parse::<usize>().ok()) {
        Some(length) if length > most => {
            // Who is still sending when the answer comes may never see it.
            if length <= MOST_DROPPED {
                let mut stream = request.stream()?;
                while let Some(Ok(_)) = stream.next().await {}
            }
            Err(Error::TooLong(most))
        }
        Some(length) => {
            let text = request.text().await?;
            // The runtime puts a sign of its own where a byte is no UTF-8, which makes the text longer,
            // and drops a mark at the start, which JSON does not have either.
            if text.len() == length { Ok(text) } else { Err(wrong()) }
        }
        // Reading in parts costs more, so only what does not say its length is read so.
        None => {
            let mut bytes = Vec::new();
            let mut stream = request.stream()?;
            while let Some(part) = stream.next().await {
                bytes.extend(part?);
                if bytes.len() > most {
                    return Err(Error::TooLong(most));
                }
            }
            String::from_utf8(bytes).map_err(|_| wrong())
        }
    }
}
